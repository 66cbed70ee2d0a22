using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions;

/// <summary>
/// A place in the 64 bytes that a rule computes in, or the verdict. Named by its first 32-bit slot: the kernel's two ways of naming
/// one place (NFT_REG_1 … 4 of 16 bytes, NFT_REG32_00 … 15 of four) meet here, and it is written as the kernel itself dumps it.
/// </summary>
public readonly record struct Register
{
    public const int SlotBytes = 4;
    public const int Slots = 16;
    private const int SlotsOfWide = 4;
    private const uint FirstNarrow = 8; // NFT_REG32_00

    // 0 is the verdict, so that default is harmless.
    private readonly byte _slotPlusOne;

    private Register(int slotPlusOne) => _slotPlusOne = (byte)slotPlusOne;

    /// <summary>NFT_REG_VERDICT</summary>
    public static Register Verdict => default;

    public bool IsVerdict => _slotPlusOne == 0;

    /// <summary>0–15; −1 for the verdict.</summary>
    public int Slot => _slotPlusOne - 1;

    public static Register At(int slot) =>
        slot is >= 0 and < Slots ? new Register(slot + 1) : throw new ArgumentOutOfRangeException(nameof(slot), "a rule has 16 slots of four bytes");

    /// <summary>The slot after a value of this many bytes.</summary>
    public Register After(int bytes) => At(Slot + ((bytes + SlotBytes - 1) / SlotBytes));

    internal uint Wire => IsVerdict ? 0 : Slot % SlotsOfWide == 0 ? 1 + ((uint)Slot / SlotsOfWide) : FirstNarrow + (uint)Slot;

    internal static Register FromWire(uint number, string attribute) => number switch
    {
        0 => Verdict,
        <= SlotsOfWide => At(((int)number - 1) * SlotsOfWide),
        >= FirstNarrow and < FirstNarrow + Slots => At((int)(number - FirstNarrow)),
        _ => throw new NetlinkDecodeException(attribute, $"{number} is no register", []),
    };

    public override string ToString() => $"reg {Wire}";
}
