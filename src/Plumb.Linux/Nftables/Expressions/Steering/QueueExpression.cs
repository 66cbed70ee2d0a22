using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Steering;

/// <summary>NFT_QUEUE_FLAG_*</summary>
[Flags]
public enum QueueFlags : ushort
{
    None = 0,

    /// <summary>Accept when nobody listens.</summary>
    Bypass = 1,

    /// <summary>Spread by processor, not by flow.</summary>
    CpuFanout = 2,
}

/// <summary><c>queue</c>: hands the packet to a program.</summary>
/// <param name="First">First of <paramref name="Count"/> queues; or the number is in <paramref name="Number"/>.</param>
public sealed record QueueExpression(ushort? First, ushort? Count, QueueFlags Flags, Register? Number) : Expression
{
    private const ushort NFTA_QUEUE_NUM = 1;
    private const ushort NFTA_QUEUE_TOTAL = 2;
    private const ushort NFTA_QUEUE_FLAGS = 3;
    private const ushort NFTA_QUEUE_SREG_QNUM = 4;

    public override string Name => "queue";

    internal override void WriteData(ExpressionWriter writer)
    {
        if (First is { } first)
        {
            writer.Wire.U16BigEndian(NFTA_QUEUE_NUM, first);
        }
        if (Count is { } count)
        {
            writer.Wire.U16BigEndian(NFTA_QUEUE_TOTAL, count);
        }
        if (Flags != QueueFlags.None)
        {
            writer.Wire.U16BigEndian(NFTA_QUEUE_FLAGS, (ushort)Flags);
        }
        writer.Register(NFTA_QUEUE_SREG_QNUM, Number);
    }

    internal static QueueExpression? Read(AttributeReader attributes)
    {
        ushort? first = null, count = null;
        var flags = QueueFlags.None;
        Register? number = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_QUEUE_NUM:
                    first = attribute.U16BigEndian("NFTA_QUEUE_NUM");
                    break;
                case NFTA_QUEUE_TOTAL:
                    count = attribute.U16BigEndian("NFTA_QUEUE_TOTAL");
                    break;
                case NFTA_QUEUE_FLAGS:
                    flags = (QueueFlags)attribute.U16BigEndian("NFTA_QUEUE_FLAGS");
                    break;
                case NFTA_QUEUE_SREG_QNUM:
                    number = ExpressionReader.Register(attribute, "NFTA_QUEUE_SREG_QNUM");
                    break;
                default:
                    return null;
            }
        }
        return new QueueExpression(first, count, flags, number);
    }
}
