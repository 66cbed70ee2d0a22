using System.Buffers.Text;
using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>The code that this process has mapped from files: libraries and assemblies that were compiled ahead.</summary>
public static class MappedCode
{
    /// <summary>
    /// Unmaps the pages of it that are resident (madvise(2), MADV_DONTNEED). Most were for the start alone, and the kernel maps 64 KiB for each that is touched. What is
    /// needed again comes back from the page cache, with a minor fault; what is not, the kernel can reclaim without a look at this process.
    /// </summary>
    /// <remarks>
    /// Only of mappings that cannot be written and never were (smaps: no anonymous page), since there it would undo what was written; and only of libraries, which
    /// stay where they are until the end, while other threads map and unmap other things.
    /// </remarks>
    /// <returns>Bytes that were resident; 0 where the kernel does not tell (no CONFIG_PROC_PAGE_MONITOR).</returns>
    public static long Release()
    {
        try
        {
            return ReleaseAll();
        }
        catch (Exception untold) when (untold is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static long ReleaseAll()
    {
        using var file = new FileStream("/proc/self/smaps", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        // A line is no longer than a path.
        Span<byte> buffer = stackalloc byte[16 * 1024];
        long released = 0;
        var mapping = default(Mapping);
        var length = 0;
        while (file.Read(buffer[length..]) is var read and > 0)
        {
            length += read;
            var rest = buffer[..length];
            for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
            {
                released += mapping.Take(rest[..end]);
            }
            rest.CopyTo(buffer);
            length = rest.Length;
        }
        return released + mapping.Release();
    }

    /// <summary>One of proc_pid_smaps(5), as far as it has been read.</summary>
    private struct Mapping
    {
        private nint _start;
        private nuint _length;
        private bool _isCode;
        private long _resident;
        private long _written;

        /// <summary>Takes the next line; when that is another mapping's first, this one is released and becomes that.</summary>
        public long Take(ReadOnlySpan<byte> line)
        {
            if (line.StartsWith("Rss:"u8))
            {
                _resident = Bytes(line["Rss:"u8.Length..]);
            }
            else if (line.StartsWith("Anonymous:"u8))
            {
                _written = Bytes(line["Anonymous:"u8.Length..]);
            }
            // `7f5b44000000-7f5b44021000 r-xp 00000000 fe:00 1234                       /usr/lib/libc.so.6`
            else if (Utf8Parser.TryParse(line, out long start, out var used, 'x') && used < line.Length && line[used] == '-'
                && Utf8Parser.TryParse(line[(used + 1)..], out long end, out var more, 'x') && line[(used + 1 + more)..] is [(byte)' ', _, var write, ..])
            {
                var released = Release();
                this = new Mapping { _start = (nint)start, _length = (nuint)(end - start), _isCode = write != (byte)'w' && IsLibrary(line) };
                return released;
            }
            return 0;
        }

        // What the kernel refuses (locked pages) stays.
        public readonly long Release() =>
            _isCode && _resident != 0 && _written == 0 && Libc.Advise(_start, _length, Libc.MADV_DONTNEED) == 0 ? _resident : 0;

        private static bool IsLibrary(ReadOnlySpan<byte> line) => line.EndsWith(".dll"u8) || line.EndsWith(".so"u8) || line.IndexOf(".so."u8) >= 0;

        // `                 436 kB`
        private static long Bytes(ReadOnlySpan<byte> value) => Utf8Parser.TryParse(value.TrimStart((byte)' '), out long kibibytes, out _) ? kibibytes * 1024 : 0;
    }
}
