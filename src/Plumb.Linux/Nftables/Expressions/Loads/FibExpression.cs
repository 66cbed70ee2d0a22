using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Loads;

/// <summary>What is asked of the routing table (NFT_FIB_RESULT_*).</summary>
public enum FibResult : uint
{
    OutputIndex = 1,
    OutputName = 2,

    /// <summary>RTN_*: local, unicast, broadcast …</summary>
    AddressType = 3,
}

/// <summary>By what it is asked (NFTA_FIB_F_*). <see cref="Present"/>: the answer is whether there is one.</summary>
[Flags]
public enum FibFlags : uint
{
    None = 0,
    SourceAddress = 1,
    DestinationAddress = 2,
    Mark = 4,
    InputInterface = 8,
    OutputInterface = 16,
    Present = 32,
}

/// <summary><c>fib</c>: asks the routing table about the packet.</summary>
public sealed record FibExpression(FibFlags Flags, FibResult Result, Register Destination) : Expression
{
    private const ushort NFTA_FIB_DREG = 1;
    private const ushort NFTA_FIB_RESULT = 2;
    private const ushort NFTA_FIB_FLAGS = 3;

    public override string Name => "fib";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_FIB_DREG, Destination);
        writer.Wire.U32BigEndian(NFTA_FIB_RESULT, (uint)Result);
        writer.Wire.U32BigEndian(NFTA_FIB_FLAGS, (uint)Flags);
    }

    internal static FibExpression? Read(AttributeReader attributes)
    {
        Register? destination = null;
        uint result = 0, flags = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_FIB_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_FIB_DREG");
                    break;
                case NFTA_FIB_RESULT:
                    result = attribute.U32BigEndian("NFTA_FIB_RESULT");
                    break;
                case NFTA_FIB_FLAGS:
                    flags = attribute.U32BigEndian("NFTA_FIB_FLAGS");
                    break;
                default:
                    return null;
            }
        }
        return destination is { } register ? new FibExpression((FibFlags)flags, (FibResult)result, register) : null;
    }
}
