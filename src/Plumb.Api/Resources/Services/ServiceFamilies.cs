using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Services;

/// <summary>
/// `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` of a Service: what is left out follows from the others, from what was before, and from the
/// families that the cluster has (KEP-563).
/// </summary>
internal static class ServiceFamilies
{
    private static readonly string[] Members = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];

    public static string NameOf(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";

    public static AddressFamily FamilyOf(string name) => name == "IPv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;

    public static bool IsHeadless(JsonObject spec) => Fields.Text(spec, "clusterIP") == "None";

    /// <summary>Whoever makes the endpoints of such a Service decides on their families.</summary>
    public static bool IsHeadlessWithoutSelector(JsonObject spec) => IsHeadless(spec) && Fields.Find(spec, "selector") is not { Count: > 0 };

    public static void Complete(JsonObject spec, ServiceRanges ranges)
    {
        if (Fields.Text(spec, "clusterIP") is { Length: > 0 } address && Fields.Array(spec, "clusterIPs") is not { Count: > 0 })
            spec["clusterIPs"] = new JsonArray(address);
        Default(spec, ranges);
    }

    /// <param name="before">A spec that had addresses, too.</param>
    public static void CompleteUpdate(JsonObject spec, JsonObject before, ServiceRanges ranges)
    {
        // 1. What a client leaves out it does not mean to change; an old one changes only the first address.
        var had = MetadataValidation.Texts(before, "clusterIPs");
        var addresses = MetadataValidation.Texts(spec, "clusterIPs");
        var first = Fields.Text(spec, "clusterIP");
        if (first.Length > 0 && first != Fields.Text(before, "clusterIP") && (addresses.Count == 0 || addresses.SequenceEqual(had)))
            spec["clusterIPs"] = new JsonArray(first);
        else if (first.Length == 0 && addresses.Count > 0 && !addresses.SequenceEqual(had))
            spec["clusterIP"] = addresses[0];
        foreach (var member in Members)
        {
            if (IsAbsent(spec, member) && before[member] is { } value)
                spec[member] = value.DeepClone();
        }

        // 2. Back to one family: the second address and family need not be taken away by name.
        if (Fields.Text(spec, "ipFamilyPolicy") == "SingleStack" && Fields.Text(before, "ipFamilyPolicy") != "SingleStack")
        {
            foreach (var member in (ReadOnlySpan<string>)["clusterIPs", "ipFamilies"])
            {
                if (spec[member] is JsonArray { Count: 2 } both && JsonNode.DeepEquals(both, before[member]))
                    both.RemoveAt(1);
            }
        }

        Default(spec, ranges);
    }

    /// <summary>A Service that becomes a name for another has no addresses any more.</summary>
    public static void Drop(JsonObject spec, JsonObject before)
    {
        foreach (var member in Members)
        {
            if (IsAbsent(spec, member) || JsonNode.DeepEquals(spec[member], before[member]))
                spec.Remove(member);
        }
    }

    private static void Default(JsonObject spec, ServiceRanges ranges)
    {
        var addresses = MetadataValidation.Texts(spec, "clusterIPs");
        var families = MetadataValidation.Texts(spec, "ipFamilies");
        var isFree = IsHeadlessWithoutSelector(spec);
        Fields.DefaultText(spec, "ipFamilyPolicy", isFree || addresses.Count == 2 || families.Count == 2 ? "RequireDualStack" : "SingleStack");
        for (var i = families.Count; i < addresses.Count; i++)
        {
            if (IPAddress.TryParse(addresses[i], out var parsed))
                families.Add(NameOf(parsed.AddressFamily));
        }

        if (families.Count == 0)
            families.Add(NameOf(ranges.Network.BaseAddress.AddressFamily));
        if (families.Count == 1 && Fields.Text(spec, "ipFamilyPolicy") is "PreferDualStack" or "RequireDualStack" && (isFree || ranges.NetworkV6 is not null))
            families.Add(families[0] == "IPv4" ? "IPv6" : "IPv4");
        spec["ipFamilies"] = new JsonArray([.. families.Select(static family => (JsonNode)family)]);
    }

    private static bool IsAbsent(JsonObject spec, string member) =>
        spec[member] is null or JsonArray { Count: 0 } || (spec[member] is JsonValue && Fields.Text(spec, member).Length == 0);
}
