using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Ipset;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>Rules of iptables, one by one, over a packet that matches and one that just does not.</summary>
public sealed class IptablesRuleTests
{
    private static readonly NamespaceId _node = new("node-1");

    private static readonly IpSet[] _sets =
    [
        new("empty", "hash:ip") { Family = IpFamily.V4 },
        new("addresses", "hash:ip") { Family = IpFamily.V4, Members = [new() { Address = IpAddress.V4(10, 1, 0, 1) }] },
        new("services", "hash:ip,port") { Family = IpFamily.V4, Members = [new() { Address = IpAddress.V4(10, 2, 0, 1), Protocol = Packet.Tcp, Port = 80 }] },
        new("networks", "hash:net")
        {
            Family = IpFamily.V4,
            Members = [new() { Address = IpAddress.V4(10, 0, 0, 0), Length = 8 }, new() { Address = IpAddress.V4(10, 2, 0, 1), IsException = true }],
        },
        new("both", "list:set") { Members = [new() { Set = "empty" }, new() { Set = "addresses" }] },
    ];

    // 10.1.0.1:40000 -> 10.2.0.1:80, a SYN that came in by eth0 and leaves by cni0, mark 0x4001
    [Theory]
    [InlineData("-s 10.1.0.0/24", true)]
    [InlineData("! -s 10.1.0.0/24", false)]
    [InlineData("-s 10.1.1.0/24", false)]
    [InlineData("-d 10.0.0.1/255.0.0.255", true)]
    [InlineData("-i eth0", true)]
    [InlineData("-i eth", false)]
    [InlineData("-i eth+", true)]
    [InlineData("! -i eth+", false)]
    [InlineData("-o eth0", false)]
    [InlineData("-p tcp -m tcp --dport 80", true)]
    [InlineData("-p tcp -m tcp --dport 79:80", true)]
    [InlineData("-p tcp -m tcp ! --dport 80", false)]
    [InlineData("-p tcp -m tcp --dport 81", false)]
    [InlineData("-p udp -m udp --dport 80", false)]
    [InlineData("! -p udp", true)]
    [InlineData("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", true)]
    [InlineData("-p tcp -m tcp --tcp-flags SYN,ACK ACK", false)]
    [InlineData("-p tcp -m multiport --dports 22,80,8000:8080", true)]
    [InlineData("-p tcp -m multiport ! --dports 22,80", false)]
    [InlineData("-m mark --mark 0x4000/0x4000", true)]
    [InlineData("-m mark ! --mark 0x4000/0x4000", false)]
    [InlineData("-m mark --mark 0x4000", false)]
    [InlineData("-m connmark --mark 0x7", true)]
    [InlineData("-m conntrack --ctstate NEW,RELATED", true)]
    [InlineData("-m conntrack --ctstate INVALID", false)]
    [InlineData("-m conntrack ! --ctstate DNAT", true)]
    [InlineData("-m conntrack --ctdir ORIGINAL", true)]
    [InlineData("-m conntrack --ctorigdst 10.2.0.1/32 --ctorigdstport 80", true)]
    [InlineData("-m addrtype --dst-type LOCAL", false)]
    [InlineData("-m addrtype ! --src-type LOCAL --limit-iface-in", true)]
    [InlineData("-m comment --comment \"with -j DROP inside\"", true)]
    [InlineData("-m limit --limit 1/sec", true)]
    [InlineData("-m recent --rcheck --seconds 10800 --reap --name WHO --mask 255.255.255.255 --rsource", true)]
    [InlineData("-m recent --rcheck --name OTHERS --rsource", false)]
    [InlineData("-m recent --set --name OTHERS --mask 255.255.255.255 --rsource", true)]
    [InlineData("-m length --length 50:70", true)]
    [InlineData("-m ttl --ttl-lt 64", false)]
    [InlineData("! -p udp -m owner ! --uid-owner 1337", true)] // nobody here sent it
    [InlineData("-m owner --uid-owner 0-9999", false)]
    [InlineData("-m set --match-set addresses src", true)]
    [InlineData("-m set ! --match-set addresses src", false)]
    [InlineData("-m set --match-set addresses dst", false)]
    [InlineData("-m set --match-set services dst,dst", true)]
    [InlineData("-m set --match-set services dst,src", false)]
    [InlineData("-m set --match-set networks src", true)]
    [InlineData("-m set --match-set networks dst", false)] // but for one address
    [InlineData("-m set --match-set both dst", false)]
    [InlineData("-m set --match-set both src", true)]
    [InlineData("-m set --match-set empty src", false)]
    [InlineData("-m physdev --physdev-in veth1", true)]
    [InlineData("-m physdev --physdev-in veth+", true)]
    [InlineData("-m physdev --physdev-is-bridged", false)] // it will be routed
    [InlineData("-m physdev ! --physdev-is-bridged", true)]
    public void A_rule_matches_what_it_says(string matches, bool drops) =>
        Assert.Equal(drops ? Decision.Drop : Decision.Accept, Run($"{matches} -j DROP").Decision);

    [Fact]
    public void What_is_not_known_decides_nothing_and_is_named_unless_something_else_says_no()
    {
        var undecided = Run("-m set --match-set cluster src -j DROP");
        Assert.Equal(Decision.Undecided, undecided.Decision);
        Assert.Contains("'set'", Assert.Single(undecided.Steps).What, StringComparison.Ordinal);
        Assert.Equal(Decision.Accept, Run("-m set --match-set cluster src -m mark --mark 0x1 -j DROP").Decision);
        Assert.Equal(Decision.Undecided, Run("-j SYNPROXY --mss 1460").Decision);
    }

    [Theory]
    [InlineData("-m connmark --mark 0x7")]
    [InlineData("-m connmark ! --mark 0x7")]
    [InlineData("-m conntrack ! --ctdir REPLY")]
    [InlineData("-m conntrack ! --ctorigdst 10.9.0.0/16")]
    public void Of_no_connection_nothing_is_true_nor_its_opposite(string matches)
    {
        var programs = new HookPrograms(IptablesSave.Read($"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD {matches} -j DROP\nCOMMIT\n", IpFamily.V4, _node), _node);
        var packet = new Packet(IpAddress.V4(10, 1, 0, 1), IpAddress.V4(10, 2, 0, 1), Packet.Tcp);
        var outcome = Assert.Single(Assert.Single(programs.At(IpFamily.V4, ChainHook.Forward)).Run(packet, null, new HookPlace(_node, ChainHook.Forward, "eth0", "cni0")));
        Assert.Equal(Decision.Accept, outcome.Decision);
    }

    [Theory]
    [InlineData("MARK --set-xmark 0x10/0xff", 0x4010u)]
    [InlineData("MARK --set-xmark 0x4000/0x0", 0x1u)]
    [InlineData("CONNMARK --restore-mark --nfmask 0xf --ctmask 0xf", 0x4007u)]
    public void A_mark_is_set_through_its_mask(string target, uint mark) => Assert.Equal(mark, Run($"-j {target}").Packet.Mark);

    [Fact]
    public void A_random_rule_and_the_rules_behind_it_share_what_there_is()
    {
        var outcomes = All(
            """
            *nat
            :PREROUTING ACCEPT [0:0]
            :POOL - [0:0]
            -A PREROUTING -d 10.2.0.1/32 -p tcp -m tcp --dport 80 -j POOL
            -A POOL -m statistic --mode random --probability 0.33333333349 -j DNAT --to-destination 10.3.0.1:8080
            -A POOL -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination 10.3.0.2:8080
            -A POOL -p tcp -j DNAT --to-destination 10.3.0.3
            COMMIT

            """,
            ChainHook.Prerouting);
        Assert.Equal(["10.3.0.1:8080", "10.3.0.2:8080", "10.3.0.3:80"], outcomes.Select(static o => $"{o.Packet.Destination}:{o.Packet.DestinationPort}").Order(StringComparer.Ordinal));
        Assert.All(outcomes, static outcome =>
        {
            Assert.Equal(1.0 / 3, outcome.Probability, 6);
            Assert.True(outcome.Connection!.DestinationDecided);
            Assert.Equal("jump POOL", outcome.Steps[0].What);
        });
    }

    [Fact]
    public void A_chain_in_which_nothing_happened_leaves_no_step_and_a_goto_does_not_come_back()
    {
        var outcome = Assert.Single(All(
            """
            *filter
            :FORWARD DROP [0:0]
            :IDLE - [0:0]
            :AWAY - [0:0]
            -A FORWARD -j IDLE
            -A FORWARD -g AWAY
            -A FORWARD -j ACCEPT
            -A IDLE -s 10.9.0.0/16 -j DROP
            -A AWAY -s 10.9.0.0/16 -j ACCEPT
            COMMIT

            """,
            ChainHook.Forward));
        Assert.Equal(Decision.Drop, outcome.Decision);
        Assert.Equal(["goto AWAY", "drop by policy"], outcome.Steps.Select(static step => step.What));
        Assert.Equal(2ul, outcome.Steps[0].Handle);
    }

    private static HookOutcome Run(string rule) => Assert.Single(All($"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD {rule}\nCOMMIT\n", ChainHook.Forward));

    private static IReadOnlyList<HookOutcome> All(string saved, ChainHook hook)
    {
        var programs = new HookPrograms(IptablesSave.Read(saved, IpFamily.V4, _node), _node);
        var packet = new Packet(IpAddress.V4(10, 1, 0, 1), IpAddress.V4(10, 2, 0, 1), Packet.Tcp)
        {
            SourcePort = 40000, DestinationPort = 80, Flags = TcpFlags.Syn, Mark = 0x4001,
        };
        var place = new HookPlace(_node, hook, "eth0", hook == ChainHook.Forward ? "cni0" : null)
        {
            Fib = static address => new FibAnswer(1, null),
            Bridged = new BridgedFacts("veth1", null),
            Sets = static name => _sets.FirstOrDefault(set => set.Name == name),
            Recent = static (list, address) => list == "WHO" && address == IpAddress.V4(10, 1, 0, 1),
        };
        return Assert.Single(programs.At(IpFamily.V4, hook)).Run(packet, Hooks.New(packet) with { Mark = new ConnectionMark(7) }, place);
    }
}
