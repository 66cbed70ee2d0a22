using System.Buffers.Binary;
using System.Text;
using Plumb.Linux.Addresses;

namespace Plumb.Dns.Wire;

/// <summary>Records as zone files have them (RFC 1035, section 5).</summary>
public static class RecordText
{
    /// <summary><c>AAAA</c>, <c>SRV</c>; of types without a name here <c>TYPE65</c> (RFC 3597).</summary>
    public static string Print(RecordType type) => Enum.IsDefined(type) ? type.ToString().ToUpperInvariant() : $"TYPE{(ushort)type}";

    public static bool TryParse(string text, out RecordType type) =>
        (Enum.TryParse(text, ignoreCase: true, out type) && Enum.IsDefined(type) && !char.IsAsciiDigit(text[0]))
        || (text.StartsWith("TYPE", StringComparison.OrdinalIgnoreCase) && Enum.TryParse(text[4..], out type));

    /// <param name="data">In wire form, names in it not compressed.</param>
    public static string Print(RecordType type, ReadOnlySpan<byte> data) => $"{Print(type)} {Data(type, data)}";

    private static string Data(RecordType type, ReadOnlySpan<byte> data)
    {
        switch (type)
        {
            case RecordType.A or RecordType.Aaaa when IpAddress.TryRead(data, out var address):
                return address.ToString();
            case RecordType.Cname or RecordType.Ptr or RecordType.Ns or RecordType.Dname:
                return NameAt(data, 0);
            case RecordType.Srv when data.Length > 6:
                return $"{Number(data)} {Number(data[2..])} {Number(data[4..])} {NameAt(data, 6)}";
            case RecordType.Mx when data.Length > 2:
                return $"{Number(data)} {NameAt(data, 2)}";
            case RecordType.Txt:
                return Strings(data);
            case RecordType.Soa when WireName.Skip(data, 0) is var mail and > 0 && WireName.Skip(data, mail) is var numbers and > 0 && numbers + 20 == data.Length:
                var text = new StringBuilder($"{NameAt(data, 0)} {NameAt(data, mail)}");
                for (var at = numbers; at < data.Length; at += 4)
                {
                    text.Append(' ').Append(BinaryPrimitives.ReadUInt32BigEndian(data[at..]));
                }
                return text.ToString();
            default:
                return $"\\# {data.Length} {Convert.ToHexStringLower(data)}";
        }
    }

    private static ushort Number(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt16BigEndian(data);

    private static string NameAt(ReadOnlySpan<byte> data, int offset)
    {
        Span<byte> name = stackalloc byte[WireName.MostBytes];
        var length = WireName.Expand(data, offset, name, out _);
        return length == 0 ? $"\\# {Convert.ToHexStringLower(data[offset..])}" : DomainName.FromWire(name[..length]).ToString();
    }

    private static string Strings(ReadOnlySpan<byte> data)
    {
        var text = new StringBuilder();
        while (data.Length != 0 && data[0] < data.Length)
        {
            text.Append(text.Length == 0 ? "\"" : " \"").Append(Encoding.Latin1.GetString(data.Slice(1, data[0]))).Append('"');
            data = data[(data[0] + 1)..];
        }
        return text.ToString();
    }
}
