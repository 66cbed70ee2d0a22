using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>One element: a key, or an inclusive range of keys, and what a map gives for it.</summary>
/// <param name="Key">Components one after another, each padded to four bytes if there are several.</param>
public sealed record SetElement(Octets Key)
{
    // A hundred thousand elements are a key and a value each, and few have more: that stands apart.
    private Rest? _rest;

    private Rest Given => _rest ?? Rest.None;

    /// <summary>The last key of a range, inclusive, component by component; empty: <see cref="Key"/> alone.</summary>
    public Octets Last { get => _rest?.Last ?? default; init => _rest = _rest is null && value.IsEmpty ? null : Given with { Last = value }; }

    /// <summary>NFT_SET_ELEM_CATCHALL, <c>*</c>: found when nothing else is.</summary>
    public bool IsCatchAll { get => _rest?.IsCatchAll ?? false; init => _rest = _rest is null && !value ? null : Given with { IsCatchAll = value }; }

    public Octets Data { get; init; }

    public Verdict? Verdict { get; init; }

    /// <summary>The object of an object map.</summary>
    public string? ObjectName { get => _rest?.ObjectName; init => _rest = _rest is null && value is null ? null : Given with { ObjectName = value }; }

    /// <summary>Null: the set's, or none.</summary>
    public ulong? TimeoutMilliseconds { get => _rest?.TimeoutMilliseconds; init => _rest = _rest is null && value is null ? null : Given with { TimeoutMilliseconds = value }; }

    /// <summary>What is left of the timeout, as observed; no part of equality.</summary>
    public ulong? ExpiresMilliseconds { get => _rest?.ExpiresMilliseconds; init => _rest = _rest is null && value is null ? null : Given with { ExpiresMilliseconds = value }; }

    /// <summary>What the element runs when it is found.</summary>
    public ValueList<Expression> Statements { get => _rest?.Statements ?? default; init => _rest = _rest is null && value.Count == 0 ? null : Given with { Statements = value }; }

    public bool IsRange => !Last.IsEmpty;

    public bool Equals(SetElement? other) =>
        other is not null
        && Key == other.Key
        && Last == other.Last
        && Data == other.Data
        && IsCatchAll == other.IsCatchAll
        && Verdict == other.Verdict
        && ObjectName == other.ObjectName
        && TimeoutMilliseconds == other.TimeoutMilliseconds
        && Statements == other.Statements;

    public override int GetHashCode() => HashCode.Combine(Key, Last, Data, Verdict);

    /// <summary>Encodes values as the schema wants them.</summary>
    /// <exception cref="ArgumentException">A value does not fit its place.</exception>
    public static SetElement Of(SetSchema schema, ReadOnlySpan<Value> key, ReadOnlySpan<Value> data)
    {
        ArgumentNullException.ThrowIfNull(schema);
        if (key.Length != schema.Key.Count)
        {
            throw new ArgumentException($"set {schema.Name} has a key of {schema.Key.Count} parts, not {key.Length}");
        }
        var first = new byte[schema.KeyBytes];
        var last = new byte[first.Length];
        var isRange = false;
        for (int i = 0, at = 0; i < key.Length; i++)
        {
            var field = schema.Key[i];
            isRange |= key[i].IsRange;
            Octets.Write(first.AsSpan(at, field.Bytes), key[i].First(field), Order(schema, i));
            Octets.Write(last.AsSpan(at, field.Bytes), key[i].Last(field), Order(schema, i));
            at += field.PaddedBytes;
        }
        if (isRange && !schema.IsInterval)
        {
            throw new ArgumentException($"set {schema.Name} has no flag 'interval', so its elements cannot be ranges or prefixes");
        }
        return new SetElement(Octets.Adopt(first)) { Last = isRange ? Octets.Adopt(last) : default, Data = Encode(schema.Data, data) };
    }

    /// <summary>
    /// The order in which nft lists elements, which is also the one in which an anonymous set's are kept. Ranges over several parts
    /// stay as they come: nft does not sort those, and the kernel keeps them in the order in which they were added.
    /// </summary>
    internal static ValueList<SetElement> Sorted(ValueList<SetElement> elements, SetSchema schema)
    {
        if (schema is { IsInterval: true, IsConcatenation: true })
        {
            return elements;
        }
        var items = elements.AsSpan().ToArray();
        Array.Sort(items, (a, b) => CompareAsListed(a, b, schema));
        return [.. items];
    }

    // nft reads a concatenation's bytes as one number whose last byte is the highest, and a single value as the number that it is.
    internal static int CompareAsListed(SetElement a, SetElement b, SetSchema schema)
    {
        if (a.IsCatchAll != b.IsCatchAll)
        {
            return a.IsCatchAll ? 1 : -1;
        }
        if (!schema.IsConcatenation)
        {
            var order = schema.KeyOrder(0);
            return order == ByteOrder.Host && !schema.IsInterval
                ? a.Key.ToNumber(order).CompareTo(b.Key.ToNumber(order))
                : a.Key.CompareTo(b.Key);
        }
        var left = a.Key.Span;
        var right = b.Key.Span;
        for (var i = left.Length - 1; i >= 0; i--)
        {
            if (left[i] != right[i])
            {
                return left[i].CompareTo(right[i]);
            }
        }
        return 0;
    }

    private static ByteOrder Order(SetSchema schema, int component) =>
        schema.Key[component].Type.IsText ? ByteOrder.Big : schema.KeyOrder(component);

    private static Octets Encode(MapData? shape, ReadOnlySpan<Value> data)
    {
        if (shape is not MapData.Fields { Items: var fields })
        {
            return data.IsEmpty ? default : throw new ArgumentException("only a map of values has data in its elements");
        }
        if (data.Length != fields.Count)
        {
            throw new ArgumentException($"the map's data has {fields.Count} parts, not {data.Length}");
        }
        var bytes = new byte[SetSchema.Bytes(fields)];
        for (int i = 0, at = 0; i < data.Length; i++)
        {
            var order = fields[i].Type.IsText ? ByteOrder.Big : fields[i].Order;
            Octets.Write(bytes.AsSpan(at, fields[i].Bytes), data[i].First(fields[i]), order);
            at += fields[i].PaddedBytes;
        }
        return Octets.Adopt(bytes);
    }

    private sealed record Rest
    {
        public static readonly Rest None = new();

        public Octets Last { get; init; }
        public bool IsCatchAll { get; init; }
        public string? ObjectName { get; init; }
        public ulong? TimeoutMilliseconds { get; init; }
        public ulong? ExpiresMilliseconds { get; init; }
        public ValueList<Expression> Statements { get; init; }
    }
}
