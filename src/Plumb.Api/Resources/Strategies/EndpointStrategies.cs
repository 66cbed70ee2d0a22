using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Strategies;

internal sealed class EndpointsStrategy : Strategy
{
    public override void Default(JsonObject root)
    {
        foreach (var subset in Fields.Objects(root, "subsets"))
        {
            foreach (var port in Fields.Objects(subset, "ports"))
                Fields.DefaultText(port, "protocol", "TCP");
        }
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var index = 0;
        foreach (var subset in Fields.Objects(root, "subsets"))
        {
            var at = $"subsets[{index++}]";
            if (Fields.Array(subset, "addresses") is not { Count: > 0 } && Fields.Array(subset, "notReadyAddresses") is not { Count: > 0 })
                errors.Required(at, "must specify `addresses` or `notReadyAddresses`");
            foreach (var member in (ReadOnlySpan<string>)["addresses", "notReadyAddresses"])
            {
                var i = 0;
                foreach (var address in Fields.Objects(subset, member))
                    AddressValidation.Endpoint(Fields.Text(address, "ip"), $"{at}.{member}[{i++}].ip", errors);
            }

            AddressValidation.Ports(subset, at + ".ports", required: true, errors);
        }
    }
}

internal sealed class EndpointSliceStrategy : Strategy
{
    private const int MostHints = 8;

    public override void Default(JsonObject root)
    {
        foreach (var port in Fields.Objects(root, "ports"))
        {
            Fields.Default(port, "name", "");
            Fields.DefaultText(port, "protocol", "TCP");
        }

        foreach (var endpoint in Fields.Objects(root, "endpoints"))
            Fields.Default(endpoint, "conditions", new JsonObject());
        foreach (var member in (ReadOnlySpan<string>)["endpoints", "ports"])
        {
            if (!root.ContainsKey(member))
                root[member] = null;
        }
    }

    public override void PrepareUpdate(JsonObject root, JsonObject old, Part part, in Admission admission) => DropEmpty(root);

    /// <summary>An empty list is kept as none; only who sent it owns it.</summary>
    private static void DropEmpty(JsonObject root)
    {
        foreach (var member in (ReadOnlySpan<string>)["endpoints", "ports"])
        {
            if (root[member] is JsonArray { Count: 0 })
                root[member] = null;
        }
    }

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        DropEmpty(root);
        if (Fields.Text(root, "addressType") == "FQDN")
            admission.Warn("spec.addressType: FQDN endpoints are deprecated");
    }

    /// <summary>An EndpointSlice has no spec: all of it but the metadata counts.</summary>
    public override bool ChangesGeneration(JsonObject root, JsonObject old) =>
        !JsonNode.DeepEquals(root["endpoints"], old["endpoints"]) || !JsonNode.DeepEquals(root["ports"], old["ports"]);

    /// <summary>Of another family nothing else is looked at: all addresses would be wrong.</summary>
    public override bool IsSettled(JsonObject root, JsonObject old) => Fields.Text(root, "addressType") != Fields.Text(old, "addressType");

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var type = Fields.Text(root, "addressType");
        if (type.Length == 0)
            errors.Required("addressType");
        else if (type is not ("IPv4" or "IPv6" or "FQDN"))
            errors.NotSupported("addressType", type, "FQDN", "IPv4", "IPv6");
        if (Fields.Array(root, "endpoints") is { Count: > 1000 } many)
        {
            errors.TooMany("endpoints", many.Count, 1000);
            return;
        }

        var index = 0;
        foreach (var endpoint in Fields.Objects(root, "endpoints"))
        {
            var at = $"endpoints[{index++}].addresses";
            var addresses = MetadataValidation.Texts(endpoint, "addresses");
            if (addresses.Count > 100)
                errors.TooMany(at, addresses.Count, 100);
            if (addresses.Count == 0)
                errors.Required(at, "must contain at least 1 address");
            for (var i = 0; i < addresses.Count; i++)
            {
                if (type == "FQDN")
                {
                    foreach (var fault in NameSyntax.Subdomain(addresses[i].TrimEnd('.')))
                        errors.InvalidText($"{at}[{i}]", addresses[i], fault);
                }
                else if (NameSyntax.IsAddress(addresses[i]) && addresses[i].Contains(':', StringComparison.Ordinal) != (type == "IPv6"))
                {
                    errors.InvalidText(at, addresses[i], type == "IPv6" ? "must be an IPv6 address" : "must be an IPv4 address");
                }
                else if (NameSyntax.IsAddress(addresses[i]) && NameSyntax.Canonical(addresses[i]) is { } canonical)
                {
                    errors.InvalidText($"{at}[{i}]", addresses[i], $"must be in canonical form ({FieldErrors.Quote(canonical)})");
                }
                else
                {
                    AddressValidation.Endpoint(addresses[i], $"{at}[{i}]", errors);
                }
            }

            Placement(endpoint, at[..^".addresses".Length], errors);
        }

        AddressValidation.Ports(root, "ports", required: false, errors);
    }

    /// <summary>Where an endpoint is and whom it is for.</summary>
    private static void Placement(JsonObject endpoint, string at, FieldErrors errors)
    {
        if (Fields.Text(endpoint, "hostname") is { Length: > 0 } hostname)
        {
            foreach (var fault in NameSyntax.PlainLabel(hostname))
                errors.InvalidText(at + ".hostname", hostname, fault);
        }

        if (Fields.Text(endpoint, "nodeName") is { Length: > 0 } node)
        {
            foreach (var fault in NameSyntax.Subdomain(node))
                errors.InvalidText(at + ".nodeName", node, fault);
        }

        foreach (var member in (ReadOnlySpan<string>)["forZones", "forNodes"])
        {
            if (Fields.Array(Fields.Find(endpoint, "hints"), member) is not { } hints)
                continue;
            if (hints.Count > MostHints)
                errors.TooMany($"{at}.hints.{member}", hints.Count, MostHints);
            var names = new HashSet<string>();
            var index = 0;
            foreach (var hint in Fields.Objects(Fields.Find(endpoint, "hints"), member))
            {
                var name = Fields.Text(hint, "name");
                if (!names.Add(name))
                    errors.Duplicate($"{at}.hints.{member}[{index}].name", FieldErrors.Quote(name));
                index++;
            }
        }
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        if (Fields.Text(root, "addressType") != Fields.Text(old, "addressType"))
            errors.InvalidText("addressType", Fields.Text(root, "addressType"), "field is immutable");
    }
}
