using System.Numerics;
using System.Text;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.Nftables.Text;

/// <summary>Constants by their data type, as nft 1.0.6 prints them.</summary>
internal static class ValueText
{
    private const int LoopbackIndex = 1;

    public static string Of(DataType type, ReadOnlySpan<byte> bytes, ByteOrder order)
    {
        var text = new StringBuilder();
        Append(text, type, bytes, order);
        return text.ToString();
    }

    /// <param name="names">False: numbers without their names, as the ends of ranges are printed.</param>
    public static void Append(StringBuilder text, DataType type, ReadOnlySpan<byte> bytes, ByteOrder order, bool names = true)
    {
        if (type.IsText)
        {
            AppendName(text, bytes, wildcard: false);
            return;
        }
        if (bytes.Length > 16)
        {
            text.Append("0x").Append(Convert.ToHexStringLower(bytes));
            return;
        }
        AppendNumber(text, type, Octets.Number(bytes, order), bytes.Length, names);
    }

    public static void AppendName(StringBuilder text, ReadOnlySpan<byte> bytes, bool wildcard)
    {
        var end = bytes.IndexOf((byte)0);
        text.Append('"').Append(Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end])).Append(wildcard ? "*\"" : "\"");
    }

    public static void AppendNumber(StringBuilder text, DataType type, UInt128 number, int bytes, bool names = true)
    {
        switch (type.Id)
        {
            case var id when id == DataType.Ipv4Address.Id && bytes == 4:
                text.Append(IpAddress.FromNumber(IpFamily.V4, number));
                return;
            case var id when id == DataType.Ipv6Address.Id && bytes == 16:
                text.Append(IpAddress.FromNumber(IpFamily.V6, number));
                return;
            case var id when id == DataType.EthernetAddress.Id || id == DataType.LinkLayerAddress.Id:
                text.Append(MacAddress.FromNumber((ulong)number));
                return;
            case var id when id == DataType.Mark.Id:
                text.Append("0x").Append(((ulong)number).ToString("x8"));
                return;
            case var id when id == DataType.ClassId.Id:
                AppendClassId(text, (uint)number);
                return;
            case var id when id == DataType.Time.Id:
                AppendTime(text, (ulong)number);
                return;
            case var id when id == DataType.InterfaceIndex.Id:
                text.Append(number == LoopbackIndex ? "\"lo\"" : number.ToString());
                return;
            default:
                break;
        }
        if (names && number <= ulong.MaxValue && Symbols.Name(type, (ulong)number) is { } name)
        {
            text.Append(name);
        }
        else if (names && Symbols.IsBits(type) && number != 0)
        {
            AppendBits(text, type, (ulong)number, ",");
        }
        else if (type == DataType.EthernetType || type == DataType.Dscp || type == DataType.Ecn || type == DataType.ConntrackState
            || type == DataType.ConntrackStatus || type == DataType.TcpFlag)
        {
            text.Append("0x").Append(((ulong)number).ToString("x" + (bytes * 2)));
        }
        else
        {
            text.Append(number);
        }
    }

    /// <summary>Names of all bits, lowest first.</summary>
    public static void AppendBits(StringBuilder text, DataType type, ulong bits, string separator)
    {
        var first = true;
        for (; bits != 0; bits &= bits - 1)
        {
            var bit = 1ul << BitOperations.TrailingZeroCount(bits);
            text.Append(first ? "" : separator).Append(Symbols.Name(type, bit) ?? $"0x{bit:x}");
            first = false;
        }
    }

    /// <summary>A range of keys: as a prefix where it is one and the type has prefixes.</summary>
    public static void AppendRange(StringBuilder text, DataType type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> last, ByteOrder order)
    {
        if (first.SequenceEqual(last))
        {
            Append(text, type, first, order);
        }
        else if ((type == DataType.Ipv4Address || type == DataType.Ipv6Address) && PrefixLength(first, last) is { } length)
        {
            Append(text, type, first, order);
            text.Append('/').Append(length);
        }
        else
        {
            Append(text, type, first, order, names: false);
            text.Append('-');
            Append(text, type, last, order, names: false);
        }
    }

    private static int? PrefixLength(ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        var low = Octets.Number(first, ByteOrder.Big);
        var differing = low ^ Octets.Number(last, ByteOrder.Big);
        var isPrefix = (differing & (differing + 1)) == 0 && (low & differing) == 0;
        return isPrefix ? (first.Length * 8) - (int)UInt128.PopCount(differing) : null;
    }

    /// <summary>Milliseconds as days, hours, minutes, seconds and the rest.</summary>
    public static void AppendTime(StringBuilder text, ulong milliseconds)
    {
        var start = text.Length;
        Part(milliseconds / 86_400_000, "d");
        Part(milliseconds / 3_600_000 % 24, "h");
        Part(milliseconds / 60_000 % 60, "m");
        Part(milliseconds / 1000 % 60, "s");
        Part(milliseconds % 1000, "ms");
        if (text.Length == start)
        {
            text.Append("0s");
        }

        void Part(ulong count, string unit)
        {
            if (count > 0)
            {
                text.Append(count).Append(unit);
            }
        }
    }

    private static void AppendClassId(StringBuilder text, uint handle)
    {
        switch (handle)
        {
            case 0:
                text.Append("none");
                break;
            case uint.MaxValue:
                text.Append("root");
                break;
            default:
                text.Append($"{handle >> 16:x}:{handle & 0xffff:x}");
                break;
        }
    }

    /// <summary>Bytes in the largest unit that divides them.</summary>
    public static string Amount(ulong bytes) =>
        bytes != 0 && bytes % (1 << 20) == 0 ? $"{bytes >> 20} mbytes"
        : bytes != 0 && bytes % (1 << 10) == 0 ? $"{bytes >> 10} kbytes"
        : $"{bytes} bytes";
}
