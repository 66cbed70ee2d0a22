using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Loads;

/// <summary>Which kind of header extension (NFT_EXTHDR_OP_*).</summary>
public enum ExtensionKind : uint
{
    Ipv6 = 0,
    TcpOption = 1,
    Ipv4Option = 2,
    SctpChunk = 3,
    DccpOption = 4,
}

/// <summary>What is done with it.</summary>
public enum ExtensionAction : byte
{
    Load,

    /// <summary>NFT_EXTHDR_F_PRESENT: loads 1 if it is there, else 0.</summary>
    Test,

    /// <summary>Writes it from a register.</summary>
    Write,

    /// <summary>Overwrites a TCP option with NOPs; there is no register.</summary>
    Reset,
}

/// <summary><c>exthdr</c>: an IPv6 extension header, TCP or IP option, SCTP chunk of the given type; offset and length in bytes.</summary>
public sealed record ExtensionExpression(
    ExtensionKind Kind, ExtensionAction Action, byte Type, uint OffsetBytes, uint LengthBytes, Register Register) : Expression
{
    private const ushort NFTA_EXTHDR_DREG = 1;
    private const ushort NFTA_EXTHDR_TYPE = 2;
    private const ushort NFTA_EXTHDR_OFFSET = 3;
    private const ushort NFTA_EXTHDR_LEN = 4;
    private const ushort NFTA_EXTHDR_FLAGS = 5;
    private const ushort NFTA_EXTHDR_OP = 6;
    private const ushort NFTA_EXTHDR_SREG = 7;
    private const uint NFT_EXTHDR_F_PRESENT = 1;

    public override string Name => "exthdr";

    internal override void WriteData(ExpressionWriter writer)
    {
        if (Action is ExtensionAction.Load or ExtensionAction.Test)
        {
            writer.Register(NFTA_EXTHDR_DREG, Register);
        }
        else if (Action == ExtensionAction.Write)
        {
            writer.Register(NFTA_EXTHDR_SREG, Register);
        }
        writer.Wire.U8(NFTA_EXTHDR_TYPE, Type);
        writer.Wire.U32BigEndian(NFTA_EXTHDR_OFFSET, OffsetBytes);
        writer.Wire.U32BigEndian(NFTA_EXTHDR_LEN, LengthBytes);
        if (Action == ExtensionAction.Test)
        {
            writer.Wire.U32BigEndian(NFTA_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT); // refused, even as 0, of a write
        }
        writer.Wire.U32BigEndian(NFTA_EXTHDR_OP, (uint)Kind);
    }

    internal static ExtensionExpression? Read(AttributeReader attributes)
    {
        Register? source = null, destination = null;
        byte type = 0;
        uint offset = 0, length = 0, flags = 0, kind = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_EXTHDR_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_EXTHDR_DREG");
                    break;
                case NFTA_EXTHDR_TYPE:
                    type = attribute.U8("NFTA_EXTHDR_TYPE");
                    break;
                case NFTA_EXTHDR_OFFSET:
                    offset = attribute.U32BigEndian("NFTA_EXTHDR_OFFSET");
                    break;
                case NFTA_EXTHDR_LEN:
                    length = attribute.U32BigEndian("NFTA_EXTHDR_LEN");
                    break;
                case NFTA_EXTHDR_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_EXTHDR_FLAGS");
                    break;
                case NFTA_EXTHDR_OP:
                    kind = attribute.U32BigEndian("NFTA_EXTHDR_OP");
                    break;
                case NFTA_EXTHDR_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_EXTHDR_SREG");
                    break;
                default:
                    return null;
            }
        }
        if (flags > NFT_EXTHDR_F_PRESENT)
        {
            return null;
        }
        var action = source is not null ? ExtensionAction.Write
            : destination is null ? ExtensionAction.Reset
            : flags == NFT_EXTHDR_F_PRESENT ? ExtensionAction.Test : ExtensionAction.Load;
        return new ExtensionExpression((ExtensionKind)kind, action, type, offset, length, source ?? destination ?? default);
    }
}
