using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Snapshots.Redaction;

/// <summary>An address among bytes.</summary>
/// <param name="At">Its first byte.</param>
/// <param name="Bytes">4 of IPv4, 16 of IPv6, 6 of hardware.</param>
/// <param name="Bits">How many of its first bits are there; the others are zero.</param>
internal readonly record struct LoadedAddress(int At, int Bytes, int Bits);

/// <summary>Which bytes of a rule's registers are addresses, expression by expression. Several fields of a header may come by one load.</summary>
internal sealed class LoadedAddresses(TableFamily family)
{
    private const int MostBytes = 16;
    private const int V4 = 4;
    private const int V6 = 16;
    private const int Mac = 6;

    private static readonly (int Offset, int Bytes)[] InIpv4 = [(12, V4), (16, V4)];
    private static readonly (int Offset, int Bytes)[] InIpv6 = [(8, V6), (24, V6)];
    private static readonly (int Offset, int Bytes)[] InArp = [(8, Mac), (14, V4), (18, Mac), (24, V4)];
    private static readonly (int Offset, int Bytes)[] InEthernet = [(0, Mac), (6, Mac)];

    private readonly Dictionary<int, LoadedAddress> _held = [];

    /// <summary>What stands there, counted from the register's first byte.</summary>
    public List<LoadedAddress> At(Register register, int bytes)
    {
        var first = register.Slot * Register.SlotBytes;
        return [.. _held.Values.Where(one => one.At >= first && one.At < first + bytes).Select(one => one with { At = one.At - first })];
    }

    /// <summary>What a register that the expression writes holds from here on.</summary>
    public void Run(Expression expression)
    {
        switch (expression)
        {
            case PayloadExpression { Writes: null } load:
                Write(load.Register, (int)load.LengthBytes, Fields(load, family));
                break;
            case ConntrackExpression { Sets: false } load:
                Write(load.Register, MostBytes, load.Key switch
                {
                    ConntrackKey.SourceIp or ConntrackKey.DestinationIp => [Whole(V4)],
                    ConntrackKey.SourceIp6 or ConntrackKey.DestinationIp6 => [Whole(V6)],
                    ConntrackKey.Source or ConntrackKey.Destination => [Whole(family == TableFamily.Ip6 ? V6 : V4)],
                    _ => [],
                });
                break;
            case RouteExpression load:
                Write(load.Destination, MostBytes, load.Key switch { RouteKey.NextHop4 => [Whole(V4)], RouteKey.NextHop6 => [Whole(V6)], _ => [] });
                break;
            case BitwiseExpression bits:
                Write(bits.Destination, (int)bits.LengthBytes, bits.Operation == BitwiseOperation.MaskXor ? Networks(bits) : []);
                break;
            case ImmediateExpression { Verdict: null } immediate:
                Write(immediate.Destination, immediate.Value.Length, []);
                break;
            case ByteOrderExpression order:
                Write(order.Destination, (int)order.LengthBytes, []);
                break;
            default:
                if (Written(expression) is { IsVerdict: false } register)
                {
                    // How much of it is written is known to the kernel: another address that a rule keeps is not so near.
                    Write(register, 1, []);
                }
                break;
        }
    }

    /// <summary>Whether what a register holds becomes an address of packets: the first expression that reads it or writes another value there says so.</summary>
    public static bool IsSentTo(Register register, ValueList<Expression> all, int from, TableFamily family)
    {
        for (var at = from; at < all.Count; at++)
        {
            var isSent = all[at] switch
            {
                NatExpression nat => nat.Address == register || nat.AddressLast == register,
                TransparentProxyExpression proxy => proxy.Address == register,
                DuplicateExpression copy => copy.Address == register,
                ForwardExpression forward => forward.Address == register,
                PayloadExpression { Writes: not null } write when write.Register == register => Fields(write, family) is [{ At: 0 } only] && only.Bytes == write.LengthBytes,
                _ => false,
            };
            if (isSent)
            {
                return true;
            }
            if ((Written(all[at]) ?? (all[at] as PayloadExpression)?.Register) == register)
            {
                return false;
            }
        }
        return false;
    }

    private static LoadedAddress Whole(int bytes) => new(0, bytes, bytes * 8);

    // The register that any expression writes; null: it writes none.
    private static Register? Written(Expression expression) => expression switch
    {
        PayloadExpression { Writes: null } load => load.Register,
        ConntrackExpression { Sets: false } load => load.Register,
        MetaExpression { Sets: false } load => load.Register,
        ExtensionExpression { Action: ExtensionAction.Load or ExtensionAction.Test } load => load.Register,
        RouteExpression load => load.Destination,
        FibExpression load => load.Destination,
        SocketExpression load => load.Destination,
        HashExpression load => load.Destination,
        NumberGeneratorExpression load => load.Destination,
        BitwiseExpression computed => computed.Destination,
        ByteOrderExpression computed => computed.Destination,
        ImmediateExpression immediate => immediate.Destination,
        LookupExpression lookup => lookup.Destination,
        _ => null,
    };

    private void Write(Register register, int bytes, List<LoadedAddress> addresses)
    {
        var first = register.Slot * Register.SlotBytes;
        foreach (var over in _held.Values.Where(one => one.At < first + bytes && first < one.At + one.Bytes).ToList())
        {
            _held.Remove(over.At);
        }
        foreach (var address in addresses)
        {
            _held[first + address.At] = address with { At = first + address.At };
        }
    }

    private static List<LoadedAddress> Fields(PayloadExpression load, TableFamily family)
    {
        var (offset, bytes) = ((int)load.OffsetBytes, (int)load.LengthBytes);
        var fields = load.Base switch
        {
            PayloadBase.LinkLayer => InEthernet,
            PayloadBase.Network => Network(family, offset),
            _ => [],
        };
        return [.. fields.Where(field => field.Offset >= offset && field.Offset < offset + bytes)
            .Select(field => new LoadedAddress(field.Offset - offset, field.Bytes, Math.Min(field.Bytes, offset + bytes - field.Offset) * 8))];
    }

    // A table of several families says by its rules before which one it is: where they begin to load tells as much.
    private static (int Offset, int Bytes)[] Network(TableFamily family, int offset) => family switch
    {
        TableFamily.Ip => InIpv4,
        TableFamily.Ip6 => InIpv6,
        TableFamily.Arp => InArp,
        _ => offset is > 8 and < 24 ? InIpv4 : InIpv6,
    };

    // What remains of addresses under a mask of leading ones; under others nothing is one.
    private List<LoadedAddress> Networks(BitwiseExpression bits)
    {
        var mask = bits.Mask.Span;
        var xor = bits.Xor.Span;
        var networks = new List<LoadedAddress>();
        foreach (var address in At(bits.Source, mask.Length))
        {
            var bytes = Math.Min(address.Bytes, mask.Length - address.At);
            if (Ones(mask.Slice(address.At, bytes)) is { } ones && (address.At >= xor.Length || xor[address.At..Math.Min(xor.Length, address.At + bytes)].IndexOfAnyExcept((byte)0) < 0))
            {
                networks.Add(address with { Bits = Math.Min(address.Bits, ones) });
            }
        }
        return networks;
    }

    private static int? Ones(ReadOnlySpan<byte> mask)
    {
        var (ones, ended) = (0, false);
        foreach (var octet in mask)
        {
            var leading = byte.LeadingZeroCount((byte)~octet);
            if ((ended && octet != 0) || int.PopCount(octet) != leading)
            {
                return null;
            }
            ended = leading < 8;
            ones += leading;
        }
        return ones;
    }
}
