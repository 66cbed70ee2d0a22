using System.Buffers.Binary;
using Plumb.Linux.Nftables.Expressions;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>
/// The 64 bytes that rules compute in (nft_regs), and beside each bit whether it is known: what was loaded from something that a walk cannot see is
/// not, and decides nothing until a comparison really depends on it.
/// </summary>
internal sealed class Registers
{
    private const int Bytes = Register.Slots * Register.SlotBytes;

    private readonly byte[] _values;
    private readonly byte[] _unknown;

    public Registers()
    {
        _values = new byte[Bytes];
        _unknown = new byte[Bytes];
        _unknown.AsSpan().Fill(0xff);
    }

    private Registers(Registers other)
    {
        _values = [.. other._values];
        _unknown = [.. other._unknown];
    }

    public Registers Copy() => new(this);

    public Span<byte> Values(Register register, int length) => _values.AsSpan(register.Slot * Register.SlotBytes, length);

    public Span<byte> Unknown(Register register, int length) => _unknown.AsSpan(register.Slot * Register.SlotBytes, length);

    public bool IsKnown(Register register, int length) => Unknown(register, length).IndexOfAnyExcept((byte)0) < 0;

    /// <summary>Stores a value; the rest of its last slot becomes zero, as with every load of the kernel.</summary>
    public void Set(Register register, ReadOnlySpan<byte> value)
    {
        var padded = Padded(value.Length);
        Values(register, padded).Clear();
        Unknown(register, padded).Clear();
        value.CopyTo(Values(register, value.Length));
    }

    public void Set(Register register, uint hostOrder)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BitConverter.TryWriteBytes(bytes, hostOrder);
        Set(register, bytes);
    }

    public void Set8(Register register, byte value) => Set(register, [value]);

    public void Set16(Register register, ushort hostOrder)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BitConverter.TryWriteBytes(bytes, hostOrder);
        Set(register, bytes);
    }

    public void Set16BigEndian(Register register, ushort hostOrder)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, hostOrder);
        Set(register, bytes);
    }

    public void Forget(Register register, int length)
    {
        Set(register, new byte[length]);
        Unknown(register, length).Fill(0xff);
    }

    public uint Get(Register register) => BitConverter.ToUInt32(Values(register, sizeof(uint)));

    public ushort Get16BigEndian(Register register) => BinaryPrimitives.ReadUInt16BigEndian(Values(register, sizeof(ushort)));

    private static int Padded(int length) => (length + Register.SlotBytes - 1) / Register.SlotBytes * Register.SlotBytes;
}
