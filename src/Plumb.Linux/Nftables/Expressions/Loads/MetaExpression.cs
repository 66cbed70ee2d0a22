using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Loads;

/// <summary>What the kernel knows of a packet besides its bytes (NFT_META_*).</summary>
public enum MetaKey : uint
{
    Length = 0, Protocol, Priority, Mark, InputIndex, OutputIndex, InputName, OutputName, InputType, OutputType, UserId, GroupId,
    Trace, RouteClass, SecurityMark, NetfilterProtocol, L4Protocol, BridgeInputName, BridgeOutputName, PacketType, Cpu, InputGroup, OutputGroup,
    Cgroup, Random, SecurityPath, InputKind, OutputKind, BridgeInputPvid, BridgeInputVlanProtocol, TimeNanoseconds, TimeDay, TimeHour,
    SlaveDevice, SlaveDeviceName,
}

/// <summary>
/// <c>meta</c>: loads a fact into a register (NFTA_META_DREG), or sets one from it (NFTA_META_SREG). All values are in host order.
/// </summary>
public sealed record MetaExpression(MetaKey Key, Register Register, bool Sets = false) : Expression
{
    private const ushort NFTA_META_DREG = 1;
    private const ushort NFTA_META_KEY = 2;
    private const ushort NFTA_META_SREG = 3;

    public override string Name => "meta";

    internal override void WriteData(ExpressionWriter writer)
    {
        writer.Wire.U32BigEndian(NFTA_META_KEY, (uint)Key);
        writer.Register(Sets ? NFTA_META_SREG : NFTA_META_DREG, Register);
    }

    internal static MetaExpression? Read(AttributeReader attributes)
    {
        MetaKey? key = null;
        Register? source = null, destination = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_META_DREG:
                    destination = ExpressionReader.Register(attribute, "NFTA_META_DREG");
                    break;
                case NFTA_META_KEY:
                    key = (MetaKey)attribute.U32BigEndian("NFTA_META_KEY");
                    break;
                case NFTA_META_SREG:
                    source = ExpressionReader.Register(attribute, "NFTA_META_SREG");
                    break;
                default:
                    return null;
            }
        }
        return key is { } known && (source ?? destination) is { } register ? new MetaExpression(known, register, source is not null) : null;
    }
}
