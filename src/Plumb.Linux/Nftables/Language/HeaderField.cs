using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;

namespace Plumb.Linux.Nftables.Language;

/// <summary>Headers by nft's numbers, which it writes into a set's userdata for <c>typeof</c>.</summary>
public enum Header : uint
{
    Raw = 0,
    Ah = 1,
    Esp = 2,
    Comp = 3,
    Icmp = 4,
    Igmp = 5,
    Udp = 6,
    UdpLite = 7,
    Tcp = 8,
    Dccp = 9,
    Sctp = 10,
    Transport = 11,
    Ip = 12,
    Ip6 = 13,
    Icmpv6 = 14,
    Arp = 15,
    Vlan = 16,
    Ethernet = 17,
}

/// <summary>A field of a packet's header, in network order.</summary>
/// <param name="Template">nft's number of the field within its header, for <c>typeof</c>.</param>
/// <param name="OffsetBits">From the beginning of the header.</param>
public sealed record HeaderField(Header Header, uint Template, string Name, int OffsetBits, int WidthBits, DataType DataType) : Selector
{
    public override DataType Type => DataType;

    public override int Bits => WidthBits;

    public override ByteOrder Order => ByteOrder.Big;

    public override string Text => Name;

    public PayloadBase Base => Header switch
    {
        Header.Ethernet or Header.Vlan => PayloadBase.LinkLayer,
        Header.Ip or Header.Ip6 or Header.Arp => PayloadBase.Network,
        _ => PayloadBase.Transport,
    };

    /// <summary>Bits that a load brings along below the field.</summary>
    internal int ShiftBits => (8 - ((OffsetBits + WidthBits) % 8)) % 8;

    internal int LoadBytes => ((OffsetBits % 8) + WidthBits + 7) / 8;

    internal bool IsWholeBytes => OffsetBits % 8 == 0 && WidthBits % 8 == 0;

    internal override void Require(RuleCompiler compiler) => compiler.Require(Header);

    internal override void Load(RuleCompiler compiler, Register destination)
    {
        LoadUnshifted(compiler, destination);
        if (!IsWholeBytes && ShiftBits > 0)
        {
            var shift = Octets.From((uint)ShiftBits, 4, ByteOrder.Host);
            compiler.Add(new BitwiseExpression(
                destination, destination, (uint)LoadBytes, BitwiseOperation.ShiftRight, default, default, shift));
        }
    }

    /// <summary>The bytes that hold the field, other bits cleared.</summary>
    internal void LoadUnshifted(RuleCompiler compiler, Register destination)
    {
        compiler.Add(new PayloadExpression(Base, (uint)OffsetBits / 8, (uint)LoadBytes, destination));
        if (!IsWholeBytes)
        {
            var mask = ((UInt128.One << WidthBits) - 1) << ShiftBits;
            compiler.Add(BitwiseExpression.MaskXor(
                destination, Octets.From(mask, LoadBytes, ByteOrder.Big), Octets.From(0, LoadBytes, ByteOrder.Big)));
        }
    }
}
