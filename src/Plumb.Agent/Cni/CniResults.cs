using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Agent.Leases;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Agent.Cni;

/// <summary>The result of ADD, read off the plan: what the kernel was asked for is what the runtime is told.</summary>
internal static class CniResults
{
    // The order in which interfaces are listed; addresses refer to it by number.
    private const int PodEndIndex = 2;

    public static CniResult Of(Lease lease, NamespaceId node, DesiredState plan, CniConfiguration configuration)
    {
        var version = configuration.Version;
        var sandbox = lease.ToSandbox();
        var mtuIsTold = CniVersion.IsAtLeast(version, "1.1.0");
        var familyIsTold = !CniVersion.IsAtLeast(version, "1.0.0");
        var interfaces = new List<CniInterface>(3)
        {
            Interface(plan, node, Devices.Bridge, mtuIsTold, null),
            Interface(plan, node, sandbox.NodeEnd, mtuIsTold, null),
            Interface(plan, sandbox.Namespace, sandbox.Id.Interface, mtuIsTold, lease.NamespacePath),
        };
        var addresses = new List<CniAddress>(2);
        var routes = new List<CniRoute>(2);
        foreach (var held in lease.Addresses)
        {
            var isV4 = held.Address.Family == IpFamily.V4;
            addresses.Add(new CniAddress
            {
                Version = familyIsTold ? (isV4 ? "4" : "6") : null,
                Address = IpPrefix.Host(held.Address).ToString(),
                Gateway = held.Gateway.ToString(),
                Interface = PodEndIndex,
            });
            routes.Add(new CniRoute(IpPrefix.Everything(held.Address.Family).ToString(), held.Gateway.ToString()));
        }
        return new CniResult(version, interfaces, addresses, routes, configuration.Dns);
    }

    /// <summary>The result behind that of the plugins that ran before: all that they told is handed on, and indices count the interfaces of both.</summary>
    public static byte[] Onto(JsonElement? previous, CniResult own)
    {
        if (previous is not { } before)
        {
            return JsonSerializer.SerializeToUtf8Bytes(own, CniJson.Default.CniResult);
        }
        var result = JsonObject.Create(before)!;
        var interfaces = Listed(result, "interfaces");
        var shifted = own with { Ips = [.. own.Ips.Select(address => address with { Interface = address.Interface + interfaces.Count })] };
        var added = JsonSerializer.SerializeToNode(shifted, CniJson.Default.CniResult)!.AsObject();
        foreach (var name in (string[])["interfaces", "ips", "routes"])
        {
            var list = Listed(result, name);
            foreach (var item in added[name]!.AsArray())
            {
                list.Add(item!.DeepClone());
            }
        }
        result["cniVersion"] = own.CniVersion;
        if (added["dns"] is JsonObject { Count: > 0 } dns)
        {
            result["dns"] = dns.DeepClone();
        }
        return JsonSerializer.SerializeToUtf8Bytes<JsonNode>(result, CniJson.Default.JsonNode);
    }

    /// <summary>CHECK: what the runtime believes the container has must be what it holds here.</summary>
    /// <exception cref="CniException">No <c>prevResult</c>, or it lacks an address that the container holds.</exception>
    public static void CheckNames(Lease lease, JsonElement? previous)
    {
        if (previous is not { } result)
        {
            throw new CniException(CniErrorCode.InvalidConfiguration, "CHECK came without a prevResult");
        }
        var told = (JsonObject.Create(result)?["ips"] as JsonArray ?? [])
            .Select(static item => item?["address"]?.ToString().Split('/')[0])
            .ToHashSet();
        foreach (var held in lease.Addresses)
        {
            if (!told.Contains(held.Address.ToString()))
            {
                throw new CniException(CniErrorCode.NotAsMade, $"prevResult does not have {held.Address}, which the container holds");
            }
        }
    }

    private static JsonArray Listed(JsonObject result, string name)
    {
        if (result[name] is not JsonArray list)
        {
            result[name] = list = [];
        }
        return list;
    }

    private static CniInterface Interface(DesiredState plan, NamespaceId inside, string name, bool mtuIsTold, string? sandboxPath)
    {
        var link = plan.Entries.GetValueOrDefault(new EntryKey(inside, EntryKind.Link, name))?.Entry as LinkEntry;
        return new CniInterface { Name = name, Mac = link?.Mac?.ToString(), Mtu = mtuIsTold ? link?.MtuBytes : null, Sandbox = sandboxPath };
    }
}
