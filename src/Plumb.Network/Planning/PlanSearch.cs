using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Language;

namespace Plumb.Network.Planning;

/// <summary>
/// What of a plan may be about a thing that a person names. Of sets, which hold a hundred thousand elements, those are taken that the thing causes or that
/// hold it as bytes, and with them all of what wants one of these; of all else there is little, and it is taken whole. So it is more than what is about the
/// thing, and far less than everything.
/// </summary>
public sealed class PlanSearch
{
    private const int Step = 2; // parts of keys and data begin at every fourth byte, and some numbers are printed as two halves

    private readonly string _word;
    private readonly string _scope;
    private readonly string _name;
    private readonly List<byte[]> _patterns;

    /// <param name="word">An object (<c>website</c>, <c>default/website</c>), address, range, MAC, port, mark or name.</param>
    public PlanSearch(string word)
    {
        ArgumentException.ThrowIfNullOrEmpty(word);
        _word = word;
        var subject = word.AsSpan(word.LastIndexOf(' ') + 1);
        var slash = subject.IndexOf('/');
        (_scope, _name) = slash < 0 ? ("", subject.ToString()) : (subject[..slash].ToString(), subject[(slash + 1)..].ToString());
        _patterns = [.. Patterns(word)];
    }

    internal bool IsCause(Subject subject) => subject.Name == _name && (_scope.Length == 0 || subject.Scope == _scope);

    internal bool IsIn(ElementEntry entry)
    {
        var element = entry.Element;
        foreach (var pattern in _patterns)
        {
            if (Holds(element.Key.Span, pattern) || Holds(element.Last.Span, pattern) || Holds(element.Data.Span, pattern))
            {
                return true;
            }
        }
        return element.Verdict?.Chain == _word || element.ObjectName == _word || entry.Set.Name == _word || entry.Set.Table.Name == _word;
    }

    private static bool Holds(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> pattern)
    {
        for (var at = 0; at + pattern.Length <= bytes.Length; at += Step)
        {
            if (bytes.Slice(at, pattern.Length).SequenceEqual(pattern))
            {
                return true;
            }
        }
        return false;
    }

    // As a register holds it: addresses and ports in network order, marks and counts in the host's.
    private static IEnumerable<byte[]> Patterns(string word)
    {
        if (IpAddress.TryParse(word, out var address))
        {
            yield return address.ToBytes();
        }
        else if (IpPrefix.TryParse(word, out var range))
        {
            yield return range.First.ToBytes();
        }
        else if (MacAddress.TryParse(word, out var mac))
        {
            var bytes = new byte[MacAddress.ByteLength];
            mac.WriteBytes(bytes);
            yield return bytes;
        }
        else if (uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            if (number <= ushort.MaxValue)
            {
                var port = new byte[sizeof(ushort)];
                BinaryPrimitives.WriteUInt16BigEndian(port, (ushort)number);
                yield return port;
                yield return BitConverter.GetBytes((ushort)number);
            }
            else
            {
                yield return BitConverter.GetBytes(number);
            }
        }
        else if (word.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && uint.TryParse(word.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var mark))
        {
            yield return BitConverter.GetBytes(mark);
        }
        else if (word.IndexOf(':') is var colon and > 0
            && ushort.TryParse(word.AsSpan(0, colon), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var major)
            && ushort.TryParse(word.AsSpan(colon + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var minor))
        {
            // As nft prints what it takes for a handle of tc.
            yield return BitConverter.GetBytes(((uint)major << 16) | minor);
        }
        else if (Enum.TryParse<IpProtocol>(word, ignoreCase: true, out var protocol))
        {
            yield return [(byte)protocol];
        }
        else
        {
            yield return Encoding.UTF8.GetBytes(word);
        }
    }
}
