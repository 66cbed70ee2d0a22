using System.Text;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Selectors;

/// <summary>Which objects, by their labels: all requirements must hold.</summary>
public sealed class Selector
{
    public static Selector Everything { get; } = new([], nothing: false);
    public static Selector Nothing { get; } = new([], nothing: true);

    private readonly Requirement[] requirements;
    private readonly bool nothing;

    internal Selector(Requirement[] requirements, bool nothing = false)
    {
        this.requirements = requirements;
        this.nothing = nothing;
    }

    public IReadOnlyList<Requirement> Requirements => requirements;

    public bool IsEverything => !nothing && requirements.Length == 0;

    /// <summary>Reads what `kubectl -l` and the query `labelSelector` take: `a=b,c!=d,e in (f,g),!h`. Empty selects everything.</summary>
    /// <exception cref="SelectorException"/>
    public static Selector Parse(string? text) => string.IsNullOrEmpty(text) ? Everything : new(new SelectorParser(text).Parse());

    /// <summary>The selector of a Deployment, a policy …: null selects nothing, an empty one everything.</summary>
    /// <exception cref="SelectorException"/>
    public static Selector From(LabelSelector? selector)
    {
        if (selector is null)
            return Nothing;
        var parts = new List<Requirement>(selector.MatchLabels.Count + selector.MatchExpressions.Count);
        foreach (var (key, value) in selector.MatchLabels)
            parts.Add(Requirement.Create(key, SelectorOperator.Equals, [value]));
        foreach (var expression in selector.MatchExpressions)
        {
            var op = expression.Operator switch
            {
                "In" => SelectorOperator.In,
                "NotIn" => SelectorOperator.NotIn,
                "Exists" => SelectorOperator.Exists,
                "DoesNotExist" => SelectorOperator.DoesNotExist,
                _ => throw new SelectorException($"\"{expression.Operator}\" is not a valid label selector operator"),
            };
            if (op is SelectorOperator.Exists or SelectorOperator.DoesNotExist && expression.Values.Count > 0)
                throw new SelectorException("values: Invalid value: values set must be empty for exists and does not exist");
            parts.Add(Requirement.Create(expression.Key, op, [.. expression.Values]));
        }
        return parts.Count == 0 ? Everything : new(Sorted(parts));
    }

    /// <summary>The plain map of a Service or ReplicationController: all labels must be there. Values are not checked: the API server has done so.</summary>
    public static Selector FromMap(IReadOnlyDictionary<string, string> labels)
    {
        var parts = new List<Requirement>(labels.Count);
        foreach (var (key, value) in labels)
            parts.Add(Requirement.Create(key, SelectorOperator.Equals, [value]));
        return parts.Count == 0 ? Everything : new(Sorted(parts));
    }

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        if (nothing)
            return false;
        foreach (var requirement in requirements)
        {
            if (!requirement.Matches(labels))
                return false;
        }
        return true;
    }

    /// <summary>The form that <see cref="Parse"/> reads; sorted by key, empty for everything.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var requirement in requirements)
        {
            if (text.Length > 0)
                text.Append(',');
            requirement.Print(text);
        }
        return text.ToString();
    }

    internal static Requirement[] Sorted(List<Requirement> parts)
    {
        var array = parts.ToArray();
        // Stable, as two requirements may have one key.
        Array.Sort(Keys(array), array, Comparer<(string Key, int Index)>.Create(static (a, b) =>
            string.CompareOrdinal(a.Key, b.Key) is var order && order != 0 ? order : a.Index.CompareTo(b.Index)));
        return array;
    }

    private static (string Key, int Index)[] Keys(Requirement[] parts)
    {
        var keys = new (string, int)[parts.Length];
        for (int i = 0; i < parts.Length; i++)
            keys[i] = (parts[i].Key, i);
        return keys;
    }
}
