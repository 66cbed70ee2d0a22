using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Statements;

/// <summary>What of a packet goes into the kernel's log (NF_LOG_*).</summary>
[Flags]
public enum LogFlags : uint
{
    None = 0,
    TcpSequence = 1,
    TcpOptions = 2,
    IpOptions = 4,
    UserId = 8,
    MacDecode = 32,
    All = TcpSequence | TcpOptions | IpOptions | UserId | MacDecode,
}

/// <summary><c>log</c>: to the kernel's log, or (with a group) to whoever listens by nfnetlink_log.</summary>
public sealed record LogExpression : Expression
{
    private const ushort NFTA_LOG_GROUP = 1;
    private const ushort NFTA_LOG_PREFIX = 2;
    private const ushort NFTA_LOG_SNAPLEN = 3;
    private const ushort NFTA_LOG_QTHRESHOLD = 4;
    private const ushort NFTA_LOG_LEVEL = 5;
    private const ushort NFTA_LOG_FLAGS = 6;

    /// <summary>LOG_WARNING</summary>
    public const uint DefaultLevel = 4;

    public override string Name => "log";

    public string? Prefix { get; init; }

    public ushort? Group { get; init; }

    /// <summary>How many bytes of the packet are copied; with a group only.</summary>
    public uint? SnapLengthBytes { get; init; }

    /// <summary>How many packets queue before they are sent; with a group only.</summary>
    public ushort? QueueThreshold { get; init; }

    /// <summary>syslog's levels, 0–7 (8: audit); the kernel reports <see cref="DefaultLevel"/> where none was stated.</summary>
    public uint? Level { get; init; }

    public LogFlags Flags { get; init; }

    internal override void WriteData(ExpressionWriter writer)
    {
        if (Prefix is { } prefix)
        {
            writer.Wire.Text(NFTA_LOG_PREFIX, prefix);
        }
        if (Group is { } group)
        {
            writer.Wire.U16BigEndian(NFTA_LOG_GROUP, group);
            writer.U32(NFTA_LOG_SNAPLEN, SnapLengthBytes);
            if (QueueThreshold is { } threshold)
            {
                writer.Wire.U16BigEndian(NFTA_LOG_QTHRESHOLD, threshold);
            }
        }
        else
        {
            writer.U32(NFTA_LOG_LEVEL, Level);
            if (Flags != LogFlags.None)
            {
                writer.Wire.U32BigEndian(NFTA_LOG_FLAGS, (uint)Flags);
            }
        }
    }

    internal static LogExpression? Read(AttributeReader attributes)
    {
        var log = new LogExpression();
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_LOG_GROUP:
                    log = log with { Group = attribute.U16BigEndian("NFTA_LOG_GROUP") };
                    break;
                case NFTA_LOG_PREFIX:
                    log = log with { Prefix = attribute.Text("NFTA_LOG_PREFIX") };
                    break;
                case NFTA_LOG_SNAPLEN:
                    log = log with { SnapLengthBytes = NotZero(attribute.U32BigEndian("NFTA_LOG_SNAPLEN")) };
                    break;
                case NFTA_LOG_QTHRESHOLD:
                    log = log with { QueueThreshold = (ushort?)NotZero(attribute.U16BigEndian("NFTA_LOG_QTHRESHOLD")) };
                    break;
                case NFTA_LOG_LEVEL:
                    var level = attribute.U32BigEndian("NFTA_LOG_LEVEL");
                    log = log with { Level = level == DefaultLevel ? null : level };
                    break;
                case NFTA_LOG_FLAGS:
                    log = log with { Flags = (LogFlags)attribute.U32BigEndian("NFTA_LOG_FLAGS") };
                    break;
                default:
                    return null;
            }
        }
        return log;
    }

    private static uint? NotZero(uint value) => value == 0 ? null : value;
}
