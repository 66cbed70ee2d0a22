using System.Buffers.Binary;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>Arithmetic and comparison of registers (nft_bitwise, nft_byteorder, nft_cmp, nft_range, nft_immediate).</summary>
internal static class Operations
{
    public static void Immediate(ImmediateExpression immediate, Machine machine)
    {
        if (immediate.Verdict is { } verdict)
        {
            machine.Verdict = verdict;
        }
        else
        {
            machine.Registers.Set(immediate.Destination, immediate.Value.Span);
        }
    }

    public static void Bitwise(BitwiseExpression bitwise, Machine machine)
    {
        var length = (int)bitwise.LengthBytes;
        var (registers, padded) = (machine.Registers, (length + 3) & ~3);
        Span<byte> values = stackalloc byte[padded];
        Span<byte> unknown = stackalloc byte[padded];
        registers.Values(bitwise.Source, padded).CopyTo(values);
        registers.Unknown(bitwise.Source, padded).CopyTo(unknown);
        if (bitwise.Operation == BitwiseOperation.MaskXor)
        {
            ReadOnlySpan<byte> mask = bitwise.Mask.Span, xor = bitwise.Xor.Span;
            for (var i = 0; i < length && i < mask.Length; i++)
            {
                values[i] = (byte)((values[i] & mask[i]) ^ (i < xor.Length ? xor[i] : 0));
                unknown[i] &= mask[i];
            }
        }
        else
        {
            var bits = BitConverter.ToInt32(bitwise.Shift.Span);
            Shift(values, bits, bitwise.Operation == BitwiseOperation.ShiftLeft);
            Shift(unknown, bits, bitwise.Operation == BitwiseOperation.ShiftLeft);
        }
        registers.Set(bitwise.Destination, values);
        unknown.CopyTo(registers.Unknown(bitwise.Destination, padded));
    }

    public static void ByteOrder(ByteOrderExpression order, Machine machine)
    {
        var (length, size, registers) = ((int)order.LengthBytes, (int)order.SizeBytes, machine.Registers);
        Span<byte> values = stackalloc byte[length];
        Span<byte> unknown = stackalloc byte[length];
        registers.Values(order.Source, length).CopyTo(values);
        registers.Unknown(order.Source, length).CopyTo(unknown);
        // A single byte among numbers of two has none to change places with.
        for (var at = 0; BitConverter.IsLittleEndian && at + size <= length; at += size)
        {
            values.Slice(at, size).Reverse();
            unknown.Slice(at, size).Reverse();
        }
        values.CopyTo(registers.Values(order.Destination, length));
        unknown.CopyTo(registers.Unknown(order.Destination, length));
    }

    public static void Compare(CompareExpression compare, Machine machine)
    {
        var order = Order(machine, compare.Source, compare.Value);
        var isEquality = compare.Operator is Comparison.Equal or Comparison.NotEqual;
        if (order is null && isEquality && Differs(machine, compare.Source, compare.Value))
        {
            order = 1;
        }
        if (order is not { } known)
        {
            machine.CannotDecide("what it compares is not known here");
            return;
        }
        var holds = compare.Operator switch
        {
            Comparison.Equal => known == 0,
            Comparison.NotEqual => known != 0,
            Comparison.Less => known < 0,
            Comparison.LessOrEqual => known <= 0,
            Comparison.Greater => known > 0,
            _ => known >= 0,
        };
        if (!holds)
        {
            machine.Verdict = Machine.Break;
        }
    }

    public static void Range(RangeExpression range, Machine machine)
    {
        if (Order(machine, range.Source, range.From) is not { } low || Order(machine, range.Source, range.To) is not { } high)
        {
            machine.CannotDecide("what it compares is not known here");
            return;
        }
        if ((low >= 0 && high <= 0) == range.Inverted)
        {
            machine.Verdict = Machine.Break;
        }
    }

    // As memcmp; null where the first byte that may differ is not known.
    private static int? Order(Machine machine, Register register, Octets value)
    {
        ReadOnlySpan<byte> values = machine.Registers.Values(register, value.Length), unknown = machine.Registers.Unknown(register, value.Length), other = value.Span;
        for (var i = 0; i < other.Length; i++)
        {
            if (unknown[i] != 0)
            {
                return null;
            }
            if (values[i] != other[i])
            {
                return values[i].CompareTo(other[i]);
            }
        }
        return 0;
    }

    private static bool Differs(Machine machine, Register register, Octets value)
    {
        ReadOnlySpan<byte> values = machine.Registers.Values(register, value.Length), unknown = machine.Registers.Unknown(register, value.Length), other = value.Span;
        for (var i = 0; i < other.Length; i++)
        {
            if (((values[i] ^ other[i]) & ~unknown[i]) != 0)
            {
                return true;
            }
        }
        return false;
    }

    // Slots are numbers of the machine's order; what leaves one comes into the next.
    private static void Shift(Span<byte> bytes, int bits, bool left)
    {
        const int width = 32;
        var words = bytes.Length / sizeof(uint);
        uint carry = 0;
        for (var i = 0; i < words; i++)
        {
            var slot = bytes.Slice((left ? words - 1 - i : i) * sizeof(uint), sizeof(uint));
            var word = BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(slot) : BinaryPrimitives.ReadUInt32BigEndian(slot);
            BitConverter.TryWriteBytes(slot, (left ? word << bits : word >> bits) | carry);
            carry = bits is 0 ? 0 : left ? word >> (width - bits) : word << (width - bits);
        }
    }
}
