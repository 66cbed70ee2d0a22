using Plumb.Linux.Addresses;
using Plumb.Linux.Ipset;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Wire;

namespace Plumb.Linux.Tests.Ipset;

/// <summary>Sets that <c>ipset</c> has made, read here.</summary>
public sealed class IpSetTests
{
    [Theory]
    [InlineData("hash:ip", "10.0.0.1", "10.0.0.1")]
    [InlineData("hash:ip family inet6", "fd00::1", "fd00::1")]
    [InlineData("hash:ip netmask 24", "10.0.7.9", "10.0.7.0")]
    [InlineData("hash:net", "10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("hash:net", "10.0.0.0/9 nomatch", "10.0.0.0/9 but not")]
    [InlineData("hash:ip,port", "10.0.0.1,udp:53", "10.0.0.1 17:53")]
    [InlineData("hash:ip,port", "10.0.0.1,icmp:echo-request", "10.0.0.1 1:2048")]
    [InlineData("hash:ip,port,ip", "10.0.0.1,tcp:80,10.0.0.2", "10.0.0.1 6:80 10.0.0.2")]
    [InlineData("hash:ip,port,net", "10.0.0.1,sctp:80,10.2.0.0/16", "10.0.0.1 132:80 10.2.0.0/16")]
    [InlineData("hash:net,port", "10.0.0.0/24,tcp:80", "10.0.0.0/24 6:80")]
    [InlineData("hash:net,iface", "10.0.0.0/24,eth0", "10.0.0.0/24 eth0")]
    [InlineData("bitmap:port range 0-100", "53", "53")]
    [InlineData("bitmap:ip range 10.0.0.0/24", "10.0.0.9", "10.0.0.9")]
    [InlineData("bitmap:ip,mac range 10.0.0.0/24", "10.0.0.9,02:00:00:00:00:01", "10.0.0.9 02:00:00:00:00:01")]
    [InlineData("hash:ip timeout 600 counters comment", "10.0.0.1 comment why", "10.0.0.1 \"why\"")]
    public async Task A_member_is_read_as_it_was_written(string type, string member, string expected)
    {
        using var place = NetworkNamespace.Create();
        await Witness.Shell(place, $"ipset create some {type}\nipset add some {member}");
        using var socket = place.OpenNetlink(NetlinkFamily.Netfilter);
        var set = Assert.Single(IpSetKernel.List(socket));
        Assert.Equal(("some", type.Split(' ')[0]), (set.Name, set.Type));
        Assert.Equal(type.Contains("netmask", StringComparison.Ordinal) ? 24 : null, set.NetmaskLength);
        Assert.Equal(expected, Print(Assert.Single(set.Members)));
    }

    [Fact]
    public async Task Sets_of_sets_and_large_sets_are_read_whole()
    {
        using var place = NetworkNamespace.Create();
        using var socket = place.OpenNetlink(NetlinkFamily.Netfilter);
        Assert.Empty(IpSetKernel.List(socket));
        await Witness.Shell(place, "(echo create large hash:ip; for a in $(seq 40); do for b in $(seq 100); do echo add large 10.0.$a.$b; done; done; echo create all list:set; echo add all large) | ipset restore");
        var sets = IpSetKernel.List(socket);
        Assert.Equal(["all", "large"], sets.Select(static set => set.Name).Order(StringComparer.Ordinal));
        Assert.Equal(4000, sets.First(static set => set.Name == "large").Members.Select(static member => member.Address).Distinct().Count());
        Assert.Equal("large", Assert.Single(sets.First(static set => set.Name == "all").Members).Set);
    }

    [Fact]
    public void A_message_that_is_cut_anywhere_is_refused_by_name()
    {
        using var wire = new NetlinkWriter();
        using (wire.Message(6 << 8 | 7))
        {
            wire.Structure(new NetfilterHeader(2, 0));
            wire.Text(2, "some");
            wire.Text(3, "hash:ip,port");
            wire.U8(5, 2);
            using (wire.Nest(8))
            using (wire.Nest(7))
            {
                using (wire.Nest(1))
                {
                    wire.Ip(1, IpAddress.V4(10, 0, 0, 1));
                }
                wire.U8(7, 6);
                wire.U16BigEndian(4, 80);
            }
        }
        var whole = wire.Written[16..].ToArray();
        Assert.Equal("10.0.0.1 6:80", Print(Assert.Single(Read(whole).Members)));
        for (var length = 0; length < whole.Length; length++)
        {
            try
            {
                Read(whole[..length]);
            }
            catch (NetlinkDecodeException damaged)
            {
                Assert.NotEmpty(damaged.Message);
            }
        }
    }

    private static IpSet Read(byte[] payload) => IpSetMessage.Read(new NetlinkMessage(6 << 8 | 7, NetlinkFlags.Multi, 1, 0, payload));

    private static string Print(IpSetMember member)
    {
        var words = new List<string>();
        if (member.Address is { } address)
        {
            words.Add(member.Length is { } length ? $"{address}/{length}" : $"{address}");
        }
        if (member.Port is { } port)
        {
            words.Add(member.Protocol is { } protocol ? $"{protocol}:{port}" : $"{port}");
        }
        if (member.Address2 is { } second)
        {
            words.Add(member.Length2 is { } length ? $"{second}/{length}" : $"{second}");
        }
        words.AddRange(from word in (string?[])[member.Mac?.ToString(), member.Device, member.Comment is { } comment ? $"\"{comment}\"" : null, member.IsException ? "but not" : null] where word is not null select word);
        return string.Join(' ', words);
    }
}
