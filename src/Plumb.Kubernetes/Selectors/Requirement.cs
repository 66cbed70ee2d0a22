using System.Globalization;
using System.Text;

namespace Plumb.Kubernetes.Selectors;

public enum SelectorOperator { Exists, DoesNotExist, In, NotIn, Equals, NotEquals, GreaterThan, LessThan }

/// <summary>One condition on one label.</summary>
public sealed class Requirement
{
    private Requirement(string key, SelectorOperator op, string[] values)
    {
        Key = key;
        Operator = op;
        Values = values;
    }

    public string Key { get; }
    public SelectorOperator Operator { get; }
    public IReadOnlyList<string> Values { get; }

    /// <param name="prefix">What the server's message has before the path of the wrong part.</param>
    /// <exception cref="SelectorException">The key is no label key, a value no label value, or there are too few or too many values.</exception>
    internal static Requirement Create(string key, SelectorOperator op, string[] values, string prefix = "")
    {
        var errors = new List<string>();
        if (LabelSyntax.CheckKey(key) is { } keyError)
            errors.Add($"key: Invalid value: \"{key}\": {keyError}");
        switch (op)
        {
            case SelectorOperator.In or SelectorOperator.NotIn when values.Length == 0:
                errors.Add("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
                break;
            case SelectorOperator.GreaterThan or SelectorOperator.LessThan:
                for (int i = 0; i < values.Length; i++)
                {
                    if (!long.TryParse(values[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
                        errors.Add($"values[{i}]: Invalid value: \"{values[i]}\": for 'Gt', 'Lt' operators, the value must be an integer");
                }
                break;
        }
        for (int i = 0; i < values.Length; i++)
        {
            if (LabelSyntax.CheckValue(values[i]) is { } valueError)
                errors.Add($"values[{i}][{key}]: Invalid value: \"{values[i]}\": {valueError}");
        }
        if (errors.Count > 0)
            throw new SelectorException(prefix + (errors.Count == 1 ? errors[0] : $"[{string.Join(", ", errors)}]"));
        return new(key, op, values);
    }

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        bool present = labels.TryGetValue(Key, out string? value);
        return Operator switch
        {
            SelectorOperator.Exists => present,
            SelectorOperator.DoesNotExist => !present,
            SelectorOperator.In or SelectorOperator.Equals => present && Has(value!),
            SelectorOperator.NotIn or SelectorOperator.NotEquals => !present || !Has(value!),
            _ => present
                && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
                && (Operator == SelectorOperator.GreaterThan ? number > Limit : number < Limit),
        };
    }

    private long Limit => long.Parse(Values[0], CultureInfo.InvariantCulture);

    private bool Has(string value)
    {
        foreach (string one in (string[])Values)
        {
            if (one == value)
                return true;
        }
        return false;
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        Print(text);
        return text.ToString();
    }

    internal void Print(StringBuilder text)
    {
        if (Operator == SelectorOperator.DoesNotExist)
            text.Append('!');
        text.Append(Key);
        switch (Operator)
        {
            case SelectorOperator.Equals:
                text.Append('=').Append(Values[0]);
                break;
            case SelectorOperator.NotEquals:
                text.Append("!=").Append(Values[0]);
                break;
            case SelectorOperator.GreaterThan:
                text.Append('>').Append(Values[0]);
                break;
            case SelectorOperator.LessThan:
                text.Append('<').Append(Values[0]);
                break;
            case SelectorOperator.In or SelectorOperator.NotIn:
                string[] sorted = [.. Values];
                Array.Sort(sorted, StringComparer.Ordinal);
                text.Append(Operator == SelectorOperator.In ? " in (" : " notin (").AppendJoin(',', sorted).Append(')');
                break;
        }
    }
}
