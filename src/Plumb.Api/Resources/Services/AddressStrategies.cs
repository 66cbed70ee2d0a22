using System.Net;
using System.Text.Json.Nodes;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Services;

/// <summary>ServiceCIDRs: more ranges for Services' addresses, beside those that the server was started with (KEP-1880).</summary>
internal sealed class ServiceCidrStrategy(ServiceAllocator allocator) : Strategy
{
    protected override ReadOnlySpan<string> StatusMetadata => [];

    public override void PrepareCreate(JsonObject root, in Admission admission) => root["status"] = new JsonObject();

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var ranges = MetadataValidation.Texts(Fields.Find(root, "spec"), "cidrs");
        if (ranges.Count == 0)
            errors.Required("spec.cidrs", "at least one CIDR required");
        if (ranges.Count > 2)
            errors.Invalid("spec.cidrs", Fields.Find(root, "spec")!["cidrs"], "may only hold up to 2 values");
        for (var i = 0; i < ranges.Count; i++)
        {
            var at = $"spec.cidrs[{i}]";
            if (!NameSyntax.IsPrefix(ranges[i]))
                errors.InvalidText(at, ranges[i], NameSyntax.PrefixText);
            else if (!IPNetwork.TryParse(ranges[i], out var range) || !range.BaseAddress.Equals(IPAddress.Parse(ranges[i].AsSpan(0, ranges[i].IndexOf('/', StringComparison.Ordinal)))))
                errors.InvalidText(at, ranges[i], "must not have bits set beyond the prefix length");
            else if (range.ToString() != ranges[i])
                errors.InvalidText(at, ranges[i], $"must be in canonical form ({FieldErrors.Quote(range.ToString())})");
        }

        if (errors.Count == 0 && ranges.Count == 2 && ranges[0].Contains(':', StringComparison.Ordinal) == ranges[1].Contains(':', StringComparison.Ordinal))
            errors.Invalid("spec.cidrs", Fields.Find(root, "spec")!["cidrs"], "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96");
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        if (!JsonNode.DeepEquals(Fields.Find(root, "spec")?["cidrs"], Fields.Find(old, "spec")?["cidrs"]))
            errors.Invalid("spec.cidrs", Fields.Find(root, "spec")?["cidrs"], "field is immutable");
    }

    public override void Created(JsonObject root) => allocator.SetRanges(NameOf(root), RangesOf(root));

    public override void Deleted(JsonObject last) => allocator.SetRanges(NameOf(last), null);

    public static IPNetwork[] RangesOf(JsonObject root)
    {
        var ranges = new List<IPNetwork>();
        foreach (var text in MetadataValidation.Texts(Fields.Find(root, "spec"), "cidrs"))
        {
            if (IPNetwork.TryParse(text, out var range))
                ranges.Add(range);
        }

        return [.. ranges];
    }

    private static string NameOf(JsonObject root) => Fields.Text(Fields.Find(root, "metadata"), "name");
}

/// <summary>IPAddresses: each is an address that is taken, and its name is that address (KEP-1880).</summary>
internal sealed class AddressStrategy : Strategy
{
    public override NameRule Name => NameRule.Address;

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        if (Fields.Find(Fields.Find(root, "spec"), "parentRef") is not { } parent)
        {
            errors.Required("spec.parentRef");
            return;
        }

        if (Fields.Text(parent, "resource").Length == 0)
            errors.Required("spec.parentRef.resource");
        if (Fields.Text(parent, "name").Length == 0)
            errors.Required("spec.parentRef.name");
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        if (!JsonNode.DeepEquals(Fields.Find(root, "spec")?["parentRef"], Fields.Find(old, "spec")?["parentRef"]))
            errors.Invalid("spec.parentRef", Fields.Find(root, "spec")?["parentRef"], "field is immutable");
    }
}
