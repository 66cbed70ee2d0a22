using System.Net;
using System.Text.Json.Nodes;
using Plumb.Api.Resources.Services;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources;

/// <summary>What a cluster has from its first moment.</summary>
internal static class Bootstrap
{
    public static void Namespaces(Registry registry)
    {
        foreach (var name in (ReadOnlySpan<string>)["default", "kube-node-lease", "kube-public", "kube-system"])
            registry.Create(GroupResource.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });
    }

    /// <summary>The Service `kubernetes` on the first address of the range, and its endpoints; a loopback address is none that a node could reach.</summary>
    public static void KubernetesService(Registry registry, IPEndPoint advertised, string authorityPem)
    {
        registry.Create(GroupResource.Services, "default", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kubernetes", ["labels"] = Labels() },
            ["spec"] = new JsonObject
            {
                ["clusterIP"] = registry.Ranges.FirstAddress.ToString(),
                ["ipFamilyPolicy"] = "SingleStack",
                ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = 443, ["protocol"] = "TCP", ["targetPort"] = advertised.Port }),
            },
        }, WriteOptions.OfServer);
        registry.Create(GroupResource.ConfigMaps, "kube-system", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kube-root-ca.crt" },
            ["data"] = new JsonObject { ["ca.crt"] = authorityPem },
        });
        if (IPAddress.IsLoopback(advertised.Address))
            return;
        var address = advertised.Address.ToString();
        registry.Create(GroupResource.Endpoints, "default", new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "kubernetes",
                ["labels"] = new JsonObject { ["endpointslice.kubernetes.io/skip-mirror"] = "true" },
            },
            ["subsets"] = new JsonArray(new JsonObject
            {
                ["addresses"] = new JsonArray(new JsonObject { ["ip"] = address }),
                ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = advertised.Port, ["protocol"] = "TCP" }),
            }),
        });
        registry.Create(GroupResource.EndpointSlices, "default", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kubernetes", ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = "kubernetes" } },
            ["addressType"] = ServiceFamilies.NameOf(advertised.AddressFamily),
            ["endpoints"] = new JsonArray(new JsonObject { ["addresses"] = new JsonArray(address), ["conditions"] = new JsonObject { ["ready"] = true } }),
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = advertised.Port, ["protocol"] = "TCP" }),
        });
    }

    /// <summary>The classes of what the cluster itself needs.</summary>
    public static void PriorityClasses(Registry registry)
    {
        foreach (var (name, value, use) in (ReadOnlySpan<(string, int, string)>)
            [("system-cluster-critical", 2_000_000_000, "must run in the cluster, but can be moved to another node if necessary."), ("system-node-critical", 2_000_001_000, "must not be moved from their current node.")])
        {
            registry.Create(Strategies.PriorityClassStrategy.Resource, "", new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = name },
                ["value"] = value,
                ["description"] = $"Used for system critical pods that {use}",
            });
        }
    }

    /// <summary>The ServiceCIDR `kubernetes`: the ranges that the server was started with.</summary>
    public static void ServiceRanges(Registry registry) => registry.Create(GroupResource.ServiceCidrs, "", new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = "kubernetes" },
        ["spec"] = new JsonObject { ["cidrs"] = new JsonArray([.. registry.Ranges.ToString().Split(',').Select(static range => (JsonNode)range)]) },
    });

    /// <summary>
    /// The Service `kube-dns` on the tenth address of each range. Nodes answer that address themselves; pods that it selects, if there are any, answer in their stead.
    /// A range too small for it has none.
    /// </summary>
    public static void DnsService(Registry registry)
    {
        var addresses = registry.Ranges.DnsAddresses;
        if (addresses.Count == 0)
            return;
        registry.Create(GroupResource.Services, "kube-system", new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "kube-dns",
                ["labels"] = new JsonObject { ["k8s-app"] = "kube-dns", ["kubernetes.io/cluster-service"] = "true", ["kubernetes.io/name"] = "Plumb" },
            },
            ["spec"] = new JsonObject
            {
                ["selector"] = new JsonObject { ["k8s-app"] = "kube-dns" },
                ["clusterIP"] = addresses[0].ToString(),
                ["clusterIPs"] = new JsonArray([.. addresses.Select(static address => (JsonNode)address.ToString())]),
                ["ipFamilyPolicy"] = "PreferDualStack",
                ["ports"] = new JsonArray(
                    new JsonObject { ["name"] = "dns", ["port"] = 53, ["protocol"] = "UDP" },
                    new JsonObject { ["name"] = "dns-tcp", ["port"] = 53, ["protocol"] = "TCP" }),
            },
        });
    }

    private static JsonObject Labels() => new() { ["component"] = "apiserver", ["provider"] = "kubernetes" };
}
