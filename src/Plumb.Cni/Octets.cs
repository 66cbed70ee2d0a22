using System;

namespace Plumb.Cni;

/// <summary>Bytes that grow as they are read or written.</summary>
internal sealed unsafe class Octets
{
    private byte[] _bytes = new byte[8192];
    private int _length;

    public ReadOnlySpan<byte> All => new(_bytes, 0, _length);

    public Octets Add(ReadOnlySpan<byte> more)
    {
        more.CopyTo(Room(more.Length));
        _length += more.Length;
        return this;
    }

    public Octets Add(int number)
    {
        Span<byte> digits = stackalloc byte[11];
        var first = digits.Length;
        do
        {
            digits[--first] = (byte)('0' + (number % 10));
            number /= 10;
        }
        while (number != 0);
        return Add(digits[first..]);
    }

    /// <summary>Reads until the other side ends; false: it broke off.</summary>
    public bool ReadToEnd(int descriptor)
    {
        while (true)
        {
            nint read;
            fixed (byte* into = Room(4096))
            {
                read = SystemCalls.Read(descriptor, into, 4096);
            }
            if (read == 0)
            {
                return true;
            }
            if (read < 0 && SystemCalls.LastErrno != SystemCalls.EINTR)
            {
                return false;
            }
            _length += (int)Math.Max(read, 0);
        }
    }

    private Span<byte> Room(int length)
    {
        if (_bytes.Length - _length < length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + length));
        }
        return _bytes.AsSpan(_length);
    }
}
