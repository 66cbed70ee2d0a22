namespace Plumb.Cni;

/// <summary>Bytes that grow as they are read or written. They are the kernel's again when the process ends, after some milliseconds.</summary>
internal unsafe struct Octets
{
    private const nint AtFirst = 65536;

    private byte* _bytes;
    private nint _length;
    private nint _room;

    public readonly Text All => new(_bytes, _length);

    public void Add(Text more)
    {
        more.CopyTo(Room(more.Length));
        _length += more.Length;
    }

    /// <summary>In decimal digits.</summary>
    public void Add(nint number)
    {
        var digits = stackalloc byte[20];
        nint first = 20;
        do
        {
            digits[--first] = (byte)('0' + (number % 10));
            number /= 10;
        }
        while (number != 0);
        Add(new Text(digits + first, 20 - first));
    }

    /// <summary>Reads until the other side ends.</summary>
    /// <returns>0, or an errno: it broke off.</returns>
    public nint ReadToEnd(int descriptor)
    {
        while (true)
        {
            var into = Room(4096);
            var read = SystemCalls.Read(descriptor, into, _room - _length);
            if (read == 0)
            {
                return 0;
            }
            if (read > 0)
            {
                _length += read;
            }
            else if (read != -SystemCalls.EINTR)
            {
                return -read;
            }
        }
    }

    private byte* Room(nint length)
    {
        if (_room - _length < length)
        {
            nint room = _room == 0 ? AtFirst : _room;
            while (room - _length < length)
            {
                room *= 2;
            }
            _bytes = _room == 0 ? SystemCalls.Map(room) : SystemCalls.Remap(_bytes, _room, room);
            _room = room;
        }
        return _bytes + _length;
    }
}
