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

    public static CniResult Of(Lease lease, NamespaceId node, DesiredState plan, string version)
    {
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
        return new CniResult(version, interfaces, addresses, routes, new CniDns());
    }

    private static CniInterface Interface(DesiredState plan, NamespaceId inside, string name, bool mtuIsTold, string? sandboxPath)
    {
        var link = plan.Entries.GetValueOrDefault(new EntryKey(inside, EntryKind.Link, name))?.Entry as LinkEntry;
        return new CniInterface { Name = name, Mac = link?.Mac?.ToString(), Mtu = mtuIsTold ? link?.MtuBytes : null, Sandbox = sandboxPath };
    }
}
