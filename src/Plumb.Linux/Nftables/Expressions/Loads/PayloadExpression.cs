using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Loads;

/// <summary>From where an offset into a packet counts (NFT_PAYLOAD_*).</summary>
public enum PayloadBase : uint
{
    LinkLayer = 0,
    Network = 1,
    Transport = 2,
    Inner = 3,
    Tunnel = 4,
}

/// <summary>Which checksum the kernel mends after a write (NFT_PAYLOAD_CSUM_*; offset in bytes from the base).</summary>
/// <param name="Pseudo">NFT_PAYLOAD_L4CSUM_PSEUDOHDR: the transport's checksum covers the changed bytes too.</param>
public readonly record struct PayloadChecksum(uint Type, uint OffsetBytes, bool Pseudo);

/// <summary><c>payload</c>: loads bytes of the packet, or writes them from a register. Bytes stay as they are on the wire.</summary>
public sealed record PayloadExpression(PayloadBase Base, uint OffsetBytes, uint LengthBytes, Register Register) : Expression
{
    private const ushort NFTA_PAYLOAD_DREG = 1;
    private const ushort NFTA_PAYLOAD_BASE = 2;
    private const ushort NFTA_PAYLOAD_OFFSET = 3;
    private const ushort NFTA_PAYLOAD_LEN = 4;
    private const ushort NFTA_PAYLOAD_SREG = 5;
    private const ushort NFTA_PAYLOAD_CSUM_TYPE = 6;
    private const ushort NFTA_PAYLOAD_CSUM_OFFSET = 7;
    private const ushort NFTA_PAYLOAD_CSUM_FLAGS = 8;

    public override string Name => "payload";

    /// <summary>Present when the expression writes to the packet.</summary>
    public PayloadChecksum? Writes { get; init; }

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(Writes is null ? NFTA_PAYLOAD_DREG : NFTA_PAYLOAD_SREG, Register);
        writer.Wire.U32BigEndian(NFTA_PAYLOAD_BASE, (uint)Base);
        writer.Wire.U32BigEndian(NFTA_PAYLOAD_OFFSET, OffsetBytes);
        writer.Wire.U32BigEndian(NFTA_PAYLOAD_LEN, LengthBytes);
        if (Writes is { } checksum)
        {
            writer.Wire.U32BigEndian(NFTA_PAYLOAD_CSUM_TYPE, checksum.Type);
            writer.Wire.U32BigEndian(NFTA_PAYLOAD_CSUM_OFFSET, checksum.OffsetBytes);
            writer.Wire.U32BigEndian(NFTA_PAYLOAD_CSUM_FLAGS, checksum.Pseudo ? 1u : 0);
        }
    }

    internal static PayloadExpression? Read(AttributeReader attributes)
    {
        Register? source = null, destination = null;
        uint? start = null, offset = null, length = null;
        uint type = 0, checksumOffset = 0, flags = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_PAYLOAD_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_PAYLOAD_DREG");
                    break;
                case NFTA_PAYLOAD_BASE:
                    start = attribute.U32BigEndian("NFTA_PAYLOAD_BASE");
                    break;
                case NFTA_PAYLOAD_OFFSET:
                    offset = attribute.U32BigEndian("NFTA_PAYLOAD_OFFSET");
                    break;
                case NFTA_PAYLOAD_LEN:
                    length = attribute.U32BigEndian("NFTA_PAYLOAD_LEN");
                    break;
                case NFTA_PAYLOAD_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_PAYLOAD_SREG");
                    break;
                case NFTA_PAYLOAD_CSUM_TYPE:
                    type = attribute.U32BigEndian("NFTA_PAYLOAD_CSUM_TYPE");
                    break;
                case NFTA_PAYLOAD_CSUM_OFFSET:
                    checksumOffset = attribute.U32BigEndian("NFTA_PAYLOAD_CSUM_OFFSET");
                    break;
                case NFTA_PAYLOAD_CSUM_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_PAYLOAD_CSUM_FLAGS");
                    break;
                default:
                    return null;
            }
        }
        return start is { } from && offset is { } at && length is { } bytes && (source ?? destination) is { } register && flags <= 1
            ? new PayloadExpression((PayloadBase)from, at, bytes, register)
            {
                Writes = source is null ? null : new PayloadChecksum(type, checksumOffset, flags == 1),
            }
            : null;
    }
}
