using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Loads;

/// <summary>What the packet's route knows (NFT_RT_*).</summary>
public enum RouteKey : uint
{
    ClassId = 0,
    NextHop4 = 1,
    NextHop6 = 2,

    /// <summary>The largest TCP segment that the path takes, in bytes, host order, 16 bits.</summary>
    TcpMss = 3,
    Xfrm = 4,
}

/// <summary><c>rt</c>: loads a fact of the packet's route.</summary>
public sealed record RouteExpression(RouteKey Key, Register Destination) : Expression
{
    private const ushort NFTA_RT_DREG = 1;
    private const ushort NFTA_RT_KEY = 2;

    public override string Name => "rt";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Register(NFTA_RT_DREG, Destination);
        writer.Wire.U32BigEndian(NFTA_RT_KEY, (uint)Key);
    }

    internal static RouteExpression? Read(AttributeReader attributes)
    {
        Register? destination = null;
        RouteKey? key = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_RT_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_RT_DREG");
                    break;
                case NFTA_RT_KEY:
                    key = (RouteKey)attribute.U32BigEndian("NFTA_RT_KEY");
                    break;
                default:
                    return null;
            }
        }
        return key is { } known && destination is { } register ? new RouteExpression(known, register) : null;
    }
}
