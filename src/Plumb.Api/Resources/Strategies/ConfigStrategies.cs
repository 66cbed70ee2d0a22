using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Strategies;

internal sealed class ConfigMapStrategy : Strategy
{
    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var data = Fields.Find(root, "data");
        var binary = Fields.Find(root, "binaryData");
        foreach (var (field, map) in ((string, JsonObject?)[])[("data", data), ("binaryData", binary)])
        {
            foreach (var (key, _) in map ?? [])
            {
                foreach (var fault in NameSyntax.ConfigKey(key))
                    errors.InvalidText($"{field}[{key}]", key, fault);
                if (field == "data" && binary?.ContainsKey(key) == true)
                    errors.InvalidText($"data[{key}]", key, "duplicate of key present in binaryData");
            }
        }
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors) => Immutable(root, old, errors, "data", "binaryData");

    internal static void Immutable(JsonObject root, JsonObject old, FieldErrors errors, params ReadOnlySpan<string> members)
    {
        const string rule = "field is immutable when `immutable` is set";
        if (!Fields.Flag(old, "immutable"))
            return;
        if (!Fields.Flag(root, "immutable"))
            errors.Forbidden("immutable", rule);
        foreach (var member in members)
        {
            if (!JsonNode.DeepEquals(root[member], old[member]))
                errors.Forbidden(member, rule);
        }
    }
}

internal sealed class SecretStrategy : Strategy
{
    public override void Default(JsonObject root)
    {
        Fields.DefaultText(root, "type", "Opaque");
        if (Fields.Find(root, "stringData") is not { } plain)
            return;
        var data = Fields.Object(root, "data");
        foreach (var (key, value) in plain)
            data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value?.GetValue<string>() ?? ""));
        root.Remove("stringData");
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var data = Fields.Find(root, "data");
        foreach (var (key, _) in data ?? [])
        {
            foreach (var fault in NameSyntax.ConfigKey(key))
                errors.InvalidText($"data[{key}]", key, fault);
        }

        switch (Fields.Text(root, "type"))
        {
            case "kubernetes.io/tls":
                Require(data, errors, "tls.crt", "tls.key");
                break;
            case "kubernetes.io/dockerconfigjson":
                Require(data, errors, ".dockerconfigjson");
                break;
            case "kubernetes.io/ssh-auth":
                Require(data, errors, "ssh-privatekey");
                break;
            case "kubernetes.io/service-account-token":
                if (Fields.Text(Fields.Find(Fields.Find(root, "metadata"), "annotations"), "kubernetes.io/service-account.name").Length == 0)
                    errors.Required("metadata.annotations[kubernetes.io/service-account.name]");
                break;
        }
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        if (Fields.Text(root, "type") != Fields.Text(old, "type"))
            errors.InvalidText("type", Fields.Text(root, "type"), "field is immutable");
        ConfigMapStrategy.Immutable(root, old, errors, "data");
    }

    private static void Require(JsonObject? data, FieldErrors errors, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (data is null || !data.ContainsKey(key))
                errors.Required($"data[{key}]");
        }
    }
}

internal sealed class LeaseStrategy : Strategy
{
    public override void Default(JsonObject root) => Fields.Default(root, "spec", new JsonObject());

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        if (Fields.Number(Fields.Find(root, "spec"), "leaseDurationSeconds") is { } seconds and <= 0)
            errors.Invalid("spec.leaseDurationSeconds", seconds.ToString(), "must be greater than 0");
    }
}
