using System.Text.Json.Nodes;
using Plumb.Diagnosis.Snapshots;
using Plumb.Kubernetes.Json;
using Plumb.Linux.Addresses;

namespace Plumb.Whatif;

/// <summary>What an API server would add to a Service that somebody applies: what it has already stays, what it has not is taken as the next that is free.</summary>
internal static class AssumedService
{
    private const int FirstNodePort = 30_000;
    private const uint MostTried = 65_536;

    private static readonly string[] Kept = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"];

    /// <returns>What was assumed, a line each.</returns>
    public static IEnumerable<string> Complete(JsonObject json, JsonObject? was, ObjectName name, IEnumerable<JsonObject> services, SnapshotNetwork network)
    {
        var notes = new List<string>();
        if (json["spec"] is not JsonObject spec || spec["type"]?.ToString() == "ExternalName")
        {
            return notes;
        }
        var before = was?["spec"] as JsonObject;
        if (!spec.ContainsKey("clusterIP") && !spec.ContainsKey("clusterIPs"))
        {
            foreach (var field in Kept)
            {
                if (before?[field] is { } value && !spec.ContainsKey(field))
                {
                    spec[field] = value.DeepClone();
                }
            }
        }
        if (!spec.ContainsKey("clusterIP") && !spec.ContainsKey("clusterIPs") && network.ServiceRanges.Count > 0)
        {
            var address = Free(network.ServiceRanges[0], services);
            spec["clusterIP"] = address.ToString();
            notes.Add($"{name}: its address is not known before; {address} is taken for it");
        }
        if (spec["type"]?.ToString() is "NodePort" or "LoadBalancer")
        {
            CompletePorts(spec, before, name, services, notes);
        }
        return notes;
    }

    private static void CompletePorts(JsonObject spec, JsonObject? before, ObjectName name, IEnumerable<JsonObject> services, List<string> notes)
    {
        var taken = services.SelectMany(static service => (service.At("spec", "ports") as JsonArray ?? []).Select(static port => port?["nodePort"]?.ToString())).ToHashSet();
        foreach (var port in (spec["ports"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if (port.ContainsKey("nodePort"))
            {
                continue;
            }
            var same = (before?["ports"] as JsonArray ?? []).FirstOrDefault(one => one?["port"]?.ToString() == port["port"]?.ToString() && (one?["protocol"]?.ToString() ?? "TCP") == (port["protocol"]?.ToString() ?? "TCP"));
            if (same?["nodePort"] is { } kept)
            {
                port["nodePort"] = kept.DeepClone();
                continue;
            }
            var number = Enumerable.Range(FirstNodePort, ushort.MaxValue - FirstNodePort).First(one => taken.Add(one.ToString()));
            port["nodePort"] = number;
            notes.Add($"{name}: its node port is not known before; {number} is taken for it");
        }
    }

    private static IpAddress Free(IpPrefix range, IEnumerable<JsonObject> services)
    {
        var taken = services.Select(static service => service.At("spec", "clusterIP")?.ToString()).ToHashSet();
        for (uint host = 256; host < MostTried; host++)
        {
            var address = range.First.Plus(host);
            if (range.Contains(address) && !taken.Contains(address.ToString()))
            {
                return address;
            }
        }
        return range.First.Plus(1);
    }
}
