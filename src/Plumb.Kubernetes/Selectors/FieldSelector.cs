using System.Text;

namespace Plumb.Kubernetes.Selectors;

/// <summary>Which objects, by a few of their fields: `metadata.name=a,spec.nodeName!=b`. All requirements must hold.</summary>
public sealed class FieldSelector
{
    public static FieldSelector Everything { get; } = new([]);

    private readonly FieldRequirement[] requirements;

    private FieldSelector(FieldRequirement[] requirements) => this.requirements = requirements;

    public IReadOnlyList<FieldRequirement> Requirements => requirements;

    public bool IsEverything => requirements.Length == 0;

    /// <exception cref="SelectorException"/>
    public static FieldSelector Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return Everything;
        var found = new List<FieldRequirement>();
        int start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] == '\\')
            {
                i++;
            }
            else if (i >= text.Length || text[i] == ',')
            {
                if (i > start)
                    found.Add(ParseTerm(text, text[start..Math.Min(i, text.Length)]));
                start = i + 1;
            }
        }
        if (start < text.Length)
            found.Add(ParseTerm(text, text[start..]));
        return new([.. found]);
    }

    /// <summary>Selects one object of a collection, or what has one value in one field.</summary>
    public static FieldSelector Equal(string field, string value) => new([new(field, value, Negated: false)]);

    /// <summary>The value that the selector asks of a field, when it asks for exactly one: lets a server look it up rather than walk all.</summary>
    public string? RequiredValue(string field)
    {
        foreach (var requirement in requirements)
        {
            if (!requirement.Negated && requirement.Field == field)
                return requirement.Value;
        }
        return null;
    }

    /// <param name="value">The text of a field of the object; empty where the object has none.</param>
    public bool Matches<TState>(TState state, Func<TState, string, string> value)
    {
        foreach (var requirement in requirements)
        {
            if (requirement.Negated == (value(state, requirement.Field) == requirement.Value))
                return false;
        }
        return true;
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (field, value, negated) in requirements)
        {
            text.Append(text.Length > 0 ? "," : "").Append(field).Append(negated ? "!=" : "=");
            foreach (char c in value)
                text.Append(c is '\\' or ',' or '=' ? "\\" : "").Append(c);
        }
        return text.ToString();
    }

    private static FieldRequirement ParseTerm(string whole, string term)
    {
        for (int i = 0; i < term.Length; i++)
        {
            if (term[i] == '=')
            {
                int length = i + 1 < term.Length && term[i + 1] == '=' ? 2 : 1;
                return new(term[..i], Unescape(term.AsSpan(i + length)), Negated: false);
            }
            if (term[i] == '!' && i + 1 < term.Length && term[i + 1] == '=')
                return new(term[..i], Unescape(term.AsSpan(i + 2)), Negated: true);
        }
        throw new SelectorException($"invalid selector: '{whole}'; can't understand '{term}'");
    }

    private static string Unescape(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAny("\\,=") < 0)
            return text.ToString();
        var value = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c is ',' or '=')
                throw new SelectorException($"invalid field selector: unescaped character in value: {c}");
            if (c == '\\')
            {
                if (++i == text.Length || text[i] is not ('\\' or ',' or '='))
                    throw new SelectorException($"invalid field selector: invalid escape sequence: {text[(i - 1)..Math.Min(i + 1, text.Length)]}");
                c = text[i];
            }
            value.Append(c);
        }
        return value.ToString();
    }
}

/// <summary><see cref="Field"/> equals, or when negated does not equal, <see cref="Value"/>.</summary>
public readonly record struct FieldRequirement(string Field, string Value, bool Negated);
