using System.Runtime.InteropServices;

namespace Plumb.Linux.Netlink;

/// <summary>One message within a datagram: the header's fields, and what follows it. Valid as long as the buffer that it was read from.</summary>
public readonly ref struct NetlinkMessage
{
    internal NetlinkMessage(ushort type, NetlinkFlags flags, uint sequence, uint portId, ReadOnlySpan<byte> payload)
    {
        Type = type;
        Flags = flags;
        Sequence = sequence;
        PortId = portId;
        Payload = payload;
    }

    public ushort Type { get; }

    public NetlinkFlags Flags { get; }

    public uint Sequence { get; }

    /// <summary>In a notification: the socket whose request caused the change, 0 for the kernel itself.</summary>
    public uint PortId { get; }

    public ReadOnlySpan<byte> Payload { get; }
}

/// <summary>Walks the messages of a datagram without allocating.</summary>
public ref struct NetlinkReader(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    public NetlinkMessage Current { get; private set; }

    public readonly NetlinkReader GetEnumerator() => this;

    /// <exception cref="NetlinkDecodeException">A header is cut short or its length is beyond the datagram.</exception>
    public bool MoveNext()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }
        if (_rest.Length < NetlinkControl.HeaderBytes)
        {
            throw new NetlinkDecodeException("struct nlmsghdr", $"{_rest.Length} bytes instead of 16", _rest);
        }
        var length = MemoryMarshal.Read<uint>(_rest);
        if (length < NetlinkControl.HeaderBytes || length > _rest.Length)
        {
            throw new NetlinkDecodeException("nlmsg_len", $"says {length} where {_rest.Length} bytes are left", _rest);
        }
        Current = new NetlinkMessage(
            MemoryMarshal.Read<ushort>(_rest[4..]),
            (NetlinkFlags)MemoryMarshal.Read<ushort>(_rest[6..]),
            MemoryMarshal.Read<uint>(_rest[8..]),
            MemoryMarshal.Read<uint>(_rest[12..]),
            _rest[NetlinkControl.HeaderBytes..(int)length]);
        _rest = _rest[Math.Min(NetlinkControl.Align((int)length), _rest.Length)..];
        return true;
    }
}
