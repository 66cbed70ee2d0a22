using System.Text;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.Nftables.Language;

/// <summary>
/// A constant in a rule or element: a number, an address, a prefix, a range, a name. It gets its width and byte order from the
/// place where it is used, which also checks that it belongs there.
/// </summary>
public readonly record struct Value
{
    private readonly UInt128 _first;
    private readonly UInt128 _last;
    private readonly Form _form;
    private readonly byte _prefixLength;

    private Value(Form form, UInt128 first, UInt128 last, byte prefixLength = 0)
    {
        _form = form;
        _first = first;
        _last = last;
        _prefixLength = prefixLength;
    }

    private enum Form : byte
    {
        Number,
        Ipv4,
        Ipv6,
        Mac,
        Name,
    }

    public bool IsRange => _first != _last;

    /// <summary>Length of a prefix that is no single address; null: not a prefix.</summary>
    internal int? PrefixLength => IsRange && _prefixLength > 0 ? _prefixLength - 1 : null;

    /// <summary>How many bytes of a name count, when it is the beginning of names (<c>veth*</c>).</summary>
    internal int? NamePrefixBytes => _form == Form.Name && _prefixLength > 0 ? _prefixLength : null;

    public static implicit operator Value(IpAddress address) =>
        new(address.Family == IpFamily.V4 ? Form.Ipv4 : Form.Ipv6, address.Number, address.Number);

    public static implicit operator Value(IpPrefix prefix) =>
        new(prefix.Family == IpFamily.V4 ? Form.Ipv4 : Form.Ipv6, prefix.First.Number, prefix.Last.Number, (byte)(prefix.Length + 1));

    public static implicit operator Value(MacAddress mac) => new(Form.Mac, mac.Number, mac.Number);

    public static implicit operator Value(int number) => new(Form.Number, (UInt128)(uint)number, (UInt128)(uint)number);

    public static implicit operator Value(uint number) => new(Form.Number, number, number);

    public static implicit operator Value(ushort number) => new(Form.Number, number, number);

    public static implicit operator Value(IpProtocol protocol) => new(Form.Number, (byte)protocol, (byte)protocol);

    public static implicit operator Value(Enum flags) => Number(Convert.ToUInt64(flags));

    public static Value Number(UInt128 number) => new(Form.Number, number, number);

    /// <summary>Both ends belong to it.</summary>
    public static Value Range(Value first, Value last) =>
        first._form == last._form && first._first <= last._last
            ? new(first._form, first._first, last._last)
            : throw new ArgumentException("a range goes from a lower to a higher value of the same kind");

    /// <summary>An interface's name, at most 15 bytes.</summary>
    public static Value Interface(string name) => Name(name, prefix: false);

    /// <summary>All interfaces whose names begin so.</summary>
    public static Value InterfacesBeginning(string start) => Name(start, prefix: true);

    /// <summary>tc handle <c>major:minor</c>, as packet priorities are written.</summary>
    public static Value ClassId(ushort major, ushort minor) => Number(((uint)major << 16) | minor);

    internal UInt128 First(SetField field) => Checked(_first, field);

    internal UInt128 Last(SetField field) => Checked(_last, field);

    private static Value Name(string name, bool prefix)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        if (Encoding.UTF8.GetByteCount(name) > 15)
        {
            throw new ArgumentException($"'{name}' is longer than the 15 bytes of an interface's name");
        }
        var length = Encoding.UTF8.GetBytes(name, bytes);
        var number = Octets.Number(bytes, ByteOrder.Big);
        return new(Form.Name, number, number, prefix ? (byte)length : (byte)0);
    }

    private UInt128 Checked(UInt128 number, SetField field)
    {
        var fits = _form switch
        {
            Form.Ipv4 => field.Type == DataType.Ipv4Address,
            Form.Ipv6 => field.Type == DataType.Ipv6Address,
            Form.Mac => field.Type == DataType.EthernetAddress || field.Type == DataType.LinkLayerAddress,
            Form.Name => field.Type.IsText,
            _ => !field.Type.IsText && !IsAddress(field.Type) && (field.Bits >= 128 || number >> field.Bits == 0),
        };
        return fits ? number : throw new ArgumentException($"{this} is not a value of type {field.Type} ({field.Bits} bits)");
    }

    private static bool IsAddress(DataType type) =>
        type == DataType.Ipv4Address || type == DataType.Ipv6Address || type == DataType.EthernetAddress;

    public override string ToString()
    {
        var first = Text(_first);
        return PrefixLength is { } length ? $"{first}/{length}" : IsRange ? $"{first}-{Text(_last)}" : first;
    }

    private string Text(UInt128 number) => _form switch
    {
        Form.Ipv4 => IpAddress.FromNumber(IpFamily.V4, number).ToString(),
        Form.Ipv6 => IpAddress.FromNumber(IpFamily.V6, number).ToString(),
        Form.Mac => MacAddress.FromNumber((ulong)number).ToString(),
        Form.Name => Encoding.UTF8.GetString(Octets.From(number, 16, ByteOrder.Big).Span.TrimEnd((byte)0)),
        _ => number.ToString(),
    };
}

/// <summary>IPPROTO_*, as far as rules name them.</summary>
public enum IpProtocol : byte
{
    Icmp = 1,
    Igmp = 2,
    Tcp = 6,
    Udp = 17,
    Dccp = 33,
    Esp = 50,
    Ah = 51,
    Icmpv6 = 58,
    Sctp = 132,
    UdpLite = 136,
}
