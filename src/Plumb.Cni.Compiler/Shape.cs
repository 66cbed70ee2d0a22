namespace Plumb.Cni.Compiler;

/// <summary>What a value is to the machine. On the evaluation stack integers of 8 to 32 bits are one kind, as in ECMA-335 I.12.1.</summary>
internal enum Kind
{
    Void,
    Int32,

    /// <summary>64 bits: <c>long</c>, <c>nint</c>, pointers, references.</summary>
    Word,
    Struct,
}

/// <summary>A type as it lies in memory.</summary>
/// <param name="Name">As messages call it.</param>
/// <param name="Size">In bytes; a multiple of <paramref name="Alignment"/>.</param>
/// <param name="IsSigned">Whether it is extended by its sign when it is loaded.</param>
internal sealed record Shape(string Name, Kind Kind, int Size, int Alignment, bool IsSigned = false)
{
    public static readonly Shape Void = new("void", Kind.Void, 0, 1);
    public static readonly Shape Byte = new("byte", Kind.Int32, 1, 1);
    public static readonly Shape SByte = new("sbyte", Kind.Int32, 1, 1, IsSigned: true);
    public static readonly Shape UInt16 = new("ushort", Kind.Int32, 2, 2);
    public static readonly Shape Int16 = new("short", Kind.Int32, 2, 2, IsSigned: true);
    public static readonly Shape Int32 = new("int", Kind.Int32, 4, 4, IsSigned: true);
    public static readonly Shape Word = new("nint", Kind.Word, 8, 8);

    /// <summary><c>ReadOnlySpan&lt;byte&gt;</c>: what the compiler makes of <c>"…"u8</c>. Where it begins, then how long it is.</summary>
    public static readonly Shape Literal = new("ReadOnlySpan<byte>", Kind.Struct, 16, 8);

    /// <summary>Places of 8 bytes that it takes on the machine's stack.</summary>
    public int Slots => (Size + 7) / 8;
}
