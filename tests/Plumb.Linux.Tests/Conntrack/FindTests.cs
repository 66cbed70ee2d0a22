using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.Tests.Nftables;

namespace Plumb.Linux.Tests.Conntrack;

public sealed partial class FindTests
{
    private const byte Udp = 17;

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.9", IpFamily.V4, "ip")]
    [InlineData("fd00::1", "fd00::9", IpFamily.V6, "ip6")]
    public async Task A_connection_is_found_by_either_direction_in_its_zone_and_printed_as_conntrack_prints_it(string own, string service, IpFamily family, string table)
    {
        using var space = new NftNamespace();
        await Witness.Shell(space.Namespace, $"ip link set lo up; ip addr add {own}/128 dev lo nodad 2>/dev/null || ip addr add {own}/32 dev lo; ip route add local {service} dev lo");
        var to = family == IpFamily.V4 ? $"{own}:7000" : $"[{own}]:7000";
        Assert.Equal("", space.Load($"table {table} t {{ chain z {{ type filter hook output priority -300; ct zone set 5; }}; chain o {{ type nat hook output priority -100; udp dport 80 dnat to {to}; }}; }}"));
        var kind = family == IpFamily.V4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        using var server = space.Namespace.OpenUdp(kind);
        server.Bind(new IPEndPoint(IPAddress.Parse(own), 7000));
        using var client = space.Namespace.OpenUdp(kind);
        client.Bind(new IPEndPoint(IPAddress.Parse(own), 40_000));
        client.SendTo([1], new IPEndPoint(IPAddress.Parse(service), 80));

        using var socket = space.Namespace.OpenNetlink(NetlinkFamily.Netfilter);
        var original = new ConntrackTuple(IpAddress.Parse(own), IpAddress.Parse(service), Udp, 40_000, 80);
        var found = ConntrackKernel.Find(socket, original, 5)!;
        Assert.Equal((original, IpAddress.Parse(own), (ushort)7000, false), (found.Original, found.Reply.Source, found.Reply.SourcePort, found.IsAnswered));
        Assert.Equal(found.Id, ConntrackKernel.Find(socket, found.Reply, 5)!.Id);
        Assert.Null(ConntrackKernel.Find(socket, original, 0));
        Assert.Null(ConntrackKernel.Find(socket, original with { SourcePort = 40_001 }, 5));
        var printed = (await Witness.Run(space.Namespace, "conntrack", "-L", "-f", family == IpFamily.V4 ? "ipv4" : "ipv6", "-p", "udp")).Split('\n')[0];
        Assert.Equal(Spaces().Replace(Changing().Replace(printed, " "), " ").Trim(), found.Print());
        Assert.InRange(found.TimeoutSeconds!.Value, 1u, 600u);
    }

    // The protocol's number, how long it is still known, and how many hold it.
    [GeneratedRegex(@" +\d+ +\d+ | use=\d+")]
    private static partial Regex Changing();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
