using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;

namespace Plumb.Linux.Nftables.Language;

/// <summary>What connection tracking knows of the packet's connection.</summary>
public static class Ct
{
    /// <summary>How the packet stands to its connection: <see cref="ConntrackStates"/>.</summary>
    public static ConntrackField State { get; } = new(ConntrackKey.State);
    public static ConntrackField Direction { get; } = new(ConntrackKey.Direction);

    /// <summary>What has happened to the connection: <see cref="ConntrackStatuses"/>.</summary>
    public static ConntrackField Status { get; } = new(ConntrackKey.Status);
    public static ConntrackField Mark { get; } = new(ConntrackKey.Mark);
    public static ConntrackField Zone { get; } = new(ConntrackKey.Zone);
    public static ConntrackField Id { get; } = new(ConntrackKey.Id);

    /// <summary>Source as the first packet had it, before any rewrite.</summary>
    public static ConntrackField OriginalSource { get; } = new(ConntrackKey.SourceIp, ConntrackDirection.Original);

    /// <summary>Destination as the first packet had it: the Service's address.</summary>
    public static ConntrackField OriginalDestination { get; } = new(ConntrackKey.DestinationIp, ConntrackDirection.Original);
    public static ConntrackField OriginalDestination6 { get; } = new(ConntrackKey.DestinationIp6, ConntrackDirection.Original);
    public static ConntrackField OriginalSource6 { get; } = new(ConntrackKey.SourceIp6, ConntrackDirection.Original);
    public static ConntrackField OriginalDestinationPort { get; } = new(ConntrackKey.ProtocolDestination, ConntrackDirection.Original);
}

/// <summary>NF_CT_STATE_BIT of IP_CT_*.</summary>
[Flags]
public enum ConntrackStates : uint
{
    Invalid = 1,
    Established = 2,
    Related = 4,
    New = 8,
    Untracked = 64,
}

/// <summary>IPS_*, as far as rules ask.</summary>
[Flags]
public enum ConntrackStatuses : uint
{
    Expected = 1,
    SeenReply = 2,
    Assured = 4,
    Confirmed = 8,
    SourceNat = 16,
    DestinationNat = 32,
    Dying = 512,
}

/// <summary>One fact of <see cref="Ct"/>.</summary>
public sealed record ConntrackField(ConntrackKey Key, ConntrackDirection? Direction = null) : Selector
{
    private static readonly (string Name, DataType Type, int Bits, ByteOrder Order)[] _keys =
    [
        ("state", DataType.ConntrackState, 32, ByteOrder.Host), ("direction", DataType.ConntrackDirection, 8, ByteOrder.Host),
        ("status", DataType.ConntrackStatus, 32, ByteOrder.Host), ("mark", DataType.Mark, 32, ByteOrder.Host),
        ("secmark", DataType.Integer, 32, ByteOrder.Host), ("expiration", DataType.Time, 32, ByteOrder.Host),
        ("helper", DataType.Text, 128, ByteOrder.Host), ("l3proto", DataType.NetfilterProtocol, 8, ByteOrder.Host),
        ("saddr", DataType.Integer, 128, ByteOrder.Big), ("daddr", DataType.Integer, 128, ByteOrder.Big),
        ("protocol", DataType.IpProtocol, 8, ByteOrder.Big), ("proto-src", DataType.Port, 16, ByteOrder.Big),
        ("proto-dst", DataType.Port, 16, ByteOrder.Big), ("label", DataType.ConntrackLabel, 128, ByteOrder.Host),
        ("packets", DataType.Integer, 64, ByteOrder.Host), ("bytes", DataType.Integer, 64, ByteOrder.Host),
        ("avgpkt", DataType.Integer, 64, ByteOrder.Host), ("zone", DataType.Integer, 16, ByteOrder.Host),
        ("event", DataType.ConntrackEvent, 32, ByteOrder.Host), ("ip saddr", DataType.Ipv4Address, 32, ByteOrder.Big),
        ("ip daddr", DataType.Ipv4Address, 32, ByteOrder.Big), ("ip6 saddr", DataType.Ipv6Address, 128, ByteOrder.Big),
        ("ip6 daddr", DataType.Ipv6Address, 128, ByteOrder.Big), ("id", DataType.Integer, 32, ByteOrder.Big),
    ];

    private (string Name, DataType Type, int Bits, ByteOrder Order) Facts =>
        Knows(Key) ? _keys[(int)Key] : ($"key{(uint)Key}", DataType.Integer, 32, ByteOrder.Host);

    public override DataType Type => Facts.Type;

    public override int Bits => Facts.Bits;

    public override ByteOrder Order => Facts.Order;

    public override string Text => Direction switch
    {
        ConntrackDirection.Original => $"ct original {Facts.Name}",
        ConntrackDirection.Reply => $"ct reply {Facts.Name}",
        _ => $"ct {Facts.Name}",
    };

    internal static bool Knows(ConntrackKey key) => (uint)key < (uint)_keys.Length;

    public Statement Set(Value value) => new SetValueStatement(this, value, SetFrom);

    /// <summary>Sets it to what a selector gives.</summary>
    public Statement Set(Selector value) => new SetSelectorStatement(this, value, SetFrom);

    internal override void Load(RuleCompiler compiler, Register destination) =>
        compiler.Add(new ConntrackExpression(Key, destination) { Direction = Direction });

    private ConntrackExpression SetFrom(Register source) => new ConntrackExpression(Key, source, Sets: true) { Direction = Direction };
}
