using System.Security.Cryptography;
using System.Text;
using Plumb.Linux.State;

namespace Plumb.Network;

/// <summary>
/// Why an entry is in a plan: the thing that caused it and, where one field did, the path of that field. One object is shared
/// by all entries of one cause.
/// </summary>
/// <param name="Field">Path as <c>kubectl explain</c> writes it, with indices: <c>spec.podCIDRs[0]</c>; empty: the thing as a whole.</param>
public sealed record Origin(Subject Subject, string Field = "") : IComparable<Origin>
{
    /// <summary>What every stamp begins with, and by which a link is known to be Plumb's.</summary>
    public const string StampPrefix = "plumb:";

    /// <summary>NFTNL_UDATA_*_COMMENT_MAXLEN: 128 bytes with the closing zero.</summary>
    public const int CommentBytes = 127;

    /// <summary>IFALIASZ: 256 bytes with the closing zero.</summary>
    public const int AliasBytes = 255;

    private const int HashDigits = 8;

    private Stamp? _comment; // thousands of elements share one cause

    /// <summary>The same cause, narrowed to one field.</summary>
    public Origin At(string field) => new(Subject, field);

    /// <summary>
    /// The form that fits where a kernel has room for it: <c>plumb:Pod default/client spec.x</c>. What is longer is cut and ends
    /// in <c>~</c> with eight hexadecimal digits of the whole's SHA-256, so that two long names do not become one.
    /// </summary>
    /// <param name="limitBytes">Room in UTF-8 bytes; see <see cref="CommentBytes"/> and <see cref="AliasBytes"/>.</param>
    public Stamp ToStamp(int limitBytes) => limitBytes == CommentBytes ? _comment ??= MakeStamp(limitBytes) : MakeStamp(limitBytes);

    private Stamp MakeStamp(int limitBytes)
    {
        var whole = StampPrefix + this;
        // A quote or a control character would end the comment where `nft list` prints it.
        if (whole.AsSpan().ContainsAnyInRange('\0', '\x1f') || whole.Contains('"'))
        {
            whole = Cleaned(whole);
        }
        return Encoding.UTF8.GetByteCount(whole) <= limitBytes ? new Stamp(whole) : new Stamp(Cut(whole, limitBytes));
    }

    /// <summary>Reads a stamp back. Of a cut one the remaining name is told, with the hash that ends it.</summary>
    public static bool TryParse(Stamp stamp, out Origin? origin)
    {
        origin = null;
        var text = stamp.Text;
        if (text is null || !text.StartsWith(StampPrefix, StringComparison.Ordinal))
        {
            return false;
        }
        var words = text.AsSpan(StampPrefix.Length);
        var kindEnd = words.IndexOf(' ');
        var kind = kindEnd < 0 ? words : words[..kindEnd];
        if (kind.Length == 0)
        {
            return false;
        }
        var rest = kindEnd < 0 ? default : words[(kindEnd + 1)..];
        var nameEnd = rest.IndexOf(' ');
        var name = nameEnd < 0 ? rest : rest[..nameEnd];
        var field = nameEnd < 0 ? default : rest[(nameEnd + 1)..];
        var slash = name.IndexOf('/');
        var subject = new Subject(
            new SubjectKind(kind.ToString()),
            slash < 0 ? "" : name[..slash].ToString(),
            name[(slash + 1)..].ToString());
        origin = new Origin(subject, field.ToString());
        return true;
    }

    public bool Equals(Origin? other) => other is not null && Subject == other.Subject && Field == other.Field;

    public override int GetHashCode() => HashCode.Combine(Subject, Field);

    public int CompareTo(Origin? other)
    {
        if (other is null)
        {
            return 1;
        }
        var bySubject = Subject.CompareTo(other.Subject);
        return bySubject != 0 ? bySubject : string.CompareOrdinal(Field, other.Field);
    }

    public override string ToString() => Field.Length == 0 ? Subject.ToString() : $"{Subject} {Field}";

    private static string Cleaned(string text) => string.Create(text.Length, text, static (span, source) =>
    {
        for (var i = 0; i < span.Length; i++)
        {
            span[i] = source[i] is < ' ' or '"' ? '?' : source[i];
        }
    });

    private static string Cut(string whole, int limitBytes)
    {
        var bytes = Encoding.UTF8.GetBytes(whole);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes), 0, HashDigits / 2);
        var room = limitBytes - HashDigits - 1;
        // Not through the middle of a character: continuation bytes are 10xxxxxx.
        while (room > 0 && (bytes[room] & 0xc0) == 0x80)
        {
            room--;
        }
        return $"{Encoding.UTF8.GetString(bytes, 0, room)}~{hash}";
    }
}
