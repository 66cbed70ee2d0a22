using System.Globalization;
using System.Text;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Cel;

/// <summary>`int(x)`, `uint(x)`, `double(x)`, `string(x)`, `bytes(x)`, `bool(x)`, `timestamp(x)`, `duration(x)`.</summary>
internal static class CelConversions
{
    /// <summary>0001-01-01 and 9999-12-31, in seconds since 1970.</summary>
    private const long FirstSecond = -62135596800, LastSecond = 253402300799;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="CelException"/>
    public static object Convert(string type, object value) => (type, value) switch
    {
        ("int", long) or ("uint", ulong) or ("double", double) or ("string", string) or ("bytes", CelBytes) or ("bool", bool) or ("timestamp", DateTimeOffset) or ("duration", TimeSpan) => value,
        ("int", ulong number) => number <= long.MaxValue ? (long)number : throw new CelException("integer overflow"),
        ("int", double real) => Math.Abs(real) < 9223372036854775808.0 ? (long)real : throw new CelException("integer overflow"),
        ("int", string text) when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        ("int", DateTimeOffset time) => time.ToUnixTimeSeconds(),
        ("int", TimeSpan span) => checked(span.Ticks * 100),
        ("uint", long number) => number >= 0 ? (ulong)number : throw new CelException("unsigned integer overflow"),
        ("uint", double real) => real is > -1 and < 18446744073709551616.0 ? (ulong)real : throw new CelException("unsigned integer overflow"),
        ("uint", string text) when ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        ("double", long number) => (double)number,
        ("double", ulong number) => (double)number,
        ("double", string text) when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) => real,
        ("string", bool truth) => truth ? "true" : "false",
        ("string", long or ulong) => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        ("string", double real) => real.ToString("R", CultureInfo.InvariantCulture),
        ("string", TimeSpan span) => ((decimal)span.Ticks / TimeSpan.TicksPerSecond).ToString("0.#######", CultureInfo.InvariantCulture) + "s",
        ("string", DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
        ("string", CelBytes bytes) => Text(bytes.Bytes),
        ("bytes", string text) => new CelBytes(Encoding.UTF8.GetBytes(text)),
        ("bool", "true" or "True" or "TRUE" or "t" or "1") => true,
        ("bool", "false" or "False" or "FALSE" or "f" or "0") => false,
        ("duration", string text) => GoDuration.TryParse(text, out var duration) ? duration : throw new CelException("type conversion error from 'string' to 'google.protobuf.Duration'"),
        ("timestamp", string text) when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => time,
        ("timestamp", long seconds) => seconds is >= FirstSecond and <= LastSecond ? DateTimeOffset.FromUnixTimeSeconds(seconds) : throw new CelException("timestamp overflow"),
        (_, string) => throw new CelException("type conversion error"),
        _ => throw CelEvaluation.Overload(),
    };

    private static string Text(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new CelException("invalid UTF-8 in bytes, cannot convert to string");
        }
    }
}

/// <summary>`b'…'`, and what `bytes(text)` gives.</summary>
internal sealed class CelBytes(byte[] bytes) : IEquatable<CelBytes>, IComparable<CelBytes>
{
    public byte[] Bytes => bytes;

    public int Count => bytes.Length;

    public static CelBytes operator +(CelBytes a, CelBytes b) => new([.. a.Bytes, .. b.Bytes]);

    public bool Equals(CelBytes? other) => other is not null && Bytes.AsSpan().SequenceEqual(other.Bytes);

    public override bool Equals(object? other) => Equals(other as CelBytes);

    public override int GetHashCode() => Count;

    public int CompareTo(CelBytes? other) => Bytes.AsSpan().SequenceCompareTo(other is null ? [] : other.Bytes);
}
