using FsCheck;
using FsCheck.Fluent;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Tests.Wire;

public sealed class NameTests
{
    private static readonly Arbitrary<byte[]> Names = Arb.From(
        from labels in Gen.ListOf(from length in Gen.Choose(1, 63) from bytes in Gen.ArrayOf(Gen.Choose(0, 255), length) select bytes)
        select Wire([.. labels.Select(static label => label.Select(static b => (byte)b).ToArray())]));

    [Fact]
    public void Text_of_any_name_reads_back_as_the_same_name() => Prop.ForAll(Names, static wire =>
    {
        var name = DomainName.FromWire(wire);
        return DomainName.TryParse(name.ToString(), out var again) && again.Wire.SequenceEqual(wire);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Letters_and_nothing_else_are_read_in_lower_case() => Prop.ForAll(Names, static wire =>
    {
        Span<byte> lower = stackalloc byte[255];
        var length = WireName.ReadPlain(wire, 0, lower);
        byte[] expected = [.. wire.Select(static b => b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b + 0x20) : b)];
        return lower[..length].SequenceEqual(expected) && WireName.EqualsIgnoringCase(wire, lower[..length]);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_name_reads_the_same_with_and_without_the_code_for_compression() => Prop.ForAll(Names, static wire =>
    {
        Span<byte> plain = stackalloc byte[255];
        Span<byte> whole = stackalloc byte[255];
        byte[] message = [1, 2, 3, .. wire, 4];
        return WireName.ReadPlain(message, 3, plain) == wire.Length
            && WireName.Expand(message, 3, whole, out var next) == wire.Length
            && next == 3 + wire.Length
            && WireName.Skip(message, 3) == next
            && whole[..wire.Length].SequenceEqual(wire)
            && WireName.EqualsIgnoringCase(plain[..wire.Length], wire);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_bytes_are_a_name_or_not() => Prop.ForAll<byte[], int>(static (bytes, offset) =>
    {
        Span<byte> to = stackalloc byte[255];
        var at = Math.Abs(offset % (bytes.Length + 1));
        var plain = WireName.ReadPlain(bytes, at, to);
        var whole = WireName.Expand(bytes, at, to, out _);
        return plain is >= 0 and <= 255 && whole is >= 0 and <= 255 && (plain == 0 || whole == plain);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(new byte[] { 0xc0, 0 })] // itself
    [InlineData(new byte[] { 1, 97, 0xc0, 0 })] // its own beginning
    [InlineData(new byte[] { 0xc0, 2, 0xc0, 0 })] // each other
    [InlineData(new byte[] { 0xc0, 9, 0, 0 })] // forwards
    [InlineData(new byte[] { 0x80, 0, 0 })] // neither length nor pointer
    [InlineData(new byte[] { 0xc0 })]
    [InlineData(new byte[] { 3, 97, 98 })]
    public void A_pointer_leads_back_or_nowhere(byte[] bytes)
    {
        Span<byte> to = stackalloc byte[255];
        Assert.Equal(0, WireName.Expand(bytes, 0, to, out _));
    }

    [Fact]
    public void Pointers_that_lead_back_are_followed()
    {
        byte[] message = [3, .. "com"u8, 0, 7, .. "example"u8, 0xc0, 0, 3, .. "www"u8, 0xc0, 5, 99];
        Span<byte> to = stackalloc byte[255];
        var length = WireName.Expand(message, 15, to, out var next);
        Assert.Equal("www.example.com.", DomainName.FromWire(to[..length]).ToString());
        Assert.Equal(message.Length - 1, next);
    }

    [Theory]
    [InlineData("website.default.svc.cluster.local", true)]
    [InlineData("website.default.svc.cluster.local.", true)]
    [InlineData(".", true)]
    [InlineData("*.example.com", true)]
    [InlineData(@"a\.b.example.com", true)]
    [InlineData("", false)]
    [InlineData("..", false)]
    [InlineData(".a", false)]
    [InlineData("a..b", false)]
    [InlineData("a b", false)]
    [InlineData("ä.example", false)]
    [InlineData(@"a\", false)]
    [InlineData(@"\256", false)]
    public void Text_is_a_name_or_not(string text, bool isName) => Assert.Equal(isName, DomainName.TryParse(text, out _));

    [Fact]
    public void Labels_have_63_bytes_and_names_255()
    {
        Assert.True(DomainName.TryParse(new string('a', 63), out _));
        Assert.False(DomainName.TryParse(new string('a', 64), out _));
        var longest = string.Join('.', Enumerable.Repeat("a", 127));
        Assert.True(DomainName.TryParse(longest, out var name));
        Assert.Equal(255, name.Wire.Length);
        Assert.True(DomainName.TryParse(longest + ".", out _));
        Assert.False(DomainName.TryParse(longest + ".a", out _));
        Assert.Null(name.Under(DomainName.Parse("b")));
    }

    [Fact]
    public void A_name_is_within_another_at_the_edge_of_a_label_only()
    {
        var domain = DomainName.Parse("cluster.local");
        Assert.True(DomainName.Parse("a.Cluster.LOCAL").IsWithin(domain));
        Assert.True(domain.IsWithin(domain));
        Assert.True(domain.IsWithin(DomainName.Root));
        Assert.False(DomainName.Parse("mycluster.local").IsWithin(domain));
        Assert.False(DomainName.Parse("local").IsWithin(domain));
    }

    private static byte[] Wire(List<byte[]> labels)
    {
        var wire = new List<byte>();
        foreach (var label in labels)
        {
            if (wire.Count + label.Length + 2 <= 255)
            {
                wire.AddRange([(byte)label.Length, .. label]);
            }
        }
        return [.. wire, 0];
    }
}
