using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.Netlink;

/// <summary>
/// Builds one or many netlink messages in one pooled buffer, ready to be sent as one datagram. Lengths are filled in when a
/// message or nest is closed, padding is zero, and values are host order unless the method's name says big-endian.
/// </summary>
/// <remarks>
/// Can be used again after <see cref="Clear"/>. Not for several threads at once.
/// <code>
/// using var writer = new NetlinkWriter();
/// using (writer.Message(RTM_NEWLINK, NetlinkFlags.Create))
/// {
///     writer.Structure(header);
///     writer.Text(IFLA_IFNAME, "eth0");
///     using (writer.Nest(IFLA_LINKINFO)) { … }
/// }
/// </code>
/// </remarks>
public sealed class NetlinkWriter : IDisposable
{
    private readonly List<int> _starts = [];
    private byte[] _buffer;
    private int _length;
    private bool _messageIsOpen;

    public NetlinkWriter(int capacityBytes = 1024) => _buffer = ArrayPool<byte>.Shared.Rent(capacityBytes);

    /// <summary>What has been written, every closed message with its length.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public int LengthBytes => _length;

    public int MessageCount => _starts.Count;

    public bool IsEmpty => _starts.Count == 0;

    /// <summary>Opens a message; NLM_F_REQUEST is always set. Its sequence number and port are filled in when it is sent.</summary>
    public MessageScope Message(ushort type, NetlinkFlags flags = NetlinkFlags.None)
    {
        if (_messageIsOpen)
        {
            throw new InvalidOperationException("the message before is still open");
        }
        _messageIsOpen = true;
        var start = _length;
        _starts.Add(start);
        var header = Reserve(NetlinkControl.HeaderBytes);
        MemoryMarshal.Write(header[4..], type);
        MemoryMarshal.Write(header[6..], (ushort)(flags | NetlinkFlags.Request));
        return new MessageScope(this, start);
    }

    /// <summary>Opens an attribute whose value is a list of attributes; NLA_F_NESTED is set, as every kernel since 5.2 wants and every other allows.</summary>
    public NestScope Nest(ushort type) => OpenNest((ushort)(type | NetlinkControl.NLA_F_NESTED));

    /// <summary>The same without NLA_F_NESTED, or for an attribute whose value begins with a structure of its own (VETH_INFO_PEER).</summary>
    public NestScope Open(ushort type) => OpenNest(type);

    /// <summary>Opens a structure that begins with its own length in 16 bits and has attributes after its fields (<c>struct rtnexthop</c>).</summary>
    public NestScope OpenRecord() => new(this, _length);

    /// <summary>Appends a C structure as it lies in memory, padded to four bytes: the family's header, as a rule.</summary>
    public void Structure<T>(in T value)
        where T : unmanaged
    {
        var size = Unsafe.SizeOf<T>();
        MemoryMarshal.Write(Reserve(NetlinkControl.Align(size)), in value);
    }

    public void Structure<T>(ushort type, in T value)
        where T : unmanaged => MemoryMarshal.Write(Attribute(type, Unsafe.SizeOf<T>()), in value);

    /// <summary>An attribute whose presence is its meaning.</summary>
    public void Flag(ushort type) => Attribute(type, 0);

    public void U8(ushort type, byte value) => Attribute(type, 1)[0] = value;

    public void Bool(ushort type, bool value) => Attribute(type, 1)[0] = value ? (byte)1 : (byte)0;

    public void U16(ushort type, ushort value) => MemoryMarshal.Write(Attribute(type, 2), value);

    public void U32(ushort type, uint value) => MemoryMarshal.Write(Attribute(type, 4), value);

    public void S32(ushort type, int value) => MemoryMarshal.Write(Attribute(type, 4), value);

    public void U64(ushort type, ulong value) => MemoryMarshal.Write(Attribute(type, 8), value);

    public void U16BigEndian(ushort type, ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Attribute(type, 2), value);

    public void U32BigEndian(ushort type, uint value) => BinaryPrimitives.WriteUInt32BigEndian(Attribute(type, 4), value);

    public void U64BigEndian(ushort type, ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Attribute(type, 8), value);

    /// <summary>UTF-8 with the NUL that C ends strings with.</summary>
    public void Text(ushort type, string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Encoding.UTF8.GetBytes(value, Attribute(type, length + 1));
    }

    public void Bytes(ushort type, ReadOnlySpan<byte> value) => value.CopyTo(Attribute(type, value.Length));

    public void Ip(ushort type, IpAddress value) => value.WriteBytes(Attribute(type, value.ByteLength));

    public void Mac(ushort type, MacAddress value) => value.WriteBytes(Attribute(type, MacAddress.ByteLength));

    /// <summary>Bytes that are already in wire form: attributes kept from a message that was read.</summary>
    public void Raw(ReadOnlySpan<byte> attributes) => attributes.CopyTo(Reserve(NetlinkControl.Align(attributes.Length)));

    /// <summary>Forgets all messages; the buffer stays.</summary>
    public void Clear()
    {
        _starts.Clear();
        _length = 0;
        _messageIsOpen = false;
    }

    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        Clear();
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The type of the message with this number, for errors.</summary>
    internal ushort TypeOf(int index) => MemoryMarshal.Read<ushort>(_buffer.AsSpan(_starts[index] + 4));

    /// <summary>Numbers the messages from <paramref name="firstSequence"/> on and asks for an acknowledgement of one of them.</summary>
    internal void Stamp(uint firstSequence, int acknowledged)
    {
        if (_messageIsOpen)
        {
            throw new InvalidOperationException("a message is still open");
        }
        for (var i = 0; i < _starts.Count; i++)
        {
            var header = _buffer.AsSpan(_starts[i]);
            MemoryMarshal.Write(header[8..], firstSequence + (uint)i);
            if (i == acknowledged)
            {
                var flags = MemoryMarshal.Read<ushort>(header[6..]);
                MemoryMarshal.Write(header[6..], (ushort)(flags | (ushort)NetlinkFlags.Acknowledge));
            }
        }
    }

    private NestScope OpenNest(ushort rawType)
    {
        var start = _length;
        MemoryMarshal.Write(Reserve(NetlinkControl.AttributeHeaderBytes)[2..], rawType);
        return new NestScope(this, start);
    }

    private Span<byte> Attribute(ushort type, int valueLength)
    {
        var length = NetlinkControl.AttributeHeaderBytes + valueLength;
        if (length > ushort.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(valueLength), $"attribute {type} would be {length} bytes long; 65,535 is the most");
        }
        var span = Reserve(NetlinkControl.Align(length));
        MemoryMarshal.Write(span, (ushort)length);
        MemoryMarshal.Write(span[2..], type);
        return span.Slice(NetlinkControl.AttributeHeaderBytes, valueLength);
    }

    // The bytes come back zeroed: padding must not leak what the buffer held before.
    private Span<byte> Reserve(int length)
    {
        if (_buffer.Length - _length < length)
        {
            Grow(length);
        }
        var span = _buffer.AsSpan(_length, length);
        span.Clear();
        _length += length;
        return span;
    }

    private void Grow(int length)
    {
        var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + length));
        Written.CopyTo(bigger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = bigger;
    }

    private void CloseMessage(int start)
    {
        MemoryMarshal.Write(_buffer.AsSpan(start), (uint)(_length - start));
        _messageIsOpen = false;
    }

    private void CloseNest(int start)
    {
        var length = _length - start;
        if (length > ushort.MaxValue)
        {
            throw new InvalidOperationException($"a nested attribute would be {length} bytes long; 65,535 is the most");
        }
        MemoryMarshal.Write(_buffer.AsSpan(start), (ushort)length);
    }

    /// <summary>An open message; disposing of it fills in its length.</summary>
    public readonly ref struct MessageScope
    {
        private readonly NetlinkWriter _writer;
        private readonly int _start;

        internal MessageScope(NetlinkWriter writer, int start)
        {
            _writer = writer;
            _start = start;
        }

        public void Dispose() => _writer.CloseMessage(_start);
    }

    /// <summary>An open attribute; disposing of it fills in its length.</summary>
    public readonly ref struct NestScope
    {
        private readonly NetlinkWriter _writer;
        private readonly int _start;

        internal NestScope(NetlinkWriter writer, int start)
        {
            _writer = writer;
            _start = start;
        }

        public void Dispose() => _writer.CloseNest(_start);
    }
}
