using System.Runtime.InteropServices;
using System.Text;

namespace Plumb.Linux.Native;

/// <summary>Strings as C passes arguments and environments: an array of pointers to NUL-terminated UTF-8, ended by a null pointer.</summary>
internal sealed unsafe class StringVector : IDisposable
{
    private byte** _pointers;

    /// <exception cref="ArgumentException">A string holds a NUL, which would cut it.</exception>
    public StringVector(IReadOnlyCollection<string> strings)
    {
        var tableBytes = (strings.Count + 1) * sizeof(byte*);
        var total = tableBytes;
        foreach (var text in strings)
        {
            if (text.Contains('\0', StringComparison.Ordinal))
            {
                throw new ArgumentException($"'{text.Replace("\0", "\\0", StringComparison.Ordinal)}' holds a NUL, which no argument or variable can", nameof(strings));
            }
            total += Encoding.UTF8.GetByteCount(text) + 1;
        }
        _pointers = (byte**)NativeMemory.Alloc((nuint)total);
        var next = (byte*)_pointers + tableBytes;
        var index = 0;
        foreach (var text in strings)
        {
            _pointers[index++] = next;
            var written = Encoding.UTF8.GetBytes(text, new Span<byte>(next, Encoding.UTF8.GetByteCount(text)));
            next[written] = 0;
            next += written + 1;
        }
        _pointers[index] = null;
    }

    public byte** Pointers => _pointers;

    public void Dispose()
    {
        NativeMemory.Free(_pointers);
        _pointers = null;
    }
}
