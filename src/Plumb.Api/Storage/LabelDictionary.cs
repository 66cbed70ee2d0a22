using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Plumb.Api.Storage;

/// <summary>An object's labels: a few pairs in one array, since a thousand pods keep several versions of them.</summary>
public sealed class LabelDictionary : IReadOnlyDictionary<string, string>, IEquatable<LabelDictionary>
{
    public static readonly LabelDictionary Empty = new([]);

    private readonly KeyValuePair<string, string>[] _pairs;

    internal LabelDictionary(KeyValuePair<string, string>[] pairs) => _pairs = pairs;

    public int Count => _pairs.Length;

    public IEnumerable<string> Keys => _pairs.Select(static pair => pair.Key);

    public IEnumerable<string> Values => _pairs.Select(static pair => pair.Value);

    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException(key);

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        foreach (var pair in _pairs)
        {
            if (pair.Key == key)
            {
                value = pair.Value;
                return true;
            }
        }

        value = null;
        return false;
    }

    public bool Equals(LabelDictionary? other)
    {
        if (other is null || other._pairs.Length != _pairs.Length)
            return false;
        for (var i = 0; i < _pairs.Length; i++)
        {
            if (_pairs[i].Key != other._pairs[i].Key || _pairs[i].Value != other._pairs[i].Value)
                return false;
        }

        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as LabelDictionary);

    public override int GetHashCode() => _pairs.Length == 0 ? 0 : HashCode.Combine(_pairs.Length, _pairs[0].Key, _pairs[0].Value);

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, string>>)_pairs).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
