using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Diagnosis.Snapshots.Redaction;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Expressions.Xtables;
using Plumb.Linux.State;
using Plumb.Linux.Json;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Tests.Snapshots;

/// <summary>Line by line: what is replaced, and what must not be.</summary>
public sealed class RedactionTests
{
    private static readonly byte[] Key = new byte[Redaction.KeyBytes];
    private static readonly NamespaceId Node = new("node-1");
    private static readonly Register First = Register.At(0);
    private static readonly AddressMask Mask = new(Key);

    [Fact]
    public void A_register_that_holds_something_else_holds_no_address()
    {
        var name = new Octets(Encoding.ASCII.GetBytes("eth0".PadRight(16, '\0')));
        var mark = new Octets([10, 2, 3, 4]);
        foreach (var load in (Expression[])
            [
                new MetaExpression(MetaKey.InputName, First), new RouteExpression(RouteKey.ClassId, First), new SocketExpression(SocketKey.Mark, First),
                new FibExpression(FibFlags.DestinationAddress, FibResult.AddressType, First), new HashExpression(7, 0, First), new NumberGeneratorExpression(NumberSource.Random, 7, 0, First),
                new ByteOrderExpression(First, First, false, 4, 4), new ImmediateExpression(First, mark), new LookupExpression(new NamedSet("some"), First, First),
                new ConntrackExpression(ConntrackKey.Mark, First), new PayloadExpression(PayloadBase.Transport, 0, 2, First), new ExtensionExpression(ExtensionKind.TcpOption, ExtensionAction.Load, 2, 0, 4, First),
            ])
        {
            var (longer, same) = (new CompareExpression(First, Comparison.Equal, name), new CompareExpression(First, Comparison.Equal, mark));
            var masked = Of(TableFamily.Ip, Source(1), new CompareExpression(First, Comparison.Equal, new Octets([10])), load, longer, same);
            Assert.Equal([longer, same], masked[3..]);
        }
    }

    [Fact]
    public void A_mark_that_is_set_beside_a_translation_stays()
    {
        var mark = new ImmediateExpression(First, new Octets([10, 2, 3, 4]));
        var masked = Of(
            TableFamily.Ip, mark, new MetaExpression(MetaKey.Mark, First, Sets: true), new ImmediateExpression(First, V4("10.2.3.4")), new NatExpression(true, TableFamily.Ip) { Address = First });
        Assert.Equal(mark, masked[0]);
        Assert.Equal(Masked("10.2.3.4"), ((ImmediateExpression)masked[2]).Value);
    }

    [Fact]
    public void Addresses_that_one_load_brings_are_replaced_each()
    {
        var both = new Octets([.. V4("10.2.3.4").Span, .. V4("10.9.8.7").Span]);
        var masked = Of(TableFamily.Inet, Source(8), new CompareExpression(First, Comparison.Equal, both));
        Assert.Equal(new Octets([.. Masked("10.2.3.4").Span, .. Masked("10.9.8.7").Span]), ((CompareExpression)masked[1]).Value);
        var hardware = MacAddress.Parse("0a:58:0a:f4:01:02");
        var ethernet = Of(TableFamily.Bridge, new PayloadExpression(PayloadBase.LinkLayer, 6, 6, First), new CompareExpression(First, Comparison.Equal, Bytes(hardware)));
        Assert.Equal(Bytes(Mask.Of(hardware)), ((CompareExpression)ethernet[1]).Value);
    }

    [Fact]
    public void A_network_is_replaced_as_far_as_it_reaches()
    {
        var masked = Of(
            TableFamily.Ip, Source(4), BitwiseExpression.MaskXor(First, new Octets([255, 255, 240, 0]), new Octets(new byte[4])), new CompareExpression(First, Comparison.Equal, V4("10.244.16.0")));
        Assert.Equal(new Octets(Mask.Of(IpPrefix.Parse("10.244.16.0/20")).Address.ToBytes()), ((CompareExpression)masked[2]).Value);
    }

    [Fact]
    public void Nothing_is_left_of_what_rules_bring_along()
    {
        var secret = new Octets("10.2.3.4 is secret"u8);
        var masked = Of(
            TableFamily.Ip, new LogExpression { Prefix = "secret: " }, new XtMatchExpression("comment", 0, secret), new XtTargetExpression("DNAT", 2, secret), new UnknownExpression("xfrm", new Octets([8, 0, 1, 0, 10, 2, 3, 4])),
            new ObjectReferenceExpression(ObjectKind.Counter, "website"));
        Assert.Equal("log ", ((LogExpression)masked[0]).Prefix);
        Assert.Equal(new XtMatchExpression("comment", 0, new Octets(new byte[secret.Length])), masked[1]);
        Assert.Equal(new XtTargetExpression("DNAT", 2, new Octets(new byte[secret.Length])), masked[2]);
        Assert.DoesNotContain("10", string.Join(' ', Assert.IsType<UnknownExpression>(masked[3]).Data.Span.ToArray()), StringComparison.Ordinal);
        var counter = (ObjectEntry)Of(ObjectEntry.Counter(Node, new TableId(TableFamily.Ip, "t"), "website"));
        Assert.NotEqual("website", counter.Name);
        Assert.Equal(counter.Name, ((ObjectReferenceExpression)masked[4]).ObjectName);
    }

    [Theory]
    [InlineData("10.2.3.4", "10.2.3.4")]
    [InlineData("::ffff:10.2.3.4", "::ffff:10.2.3.4")]
    [InlineData("fd:10.2.3.4:80", "10.2.3.4")]
    [InlineData("a:b:10.2.3.4", "10.2.3.4")]
    public void An_IPv4_address_is_the_same_within_one_of_IPv6(string text, string was)
    {
        var (address, other) = (IpAddress.Parse(was), Mask.Of(IpAddress.Parse(was)));
        Assert.Equal(Mask.Of(IpAddress.Parse("10.2.3.4")).Number, other.Number & uint.MaxValue);
        Assert.Equal(text.Replace(address.ToString(), other.ToString(), StringComparison.Ordinal), (string?)Of($$"""{"missing":"{{text}}"}""")["missing"]);
        Assert.NotEqual(address, other);
    }

    [Fact]
    public void Filters_look_for_the_other_addresses()
    {
        var filter = new FilterEntry(Node, "eth0", TrafficHook.Ingress, 1)
        {
            Protocol = EtherType.IPv4,
            Rules = [new FilterRule([new(12, 0x0a020304, 0xffffffff), new(16, 0x0af40000, 0xffff0000), new(8, 0x0a020304, 0xffffffff)], [])],
        };
        var keys = ((FilterEntry)Of(filter)).Rules!.Value[0].Keys;
        Assert.Equal((uint)Mask.Of(IpAddress.Parse("10.2.3.4")).Number, keys[0].Value);
        Assert.Equal((uint)Mask.Of(IpPrefix.Parse("10.244.0.0/16")).Address.Number, keys[1].Value);
        Assert.Equal(0x0a020304u, keys[2].Value);
    }

    [Fact]
    public void The_labs_name_is_one()
    {
        var header = Of("""{"plumb-snapshot":{"format":1,"name":"acme","network":{"overlay":"Vxlan","services":"Nftables"}}}""")["plumb-snapshot"]!;
        Assert.NotEqual("acme", (string?)header["name"]);
        Assert.Equal("Vxlan", (string?)header["network"]!["overlay"]);
    }

    [Fact]
    public void Labels_are_replaced_whatever_their_keys_are()
    {
        var subject = Of("""
            {"object":{"kind":"Deployment","metadata":{"name":"website","labels":{"type":"acme","image":"acme","entry":"acme","messages":"acme","annotations":"acme","website":"acme"}},
            "spec":{"selector":{"matchLabels":{"kind":"acme"},"matchExpressions":[{"key":"website","operator":"In","values":["acme"]}]},"template":{"spec":{"nodeSelector":{"phase":"acme"}}}}}}
            """)["object"]!;
        Assert.DoesNotContain("acme", subject.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("website", subject.ToJsonString(), StringComparison.Ordinal);
        Assert.Single(((JsonObject)subject["metadata"]!["labels"]!).Select(static label => (string?)label.Value).Distinct());
        Assert.Equal((string?)subject["metadata"]!["labels"]!["type"], (string?)subject["spec"]!["selector"]!["matchLabels"]!["kind"]);
        Assert.Equal("In", (string?)subject["spec"]!["selector"]!["matchExpressions"]![0]!["operator"]);
    }

    [Fact]
    public void What_people_tell_programs_is_left_out()
    {
        var subject = Of("""
            {"object":{"kind":"Pod","metadata":{"name":"website","annotations":{"service.kubernetes.io/topology-mode":"Auto","kubernetes.io/change-cause":"secret","acme.com/token":"secret"}},
            "spec":{"containers":[{"livenessProbe":{"httpGet":{"path":"/secret","port":80,"httpHeaders":[{"name":"X","value":"secret"}]}}}],"csi":{"volumeAttributes":{"share":"secret"}},
            "webhooks":[{"clientConfig":{"url":"https://secret/","caBundle":"secret"}},{"clientConfig":{"service":{"name":"website","path":"/secret"}}}]}}}
            """)["object"]!;
        Assert.DoesNotContain("secret", subject.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("""{"service.kubernetes.io/topology-mode":"Auto"}""", subject["metadata"]!["annotations"]!.ToJsonString());
        Assert.Equal("/", (string?)subject["spec"]!["containers"]![0]!["livenessProbe"]!["httpGet"]!["path"]);
    }

    private static PayloadExpression Source(uint bytes) => new(PayloadBase.Network, 12, bytes, First);

    private static Octets V4(string address) => new(IpAddress.Parse(address).ToBytes());

    private static Octets Masked(string address) => new(Mask.Of(IpAddress.Parse(address)).ToBytes());

    private static Octets Bytes(MacAddress mac)
    {
        var bytes = new byte[MacAddress.ByteLength];
        mac.WriteBytes(bytes);
        return new Octets(bytes);
    }

    private static Expression[] Of(TableFamily family, params Expression[] rule) =>
        ((ChainEntry)Of(new ChainEntry(Node, new TableId(family, "t"), "input") { Rules = [new Rule([.. rule])] })).Rules[0].Expressions.AsSpan().ToArray();

    private static Entry Of(Entry entry) =>
        StateJson.ReadEntry(Of($$"""{"in":"node-1","entries":[{"entry":{{StateJson.Print(entry)}},"owner":"Foreign"}]}""")["entries"]![0]!["entry"]!.ToJsonString());

    /// <summary>One line of a network in which there is a Service called website.</summary>
    private static JsonObject Of(string line)
    {
        using var file = new MemoryStream();
        using var redacted = new MemoryStream();
        using (var gzip = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes("""{"object":{"kind":"Service","metadata":{"name":"website"}}}""" + "\n" + line.ReplaceLineEndings("") + "\n"));
        }
        Redaction.Write(file, redacted, Key);
        redacted.Position = 0;
        using var text = new StreamReader(new GZipStream(redacted, CompressionMode.Decompress));
        return (JsonObject)JsonNode.Parse(text.ReadToEnd().TrimEnd('\n').Split('\n')[1])!;
    }
}
