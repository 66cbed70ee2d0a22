using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;

namespace Plumb.Linux.Nftables.Language;

/// <summary>What the kernel knows of a packet besides its bytes.</summary>
public static class Meta
{
    public static MetaField Length { get; } = MetaField.Of(MetaKey.Length);
    public static MetaField Protocol { get; } = MetaField.Of(MetaKey.Protocol);
    public static MetaField Priority { get; } = MetaField.Of(MetaKey.Priority);
    public static MetaField Mark { get; } = MetaField.Of(MetaKey.Mark);
    public static MetaField InputIndex { get; } = MetaField.Of(MetaKey.InputIndex);
    public static MetaField OutputIndex { get; } = MetaField.Of(MetaKey.OutputIndex);
    public static MetaField InputName { get; } = MetaField.Of(MetaKey.InputName);
    public static MetaField OutputName { get; } = MetaField.Of(MetaKey.OutputName);
    public static MetaField InputType { get; } = MetaField.Of(MetaKey.InputType);
    public static MetaField UserId { get; } = MetaField.Of(MetaKey.UserId);
    public static MetaField GroupId { get; } = MetaField.Of(MetaKey.GroupId);

    /// <summary>Set to 1: the kernel tells listeners each rule that the packet meets.</summary>
    public static MetaField Trace { get; } = MetaField.Of(MetaKey.Trace);
    public static MetaField NetfilterProtocol { get; } = MetaField.Of(MetaKey.NetfilterProtocol);

    /// <summary>TCP, UDP …, found behind IPv6's extension headers too.</summary>
    public static MetaField L4Protocol { get; } = MetaField.Of(MetaKey.L4Protocol);
    public static MetaField PacketType { get; } = MetaField.Of(MetaKey.PacketType);
    public static MetaField Cgroup { get; } = MetaField.Of(MetaKey.Cgroup);
    public static MetaField Random { get; } = MetaField.Of(MetaKey.Random);
}

/// <summary>One fact of <see cref="Meta"/>; all can be read, some set.</summary>
public sealed record MetaField : Selector
{
    private static readonly (string Name, DataType Type, int Bits)[] _keys =
    [
        ("meta length", DataType.Integer, 32), ("meta protocol", DataType.EthernetType, 16), ("meta priority", DataType.ClassId, 32),
        ("meta mark", DataType.Mark, 32), ("iif", DataType.InterfaceIndex, 32), ("oif", DataType.InterfaceIndex, 32),
        ("iifname", DataType.InterfaceName, 128), ("oifname", DataType.InterfaceName, 128), ("meta iiftype", DataType.InterfaceType, 16),
        ("meta oiftype", DataType.InterfaceType, 16), ("meta skuid", DataType.UserId, 32), ("meta skgid", DataType.GroupId, 32),
        ("meta nftrace", DataType.Integer, 1), ("meta rtclassid", DataType.Realm, 32), ("meta secmark", DataType.Integer, 32),
        ("meta nfproto", DataType.NetfilterProtocol, 8), ("meta l4proto", DataType.IpProtocol, 8),
        ("meta ibrname", DataType.InterfaceName, 128), ("meta obrname", DataType.InterfaceName, 128),
        ("meta pkttype", DataType.PacketType, 8), ("meta cpu", DataType.Integer, 32), ("iifgroup", DataType.DeviceGroup, 32),
        ("oifgroup", DataType.DeviceGroup, 32), ("meta cgroup", DataType.Integer, 32), ("meta random", DataType.Integer, 32),
        ("meta ipsec", DataType.Boolean, 8), ("meta iifkind", DataType.InterfaceName, 128), ("meta oifkind", DataType.InterfaceName, 128),
        ("meta ibrpvid", DataType.Integer, 16), ("meta ibrvproto", DataType.EthernetType, 16), ("meta time", DataType.Date, 64),
        ("meta day", DataType.Day, 8), ("meta hour", DataType.Hour, 32), ("meta sdif", DataType.InterfaceIndex, 32),
        ("meta sdifname", DataType.InterfaceName, 128),
    ];

    private MetaField(MetaKey key) => Key = key;

    public MetaKey Key { get; }

    public override DataType Type => _keys[(int)Key].Type;

    public override int Bits => _keys[(int)Key].Bits;

    // Numbers of the wire stay in its order; of protocols one byte has none, and nft calls it host order.
    public override ByteOrder Order => Key is MetaKey.Protocol or MetaKey.BridgeInputVlanProtocol or MetaKey.Random ? ByteOrder.Big : ByteOrder.Host;

    public override string Text => _keys[(int)Key].Name;

    public static MetaField Of(MetaKey key) =>
        Knows(key) ? new MetaField(key) : throw new ArgumentOutOfRangeException(nameof(key), $"meta key {(uint)key} has no name here");

    internal static bool Knows(MetaKey key) => (uint)key < (uint)_keys.Length;

    public Statement Set(Value value) => new SetValueStatement(this, value, SetFrom);

    /// <summary>Sets it to what a selector gives.</summary>
    public Statement Set(Selector value) => new SetSelectorStatement(this, value, SetFrom);

    internal override void Load(RuleCompiler compiler, Register destination) => compiler.Add(new MetaExpression(Key, destination));

    private MetaExpression SetFrom(Register source) => new MetaExpression(Key, source, Sets: true);
}
