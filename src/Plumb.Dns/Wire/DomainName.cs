using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Plumb.Dns.Wire;

/// <summary>A domain name as a value, for all that is not done a hundred thousand times a second. Equal without regard to case, which it keeps.</summary>
public readonly struct DomainName : IEquatable<DomainName>
{
    private static readonly byte[] RootBytes = [0];

    private readonly byte[]? _wire;

    private DomainName(byte[] wire) => _wire = wire;

    public static DomainName Root { get; }

    /// <summary>Labels behind their lengths and a closing zero (RFC 1035, section 3.1).</summary>
    public ReadOnlySpan<byte> Wire => _wire ?? RootBytes;

    internal byte[] WireBytes => _wire ?? RootBytes;

    public bool IsRoot => Wire.Length == 1;

    public DomainName Parent => FromWire(WireName.Parent(Wire));

    /// <param name="wire">A valid name without compression.</param>
    internal static DomainName FromWire(ReadOnlySpan<byte> wire) => new(wire.ToArray());

    public static DomainName Parse(string text) =>
        TryParse(text, out var name) ? name : throw new FormatException($"'{text}' is no domain name: labels of 1 to 63 bytes, 255 in all");

    /// <summary>Text with or without the closing dot; <c>\.</c> and <c>\DDD</c> as in zone files (RFC 1035, section 5.1).</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DomainName name)
    {
        name = default;
        if (text is "" or ".")
        {
            return text.Length != 0;
        }
        Span<byte> wire = stackalloc byte[WireName.MostBytes + 1];
        var (label, written) = (0, 1);
        for (var i = 0; i < text.Length; i++)
        {
            if (written >= WireName.MostBytes)
            {
                return false;
            }
            if (text[i] != '.')
            {
                if (!TryReadByte(text, ref i, out wire[written]) || written - label > WireName.MostLabelBytes)
                {
                    return false;
                }
                written++;
                continue;
            }
            if (written - label == 1)
            {
                return false;
            }
            wire[label] = (byte)(written - label - 1);
            label = written++;
        }
        if (written - label > 1)
        {
            wire[label] = (byte)(written - label - 1);
            label = written++;
        }
        wire[label] = 0;
        if (written > WireName.MostBytes)
        {
            return false;
        }
        name = FromWire(wire[..written]);
        return true;
    }

    /// <summary>This name below another one; null when that is too long.</summary>
    public DomainName? Under(DomainName suffix)
    {
        var length = Wire.Length - 1 + suffix.Wire.Length;
        if (length > WireName.MostBytes)
        {
            return null;
        }
        return new DomainName([.. Wire[..^1], .. suffix.Wire]);
    }

    public DomainName Lower()
    {
        var lower = new byte[Wire.Length];
        WireName.Fold(Wire, lower);
        return new DomainName(lower);
    }

    public bool IsWithin(DomainName suffix) => WireName.IsWithin(Lower().Wire, suffix.Lower().Wire);

    public bool Equals(DomainName other) => WireName.EqualsIgnoringCase(Wire, other.Wire);

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is DomainName other && Equals(other);

    public override int GetHashCode() => NameComparer.HashOf(Lower().Wire);

    public static bool operator ==(DomainName left, DomainName right) => left.Equals(right);

    public static bool operator !=(DomainName left, DomainName right) => !left.Equals(right);

    /// <summary>With the closing dot, as zone files have it.</summary>
    public override string ToString()
    {
        if (IsRoot)
        {
            return ".";
        }
        var text = new StringBuilder();
        for (var name = Wire; name[0] != 0; name = WireName.Parent(name))
        {
            foreach (var b in name.Slice(1, name[0]))
            {
                if (b is (byte)'.' or (byte)'\\')
                {
                    text.Append('\\').Append((char)b);
                }
                else if (b is <= 0x20 or >= 0x7f)
                {
                    text.Append('\\').Append(b.ToString("000"));
                }
                else
                {
                    text.Append((char)b);
                }
            }
            text.Append('.');
        }
        return text.ToString();
    }

    private static bool TryReadByte(ReadOnlySpan<char> text, ref int at, out byte value)
    {
        value = 0;
        if (text[at] != '\\')
        {
            value = (byte)text[at];
            return text[at] is > ' ' and < (char)0x7f;
        }
        var rest = text[(at + 1)..];
        if (rest.Length >= 3 && char.IsAsciiDigit(rest[0]))
        {
            at += 3;
            return byte.TryParse(rest[..3], System.Globalization.NumberStyles.None, null, out value);
        }
        at++;
        value = rest.Length == 0 ? (byte)0 : (byte)rest[0];
        return rest.Length != 0 && rest[0] is > ' ' and < (char)0x7f;
    }
}
