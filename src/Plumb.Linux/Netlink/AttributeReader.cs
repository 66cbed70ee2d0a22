using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.Netlink;

/// <summary>Walks a list of attributes (<c>struct nlattr</c>) without allocating: <c>foreach (var attribute in new AttributeReader(bytes))</c>.</summary>
public ref struct AttributeReader
{
    private readonly string _where;
    private ReadOnlySpan<byte> _rest;

    /// <param name="attributes">The bytes that follow a message's or attribute's own header.</param>
    /// <param name="where">What the list belongs to, by its kernel name, for the error: <c>RTM_NEWLINK</c>, <c>IFLA_LINKINFO</c>.</param>
    public AttributeReader(ReadOnlySpan<byte> attributes, string where)
    {
        _rest = attributes;
        _where = where;
    }

    public NetlinkAttribute Current { get; private set; }

    public readonly AttributeReader GetEnumerator() => this;

    /// <exception cref="NetlinkDecodeException">An attribute's header is cut short or its length is beyond the list.</exception>
    public bool MoveNext()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }
        if (_rest.Length < NetlinkControl.AttributeHeaderBytes)
        {
            throw new NetlinkDecodeException(_where, $"{_rest.Length} bytes are left over after its attributes", _rest);
        }
        var length = MemoryMarshal.Read<ushort>(_rest);
        var type = MemoryMarshal.Read<ushort>(_rest[2..]);
        if (length < NetlinkControl.AttributeHeaderBytes || length > _rest.Length)
        {
            throw new NetlinkDecodeException(
                $"{_where}, attribute {type & NetlinkControl.AttributeTypeMask}",
                $"says it is {length} bytes long where {_rest.Length} are left",
                _rest);
        }
        Current = new NetlinkAttribute(type, _rest[NetlinkControl.AttributeHeaderBytes..length]);
        // The last attribute's padding may be missing.
        _rest = _rest[Math.Min(NetlinkControl.Align(length), _rest.Length)..];
        return true;
    }
}

/// <summary>
/// One attribute. Each way of reading its value takes the attribute's kernel name, for the one exception that it can throw,
/// <see cref="NetlinkDecodeException"/>: the value does not have the length that its type has.
/// </summary>
public readonly ref struct NetlinkAttribute
{
    private readonly ushort _rawType;

    internal NetlinkAttribute(ushort rawType, ReadOnlySpan<byte> value)
    {
        _rawType = rawType;
        Value = value;
    }

    /// <summary>The type without the two flag bits.</summary>
    public ushort Type => (ushort)(_rawType & NetlinkControl.AttributeTypeMask);

    /// <summary>NLA_F_NESTED: the value is itself a list of attributes. Older families nest without saying so.</summary>
    public bool IsMarkedNested => (_rawType & NetlinkControl.NLA_F_NESTED) != 0;

    /// <summary>The type as it stands on the wire, flag bits included.</summary>
    public ushort RawType => _rawType;

    public ReadOnlySpan<byte> Value { get; }

    public byte U8(string name) => Sized(name, 1)[0];

    public bool Bool(string name) => Sized(name, 1)[0] != 0;

    public ushort U16(string name) => MemoryMarshal.Read<ushort>(Sized(name, 2));

    public uint U32(string name) => MemoryMarshal.Read<uint>(Sized(name, 4));

    public int S32(string name) => MemoryMarshal.Read<int>(Sized(name, 4));

    public ulong U64(string name) => MemoryMarshal.Read<ulong>(Sized(name, 8));

    public ushort U16BigEndian(string name) => BinaryPrimitives.ReadUInt16BigEndian(Sized(name, 2));

    public uint U32BigEndian(string name) => BinaryPrimitives.ReadUInt32BigEndian(Sized(name, 4));

    public ulong U64BigEndian(string name) => BinaryPrimitives.ReadUInt64BigEndian(Sized(name, 8));

    /// <summary>UTF-8 text up to the first NUL or the end.</summary>
    public string Text(string name)
    {
        _ = name;
        var end = Value.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? Value : Value[..end]);
    }

    /// <summary>An IPv4 or IPv6 address, told apart by its length.</summary>
    public IpAddress Ip(string name) =>
        IpAddress.TryRead(Value, out var address) ? address : throw new NetlinkDecodeException(name, $"an address has 4 or 16 bytes, not {Value.Length}", Value);

    public MacAddress Mac(string name) =>
        MacAddress.TryRead(Value, out var mac) ? mac : throw new NetlinkDecodeException(name, $"a MAC address has 6 bytes, not {Value.Length}", Value);

    /// <summary>A C structure, at least as long as <paramref name="length"/>: later kernels append fields.</summary>
    public ReadOnlySpan<byte> Structure(string name, int length) =>
        Value.Length >= length ? Value : throw new NetlinkDecodeException(name, $"has {Value.Length} bytes instead of {length} or more", Value);

    public AttributeReader Nested(string name) => new(Value, name);

    private ReadOnlySpan<byte> Sized(string name, int length) =>
        Value.Length == length ? Value : throw new NetlinkDecodeException(name, $"has {Value.Length} bytes instead of {length}", Value);
}
