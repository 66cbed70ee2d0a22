using System.Net;
using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

internal sealed class NetworkPolicyStrategy : Strategy
{
    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        Fields.Default(spec, "podSelector", new JsonObject());
        if (Fields.Array(spec, "policyTypes") is not { Count: > 0 })
        {
            var types = new JsonArray("Ingress");
            if (Fields.Array(spec, "egress") is { Count: > 0 })
                types.Add("Egress");
            spec["policyTypes"] = types;
        }

        foreach (var port in Fields.Objects(spec, "ingress").Concat(Fields.Objects(spec, "egress")).SelectMany(static rule => Fields.Objects(rule, "ports")))
            Fields.DefaultText(port, "protocol", "TCP");
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        SelectorValidation.Validate(Fields.Find(spec, "podSelector"), "spec.podSelector", errors);
        Rules(spec, "ingress", "from", errors);
        Rules(spec, "egress", "to", errors);
        var index = 0;
        foreach (var type in MetadataValidation.Texts(spec, "policyTypes"))
        {
            if (type is not ("Ingress" or "Egress"))
                errors.NotSupported($"spec.policyTypes[{index}]", type, "Ingress", "Egress");
            index++;
        }
    }

    private static void Rules(JsonObject spec, string direction, string peers, FieldErrors errors)
    {
        var index = 0;
        foreach (var rule in Fields.Objects(spec, direction))
        {
            var at = $"spec.{direction}[{index++}]";
            var i = 0;
            foreach (var port in Fields.Objects(rule, "ports"))
                Port(port, $"{at}.ports[{i++}]", errors);
            i = 0;
            foreach (var peer in Fields.Objects(rule, peers))
                Peer(peer, $"{at}.{peers}[{i++}]", errors);
        }
    }

    private static void Port(JsonObject port, string at, FieldErrors errors)
    {
        PodValidation.Choice(port, "protocol", at, errors, "TCP", "UDP", "SCTP");
        var end = Fields.Number(port, "endPort");
        if (port["port"] is null)
        {
            if (end is not null)
                errors.Invalid(at + ".endPort", end.ToString()!, "may not be specified when `port` is not specified");
            return;
        }

        ProbeValidation.Port(port["port"], at + ".port", errors);
        if (end is null)
            return;
        if (Fields.Number(port, "port") is not { } first)
            errors.Invalid(at + ".endPort", end.ToString()!, "may not be specified when `port` is non-numeric");
        else if (end < first)
            errors.Invalid(at + ".endPort", first.ToString(), "must be greater than or equal to `port`");
        else if (end > 65535)
            errors.Invalid(at + ".endPort", end.ToString()!, NameSyntax.PortText);
    }

    private static void Peer(JsonObject peer, string at, FieldErrors errors)
    {
        var block = Fields.Find(peer, "ipBlock");
        var hasSelector = false;
        foreach (var member in (ReadOnlySpan<string>)["podSelector", "namespaceSelector"])
        {
            if (Fields.Find(peer, member) is not { } selector)
                continue;
            hasSelector = true;
            SelectorValidation.Validate(selector, $"{at}.{member}", errors);
        }

        if (block is null)
        {
            if (!hasSelector)
                errors.Required(at, "must specify a peer");
            return;
        }

        if (hasSelector)
            errors.Forbidden(at, "may not specify both ipBlock and another peer");
        Block(block, at + ".ipBlock", errors);
    }

    private static void Block(JsonObject block, string at, FieldErrors errors)
    {
        var text = Fields.Text(block, "cidr");
        if (text.Length == 0)
        {
            errors.Required(at + ".cidr");
            return;
        }

        if (!NameSyntax.IsPrefix(text))
        {
            errors.InvalidText(at + ".cidr", text, NameSyntax.PrefixText);
            return;
        }

        var whole = Network(text);
        var index = 0;
        foreach (var except in MetadataValidation.Texts(block, "except"))
        {
            var here = $"{at}.except[{index++}]";
            if (!NameSyntax.IsPrefix(except))
                errors.InvalidText(here, except, NameSyntax.PrefixText);
            else if (Network(except) is var part && (part.PrefixLength <= whole.PrefixLength || !whole.Contains(part.BaseAddress)))
                errors.InvalidText(here, except, "must be a strict subset of `cidr`");
        }
    }

    /// <summary>Bits beyond the prefix are of no account.</summary>
    private static IPNetwork Network(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var bytes = IPAddress.Parse(text.AsSpan(0, slash)).GetAddressBytes();
        var length = int.Parse(text.AsSpan(slash + 1));
        for (var bit = length; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPNetwork(new IPAddress(bytes), length);
    }
}

internal sealed class ClaimStrategy : Strategy
{
    public static readonly GroupResource Resource = new("", "persistentvolumeclaims");

    /// <summary>Keeps a claim until no pod uses it: <see cref="Controllers.ClaimProtection"/> takes it away.</summary>
    public const string Protection = "kubernetes.io/pvc-protection";

    public override void Default(JsonObject root) => Fields.DefaultText(Fields.Object(root, "spec"), "volumeMode", "Filesystem");

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        root["status"] = new JsonObject { ["phase"] = "Pending" };
        var metadata = Fields.Object(root, "metadata");
        if (Fields.Array(metadata, "finalizers") is not { } finalizers)
            metadata["finalizers"] = finalizers = [];
        if (!finalizers.Any(static finalizer => finalizer?.ToString() == Protection))
            finalizers.Add(Protection);
    }
}
