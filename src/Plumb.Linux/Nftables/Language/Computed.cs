using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;

namespace Plumb.Linux.Nftables.Language;

/// <summary>Numbers that the kernel makes for a packet.</summary>
public static class Number
{
    /// <summary>0 … <paramref name="modulus"/> − 1 at random.</summary>
    public static Selector Random(uint modulus, uint offset = 0) => new NumberGenerator(NumberSource.Random, modulus, offset);

    /// <summary>0 … <paramref name="modulus"/> − 1 in turn.</summary>
    public static Selector Increment(uint modulus, uint offset = 0) => new NumberGenerator(NumberSource.Increment, modulus, offset);

    /// <summary>0 … <paramref name="modulus"/> − 1, the same for equal values of <paramref name="of"/>.</summary>
    public static Selector Hash(Selector of, uint modulus, uint? seed = null, uint offset = 0) => new HashSelector(of, modulus, seed, offset);

    /// <summary>0 … <paramref name="modulus"/> − 1, the same for all packets of a flow in both directions.</summary>
    public static Selector SymmetricHash(uint modulus, uint offset = 0) => new HashSelector(null, modulus, null, offset);
}

/// <summary><c>numgen</c></summary>
public sealed record NumberGenerator(NumberSource Source, uint Modulus, uint Offset) : Selector
{
    public override DataType Type => DataType.Integer;

    public override int Bits => 32;

    public override ByteOrder Order => ByteOrder.Host;

    public override string Text =>
        $"numgen {(Source == NumberSource.Random ? "random" : "inc")} mod {Modulus}{(Offset == 0 ? "" : $" offset {Offset}")}";

    internal override void Load(RuleCompiler compiler, Register destination) =>
        compiler.Add(new NumberGeneratorExpression(Source, Modulus, Offset, destination));
}

/// <summary><c>jhash</c> of a selector, or <c>symhash</c> of the flow.</summary>
public sealed record HashSelector(Selector? Of, uint Modulus, uint? Seed, uint Offset) : Selector
{
    public override DataType Type => DataType.Integer;

    public override int Bits => 32;

    public override ByteOrder Order => ByteOrder.Host;

    public override string Text =>
        (Of is null ? "symhash" : $"jhash {Of.Text}")
        + $" mod {Modulus}{(Seed is { } seed ? $" seed 0x{seed:x}" : "")}{(Offset == 0 ? "" : $" offset {Offset}")}";

    internal override void Require(RuleCompiler compiler) => Of?.Require(compiler);

    internal override void Load(RuleCompiler compiler, Register destination)
    {
        (Register, uint)? source = null;
        if (Of is not null)
        {
            var register = RuleCompiler.NextWide(destination, Bytes);
            Of.Load(compiler, register);
            source = (register, (uint)Of.Bytes);
        }
        compiler.Add(new HashExpression(Modulus, Offset, destination) { Of = source, Seed = Seed });
    }
}

/// <summary>What the routing table says of the packet.</summary>
public static class Fib
{
    /// <summary>Whether the destination is this node's, a broadcast address …: <see cref="FibAddressType"/>.</summary>
    public static Selector DestinationType { get; } = new FibField(FibFlags.DestinationAddress, FibResult.AddressType);

    public static Selector SourceType { get; } = new FibField(FibFlags.SourceAddress, FibResult.AddressType);

    /// <summary>Whether there is a way back to the source by the device that the packet came in by.</summary>
    public static Selector ReversePath { get; } =
        new FibField(FibFlags.SourceAddress | FibFlags.InputInterface | FibFlags.Present, FibResult.OutputIndex);
}

/// <summary>RTN_*</summary>
public enum FibAddressType : uint
{
    Unspecified = 0,
    Unicast = 1,
    Local = 2,
    Broadcast = 3,
    Anycast = 4,
    Multicast = 5,
    Blackhole = 6,
    Unreachable = 7,
    Prohibit = 8,
}

/// <summary><c>fib</c></summary>
public sealed record FibField(FibFlags Flags, FibResult Result) : Selector
{
    private static readonly (FibFlags Flag, string Name)[] _names =
    [
        (FibFlags.SourceAddress, "saddr"), (FibFlags.DestinationAddress, "daddr"), (FibFlags.Mark, "mark"),
        (FibFlags.InputInterface, "iif"), (FibFlags.OutputInterface, "oif"),
    ];

    public override DataType Type => (Flags & FibFlags.Present) != 0 ? DataType.Boolean : Result switch
    {
        FibResult.AddressType => DataType.FibAddressType,
        FibResult.OutputName => DataType.InterfaceName,
        _ => DataType.InterfaceIndex,
    };

    public override int Bits => (Flags & FibFlags.Present) != 0 ? 8 : Result == FibResult.OutputName ? 128 : 32;

    public override ByteOrder Order => ByteOrder.Host;

    public override string Text =>
        "fib " + string.Join(" . ", _names.Where(name => (Flags & name.Flag) != 0).Select(name => name.Name)) + Result switch
        {
            FibResult.AddressType => " type",
            FibResult.OutputName => " oifname",
            _ => " oif",
        };

    internal override void Load(RuleCompiler compiler, Register destination) => compiler.Add(new FibExpression(Flags, Result, destination));
}

/// <summary>The local socket that a packet belongs to.</summary>
public static class LocalSocket
{
    /// <summary>1 if it has IP_TRANSPARENT.</summary>
    public static Selector Transparent { get; } = new SocketField(SocketKey.Transparent);

    public static Selector Mark { get; } = new SocketField(SocketKey.Mark);

    /// <summary>1 if it is bound to every address.</summary>
    public static Selector Wildcard { get; } = new SocketField(SocketKey.Wildcard);
}

/// <summary><c>socket</c></summary>
public sealed record SocketField(SocketKey Key, uint? Level = null) : Selector
{
    public override DataType Type => Key switch
    {
        SocketKey.Mark => DataType.Mark,
        SocketKey.Cgroup2 => DataType.Cgroup2,
        _ => DataType.Integer,
    };

    public override int Bits => Key switch
    {
        SocketKey.Mark => 32,
        SocketKey.Cgroup2 => 64,
        _ => 8,
    };

    public override ByteOrder Order => ByteOrder.Host;

    public override string Text => Key switch
    {
        SocketKey.Transparent => "socket transparent",
        SocketKey.Mark => "socket mark",
        SocketKey.Wildcard => "socket wildcard",
        _ => $"socket cgroupv2 level {Level}",
    };

    internal override void Load(RuleCompiler compiler, Register destination) => compiler.Add(new SocketExpression(Key, destination, Level));
}

/// <summary><c>rt</c>: facts of the packet's route.</summary>
public sealed record RouteField(RouteKey Key) : Selector
{
    /// <summary>The largest TCP segment that the path takes, in bytes.</summary>
    public static RouteField TcpMss { get; } = new(RouteKey.TcpMss);

    public override DataType Type => Key switch
    {
        RouteKey.ClassId => DataType.Realm,
        RouteKey.NextHop4 => DataType.Ipv4Address,
        RouteKey.NextHop6 => DataType.Ipv6Address,
        _ => DataType.Integer,
    };

    public override int Bits => Key switch
    {
        RouteKey.NextHop6 => 128,
        RouteKey.TcpMss => 16,
        _ => 32,
    };

    public override ByteOrder Order => Key is RouteKey.NextHop4 or RouteKey.NextHop6 ? ByteOrder.Big : ByteOrder.Host;

    public override string Text => Key switch
    {
        RouteKey.ClassId => "rt classid",
        RouteKey.NextHop4 => "rt ip nexthop",
        RouteKey.NextHop6 => "rt ip6 nexthop",
        RouteKey.TcpMss => "rt mtu",
        _ => "rt ipsec",
    };

    internal override void Load(RuleCompiler compiler, Register destination) => compiler.Add(new RouteExpression(Key, destination));
}
