using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <param name="Observed">Null for an element of a set without a name.</param>
internal readonly record struct FoundElement(SetElement Element, Observed? Observed);

/// <summary>
/// Finds the element of a set for a key as the kernel's set types do: by hash (nft_set_hash), by the order of range ends (nft_set_rbtree), and ranges over
/// several parts each part for itself (nft_set_pipapo).
/// </summary>
internal sealed class ElementIndex
{
    private readonly SetSchema _schema;
    private readonly int _count;
    private readonly FoundElement? _catchAll;
    private readonly Dictionary<Octets, FoundElement> _exact = [];

    /// <summary>Ranges of one part, by their first key; they do not meet.</summary>
    private readonly FoundElement[] _ranges = [];

    /// <summary>Ranges over several parts, by those parts that are no range in any element.</summary>
    private readonly Dictionary<Octets, List<FoundElement>> _concatenations = [];
    private readonly bool[] _isExactPart = [];

    /// <summary>Null: all of them are here.</summary>
    private readonly Func<Octets, FoundElement?>? _ask;
    private readonly Lazy<ElementIndex>? _all;

    /// <summary>A set without intervals, of which each element is asked for by its key.</summary>
    /// <param name="all">For whoever wants to know of all.</param>
    public ElementIndex(SetSchema schema, Func<Octets, FoundElement?> ask, Func<IReadOnlyList<FoundElement>> all)
    {
        _schema = schema;
        _ask = ask;
        _all = new Lazy<ElementIndex>(() => new ElementIndex(schema, all()));
    }

    public ElementIndex(SetSchema schema, IReadOnlyList<FoundElement> elements)
    {
        _schema = schema;
        _count = elements.Count;
        var live = new List<FoundElement>(elements.Count);
        foreach (var element in elements)
        {
            if (element.Element.IsCatchAll)
            {
                _catchAll = element;
            }
            else if (element.Element.ExpiresMilliseconds is not 0)
            {
                live.Add(element);
            }
        }
        if (!schema.IsInterval)
        {
            _exact.EnsureCapacity(live.Count);
            live.ForEach(element => _exact[element.Element.Key] = element);
        }
        else if (!schema.IsConcatenation)
        {
            _ranges = [.. live];
            Array.Sort(_ranges, static (left, right) => left.Element.Key.CompareTo(right.Element.Key));
        }
        else
        {
            _isExactPart = ExactParts(live);
            foreach (var element in live)
            {
                var bucket = Bucket(element.Element.Key.Span);
                if (!_concatenations.TryGetValue(bucket, out var list))
                {
                    _concatenations[bucket] = list = [];
                }
                list.Add(element);
            }
        }
    }

    public int Count => _all?.Value.Count ?? _count;

    public SetSchema Schema => _schema;

    public FoundElement? Find(ReadOnlySpan<byte> key) =>
        (!_schema.IsInterval ? FindExact(key) : _schema.IsConcatenation ? FindConcatenation(key) : FindRange(key)) ?? _catchAll;

    /// <summary>Whether an element could be found for a key of which not all bits are known: the kernel compares bits that nobody here has seen.</summary>
    /// <param name="unknown">A bit for each bit of the key.</param>
    public bool MayHold(ReadOnlySpan<byte> key, ReadOnlySpan<byte> unknown)
    {
        if (_all is not null)
        {
            return _all.Value.MayHold(key, unknown);
        }
        if (_catchAll is not null)
        {
            return true;
        }
        foreach (var found in _exact.Values)
        {
            if (Agrees(found.Element.Key.Span, key, unknown))
            {
                return true;
            }
        }
        foreach (var found in _ranges)
        {
            if (MayHold(found.Element, key, unknown))
            {
                return true;
            }
        }
        foreach (var some in _concatenations.Values)
        {
            foreach (var found in some)
            {
                if (MayHold(found.Element, key, unknown))
                {
                    return true;
                }
            }
        }
        return false;
    }

    /// <summary>Where ranges of one part begin and end, for whoever asks which keys make a difference.</summary>
    public IEnumerable<(Octets First, Octets Last)> Bounds()
    {
        foreach (var element in _schema.IsInterval ? _ranges : [.. (_all?.Value ?? this)._exact.Values])
        {
            yield return (element.Element.Key, element.Element.IsRange ? element.Element.Last : element.Element.Key);
        }
    }

    private FoundElement? FindExact(ReadOnlySpan<byte> key)
    {
        var wanted = new Octets(key);
        return _ask is not null ? _ask(wanted) : _exact.TryGetValue(wanted, out var found) ? found : null;
    }

    private FoundElement? FindRange(ReadOnlySpan<byte> key)
    {
        var (low, high) = (0, _ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var element = _ranges[middle].Element;
            if (key.SequenceCompareTo(element.Key.Span) < 0)
            {
                high = middle - 1;
            }
            else if (key.SequenceCompareTo((element.IsRange ? element.Last : element.Key).Span) > 0)
            {
                low = middle + 1;
            }
            else
            {
                return _ranges[middle];
            }
        }
        return null;
    }

    private FoundElement? FindConcatenation(ReadOnlySpan<byte> key)
    {
        if (!_concatenations.TryGetValue(Bucket(key), out var candidates))
        {
            return null;
        }
        foreach (var candidate in candidates)
        {
            if (Holds(candidate.Element, key))
            {
                return candidate;
            }
        }
        return null;
    }

    private bool Holds(SetElement element, ReadOnlySpan<byte> key)
    {
        var first = element.Key.Span;
        var last = (element.IsRange ? element.Last : element.Key).Span;
        for (int part = 0, at = 0; part < _schema.Key.Count; part++)
        {
            var length = _schema.Key[part].PaddedBytes;
            if (key.Slice(at, length).SequenceCompareTo(first.Slice(at, length)) < 0 || key.Slice(at, length).SequenceCompareTo(last.Slice(at, length)) > 0)
            {
                return false;
            }
            at += length;
        }
        return true;
    }

    // A part of which anything is unknown may be in any range.
    private bool MayHold(SetElement element, ReadOnlySpan<byte> key, ReadOnlySpan<byte> unknown)
    {
        var first = element.Key.Span;
        var last = (element.IsRange ? element.Last : element.Key).Span;
        for (int part = 0, at = 0; part < _schema.Key.Count; part++)
        {
            var length = Math.Min(_schema.Key[part].PaddedBytes, key.Length - at);
            if (unknown.Slice(at, length).IndexOfAnyExcept((byte)0) < 0
                && (key.Slice(at, length).SequenceCompareTo(first.Slice(at, length)) < 0 || key.Slice(at, length).SequenceCompareTo(last.Slice(at, length)) > 0))
            {
                return false;
            }
            at += length;
        }
        return true;
    }

    private static bool Agrees(ReadOnlySpan<byte> held, ReadOnlySpan<byte> key, ReadOnlySpan<byte> unknown)
    {
        for (var i = 0; i < held.Length; i++)
        {
            if (((held[i] ^ key[i]) & ~unknown[i]) != 0)
            {
                return false;
            }
        }
        return true;
    }

    private bool[] ExactParts(List<FoundElement> elements)
    {
        bool[] exact = [.. Enumerable.Repeat(true, _schema.Key.Count)];
        foreach (var found in elements)
        {
            if (!found.Element.IsRange)
            {
                continue;
            }
            for (int part = 0, at = 0; part < exact.Length; part++)
            {
                var length = _schema.Key[part].PaddedBytes;
                exact[part] &= found.Element.Key.Span.Slice(at, length).SequenceEqual(found.Element.Last.Span.Slice(at, length));
                at += length;
            }
        }
        return exact;
    }

    private Octets Bucket(ReadOnlySpan<byte> key)
    {
        var bucket = key.ToArray();
        for (int part = 0, at = 0; part < _isExactPart.Length; part++)
        {
            var length = _schema.Key[part].PaddedBytes;
            if (!_isExactPart[part])
            {
                bucket.AsSpan(at, length).Clear();
            }
            at += length;
        }
        return Octets.Adopt(bucket);
    }
}
