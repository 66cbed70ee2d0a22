using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;
using static Plumb.Linux.Nftables.Language.Statements;

namespace Plumb.Linux.Tests.Nftables;

public sealed class LanguageTests
{
    private static readonly NamespaceId _node = new("node-1");

    [Fact]
    public void A_masquerade_table_reads_as_if_typed()
    {
        var table = TableBuilder.Plumb(_node, TableFamily.Ip);
        var inside = table.Set("inside", SetFlags.Interval, DataType.Ipv4Address);
        Desired[] desired =
        [
            new(table.Table()),
            new(inside),
            new(inside.Element([IpPrefix.Parse("10.244.0.0/16")])),
            new(table.Base(
                "nat-postrouting", ChainType.Nat, ChainHook.Postrouting, ChainPriority.SourceNat,
                table.Rule(new Stamp("cluster CIDR"), Ip.Source.In(inside), Ip.Destination.NotIn(inside), Masquerade(NatFlags.FullyRandom)))),
        ];

        Assert.Equal(
            """
            table ip plumb {
            	set inside {
            		type ipv4_addr
            		flags interval
            		elements = { 10.244.0.0/16 }
            	}

            	chain nat-postrouting {
            		type nat hook postrouting priority srcnat; policy accept;
            		ip saddr @inside ip daddr != @inside masquerade fully-random comment "cluster CIDR"
            	}
            }

            """,
            RulesetText.Print(desired));
    }

    [Fact]
    public void A_value_of_another_type_is_refused_with_both_named()
    {
        var table = TableBuilder.Plumb(_node, TableFamily.Ip);
        var thrown = Assert.Throws<ArgumentException>(() => table.Rule(Ip.Source.Is(80), Accept));
        Assert.Equal("80 is not a value of type ipv4_addr (32 bits)", thrown.Message);
    }

    [Fact]
    public void A_prefix_in_a_set_without_intervals_is_refused()
    {
        var set = TableBuilder.Plumb(_node, TableFamily.Ip).Set("addresses", DataType.Ipv4Address);
        Assert.Throws<ArgumentException>(() => set.Element([IpPrefix.Parse("10.0.0.0/8")]));
    }

    [Fact]
    public void A_key_of_other_parts_than_the_set_has_is_refused()
    {
        var table = TableBuilder.Plumb(_node, TableFamily.Ip);
        var set = table.Set("ports", DataType.Port);
        Assert.Throws<ArgumentException>(() => table.Rule(Ip.Source.In(set), Accept));
    }

    [Fact]
    public void Keys_of_elements_are_in_nfts_words()
    {
        var frontends = TableBuilder.Plumb(_node, TableFamily.Ip).Map(
            "frontends", [Ip.Destination, Meta.L4Protocol, Th.DestinationPort], [Ct.Mark]);
        var element = frontends.Element([IpAddress.V4(10, 96, 0, 10), IpProtocol.Tcp, 53], [7]);
        Assert.Equal("ip plumb frontends 10.96.0.10 . tcp . 53", element.Key.Name);
        Assert.Equal("element ip plumb frontends { 10.96.0.10 . tcp . 53 : 0x00000007 }", element.Print());
    }
}
