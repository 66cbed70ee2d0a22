using System.Runtime.InteropServices;

namespace Plumb.Linux.Native;

/// <summary>libzstd's streaming decompression (<c>zstd.h</c>), by its manual's names. Package managers and systemd need that library: nearly every machine has it.</summary>
internal static unsafe partial class Zstd
{
    private const string Name = "libzstd.so.1";

    [LibraryImport(Name, EntryPoint = "ZSTD_createDStream")]
    public static partial nint Create();

    [LibraryImport(Name, EntryPoint = "ZSTD_freeDStream")]
    public static partial nuint Free(nint stream);

    /// <summary>0: a frame is complete; else a hint at how much more is wanted, or an error.</summary>
    [LibraryImport(Name, EntryPoint = "ZSTD_decompressStream")]
    public static partial nuint Decompress(nint stream, OutBuffer* output, InBuffer* input);

    [LibraryImport(Name, EntryPoint = "ZSTD_isError")]
    public static partial uint IsError(nuint result);

    [LibraryImport(Name, EntryPoint = "ZSTD_getErrorName")]
    public static partial byte* ErrorName(nuint result);

    /// <summary><c>struct ZSTD_inBuffer_s</c>; positions and sizes in bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct InBuffer
    {
        public byte* Source;
        public nuint Size;
        public nuint Position;
    }

    /// <summary><c>struct ZSTD_outBuffer_s</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct OutBuffer
    {
        public byte* Destination;
        public nuint Size;
        public nuint Position;
    }
}
