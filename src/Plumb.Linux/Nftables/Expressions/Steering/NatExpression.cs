using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Steering;

/// <summary>NF_NAT_RANGE_*, as far as rules state them.</summary>
[Flags]
public enum NatFlags : uint
{
    None = 0,

    /// <summary>An address is given; the kernel sets it by itself when an address register is there.</summary>
    MapAddresses = 1,

    /// <summary>Ports are given.</summary>
    ProtocolSpecified = 2,
    Random = 4,
    Persistent = 8,
    FullyRandom = 16,

    /// <summary>NF_NAT_RANGE_NETMAP: the prefix is replaced, host bits stay.</summary>
    NetMap = 64,
}

/// <summary><c>nat</c>: rewrites source or destination. Address registers are in network order, port registers too.</summary>
/// <param name="Destination">dnat; else snat.</param>
/// <param name="Family">NFPROTO_* of the addresses.</param>
public sealed record NatExpression(bool Destination, TableFamily Family) : Expression
{
    private const ushort NFTA_NAT_TYPE = 1;
    private const ushort NFTA_NAT_FAMILY = 2;
    private const ushort NFTA_NAT_REG_ADDR_MIN = 3;
    private const ushort NFTA_NAT_REG_ADDR_MAX = 4;
    private const ushort NFTA_NAT_REG_PROTO_MIN = 5;
    private const ushort NFTA_NAT_REG_PROTO_MAX = 6;
    private const ushort NFTA_NAT_FLAGS = 7;

    public override string Name => "nat";

    public Register? Address { get; init; }

    /// <summary>Null: one address, not a range. The kernel gives the first register's number for both; that reads as null.</summary>
    public Register? AddressLast { get; init; }

    public Register? Port { get; init; }

    public Register? PortLast { get; init; }

    public NatFlags Flags { get; init; }

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U32BigEndian(NFTA_NAT_TYPE, Destination ? 1u : 0);
        writer.Wire.U32BigEndian(NFTA_NAT_FAMILY, (uint)Family);
        writer.Register(NFTA_NAT_REG_ADDR_MIN, Address);
        writer.Register(NFTA_NAT_REG_ADDR_MAX, AddressLast);
        writer.Register(NFTA_NAT_REG_PROTO_MIN, Port);
        writer.Register(NFTA_NAT_REG_PROTO_MAX, PortLast);
        if (Flags != NatFlags.None)
        {
            writer.Wire.U32BigEndian(NFTA_NAT_FLAGS, (uint)Flags);
        }
    }

    internal static NatExpression? Read(AttributeReader attributes)
    {
        uint type = 0, family = 0, flags = 0;
        Register? address = null, addressLast = null, port = null, portLast = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_NAT_TYPE:
                    type = attribute.U32BigEndian("NFTA_NAT_TYPE");
                    break;
                case NFTA_NAT_FAMILY:
                    family = attribute.U32BigEndian("NFTA_NAT_FAMILY");
                    break;
                case NFTA_NAT_REG_ADDR_MIN:
                    address = ExpressionReader.Register(attribute, "NFTA_NAT_REG_ADDR_MIN");
                    break;
                case NFTA_NAT_REG_ADDR_MAX:
                    addressLast = ExpressionReader.Register(attribute, "NFTA_NAT_REG_ADDR_MAX");
                    break;
                case NFTA_NAT_REG_PROTO_MIN:
                    port = ExpressionReader.Register(attribute, "NFTA_NAT_REG_PROTO_MIN");
                    break;
                case NFTA_NAT_REG_PROTO_MAX:
                    portLast = ExpressionReader.Register(attribute, "NFTA_NAT_REG_PROTO_MAX");
                    break;
                case NFTA_NAT_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_NAT_FLAGS");
                    break;
                default:
                    return null;
            }
        }
        // The kernel reports what follows from the registers as flags too; they are not part of what was asked.
        return new NatExpression(type == 1, (TableFamily)family)
        {
            Address = address,
            AddressLast = addressLast == address ? null : addressLast,
            Port = port,
            PortLast = portLast == port ? null : portLast,
            Flags = ((NatFlags)flags) & ~(NatFlags.MapAddresses | NatFlags.ProtocolSpecified),
        };
    }
}
