using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.Rtnetlink;

public sealed class RoundTripTests
{
    [Fact]
    public void Every_kind_of_message_has_samples_of_both_directions()
    {
        var types = Sample.All().Select(s => s.Type).Distinct().Order();

        Assert.Equal([16, 20, 24, 28, 32], types.Where(t => t != RtnetlinkTypes.RTM_SETLINK).Select(t => (int)t));
        Assert.Contains(Sample.All(), s => s.File.StartsWith("request-", StringComparison.Ordinal));
    }

    [Fact]
    public void What_was_parsed_is_written_so_that_it_parses_to_the_same()
    {
        foreach (var sample in Sample.All())
        {
            var message = sample.Parse();

            var again = Sample.Parse(sample.Type, Sample.Emit(message, sample.Type));

            Assert.True(message.Equals(again), $"{sample}:\n{message}\n{again}");
        }
    }

    // The order of attributes has no meaning, in nests neither, and the nested bit (0x80) is often forgotten: the bytes are compared in order of size.
    [Fact]
    public void No_attribute_of_a_request_is_lost_or_added()
    {
        foreach (var sample in Sample.All().Where(s => s.File.StartsWith("request-", StringComparison.Ordinal)))
        {
            var emitted = Sample.Emit(sample.Parse(), sample.Type);

            Assert.True(Attributes(sample.Type, sample.Payload).SequenceEqual(Attributes(sample.Type, emitted)),
                $"{sample}\n{Convert.ToHexStringLower(sample.Payload)}\n{Convert.ToHexStringLower(emitted)}");
        }
    }

    [Fact]
    public void Every_sample_cut_anywhere_parses_or_gives_the_one_typed_exception()
    {
        var refused = 0;
        foreach (var sample in Sample.All())
        {
            for (var length = 0; length < sample.Payload.Length; length++)
            {
                try
                {
                    Sample.Parse(sample.Type, sample.Payload[..length]);
                }
                catch (NetlinkDecodeException exception)
                {
                    Assert.NotEmpty(exception.What);
                    refused++;
                }
            }
        }
        Assert.True(refused > 1000, $"only {refused} cuts were refused");
    }

    [Fact]
    public void Whatever_byte_is_changed_no_other_exception_leaves_a_parser()
    {
        var samples = Sample.All().ToArray();
        var changes = from sample in Gen.Elements(samples)
                      from position in Gen.Choose(0, sample.Payload.Length - 1)
                      from value in Gen.Choose(0, 255)
                      select (sample, position, value);

        Prop.ForAll(changes.ToArbitrary(), change =>
        {
            var bytes = change.sample.Payload.ToArray();
            bytes[change.position] = (byte)change.value;
            try
            {
                Sample.Parse(change.sample.Type, bytes);
            }
            catch (NetlinkDecodeException)
            {
                // the one that may
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Fact]
    public void A_veth_request_names_both_ends()
    {
        var link = (LinkMessage)Sample.Of("request-link-veth").Parse();

        Assert.Equal(("veth0", "veth", "veth1", "0a:58:0a:f4:01:05"),
            (link.Name, link.Info!.Kind, link.Info.VethPeer!.Name, link.Info.VethPeer.Mac.ToString()));
    }

    [Fact]
    public void A_vxlan_request_has_its_number_port_and_address()
    {
        var vxlan = ((LinkMessage)Sample.Of("request-link-vxlan").Parse()).Info!.Vxlan!;

        Assert.Equal((1u, (ushort)8472, IpAddress.Parse("10.244.1.1"), false), (vxlan.Id, vxlan.Port, vxlan.Local, vxlan.Learning));
    }

    [Fact]
    public void A_multipath_request_has_its_hops_with_weights()
    {
        var route = (RouteMessage)Sample.Of("request-route-multipath").Parse();

        Assert.Equal<(string, int, uint?, uint?)>(("10.9.0.0/16", 112, 7, 1400), (route.Destination.ToString(), route.Protocol.Number, route.Priority, route.MtuBytes));
        Assert.Equal([("10.244.1.7", 2, 0u), ("10.244.1.8", 1, RouteHop.RTNH_F_ONLINK)], route.Hops.Select(h => (h.Gateway.ToString(), h.Weight, h.Flags)));
    }

    [Fact]
    public void A_gateway_of_the_other_family_is_read()
    {
        var route = (RouteMessage)Sample.Of("request-route-via-other-family").Parse();

        Assert.Equal(IpAddress.Parse("fe80::1"), Assert.Single(route.Hops).Gateway);
    }

    [Fact]
    public void A_rule_request_has_its_selectors()
    {
        var rule = (RuleMessage)Sample.Of("request-rule").Parse();

        Assert.Equal(("10.1.0.0/16", new FirewallMark(0x10, 0xff), "br0", 1000u, 500u),
            (rule.Source.ToString(), rule.Mark, rule.InputDevice, rule.Table.Number, rule.Priority));
    }

    [Fact]
    public void A_table_beyond_255_is_read_from_its_attribute()
    {
        var route = (RouteMessage)Sample.Of("request-route-blackhole").Parse();

        Assert.Equal((RouteType.Blackhole, new RouteTable(1000)), (route.Type, route.Table));
    }

    private static List<string> Attributes(ushort type, ReadOnlySpan<byte> payload)
    {
        var header = type switch
        {
            RtnetlinkTypes.RTM_NEWLINK or RtnetlinkTypes.RTM_SETLINK => 16,
            RtnetlinkTypes.RTM_NEWADDR => 8,
            _ => 12,
        };
        var list = new List<string> { Convert.ToHexString(payload[..header]) };
        foreach (var a in new AttributeReader(payload[header..], "test"))
        {
            var bytes = a.Value.ToArray().Select(b => b == 0x80 ? (byte)0 : b).Order();
            list.Add($"{a.Type}: {Convert.ToHexString(bytes.ToArray())}");
        }
        list.Sort(StringComparer.Ordinal);
        return list;
    }
}
