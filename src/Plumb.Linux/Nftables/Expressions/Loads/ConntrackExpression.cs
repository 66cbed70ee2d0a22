using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Loads;

/// <summary>What connection tracking knows of a packet's connection (NFT_CT_*).</summary>
public enum ConntrackKey : uint
{
    State = 0, Direction, Status, Mark, SecurityMark, Expiration, Helper, L3Protocol, Source, Destination, Protocol, ProtocolSource,
    ProtocolDestination, Labels, Packets, Bytes, AveragePacket, Zone, EventMask, SourceIp, DestinationIp, SourceIp6, DestinationIp6, Id,
}

/// <summary>IP_CT_DIR_*</summary>
public enum ConntrackDirection : byte
{
    Original = 0,
    Reply = 1,
}

/// <summary><c>ct</c>: loads a fact of the connection, or sets one from a register.</summary>
public sealed record ConntrackExpression(ConntrackKey Key, Register Register, bool Sets = false) : Expression
{
    private const ushort NFTA_CT_DREG = 1;
    private const ushort NFTA_CT_KEY = 2;
    private const ushort NFTA_CT_DIRECTION = 3;
    private const ushort NFTA_CT_SREG = 4;

    public override string Name => "ct";

    /// <summary>Only keys that differ by direction have one.</summary>
    public ConntrackDirection? Direction { get; init; }

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U32BigEndian(NFTA_CT_KEY, (uint)Key);
        writer.Register(Sets ? NFTA_CT_SREG : NFTA_CT_DREG, Register);
        if (Direction is { } direction)
        {
            writer.Wire.U8(NFTA_CT_DIRECTION, (byte)direction);
        }
    }

    internal static ConntrackExpression? Read(AttributeReader attributes)
    {
        ConntrackKey? key = null;
        ConntrackDirection? direction = null;
        Register? source = null, destination = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_CT_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_CT_DREG");
                    break;
                case NFTA_CT_KEY:
                    key = (ConntrackKey)attribute.U32BigEndian("NFTA_CT_KEY");
                    break;
                case NFTA_CT_DIRECTION:
                    direction = (ConntrackDirection)attribute.U8("NFTA_CT_DIRECTION");
                    break;
                case NFTA_CT_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_CT_SREG");
                    break;
                default:
                    return null;
            }
        }
        return key is { } known && (source ?? destination) is { } register
            ? new ConntrackExpression(known, register, source is not null) { Direction = direction }
            : null;
    }
}
