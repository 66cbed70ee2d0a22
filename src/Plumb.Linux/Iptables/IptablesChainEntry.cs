using System.Text;
using System.Text.Json.Serialization;
using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>
/// A chain of iptables. One that somebody made is the unit of difference with all its rules. A built-in one is there for everybody:
/// it has a policy, and each of its rules is an entry of its own (<see cref="IptablesRuleEntry"/>).
/// </summary>
public sealed record IptablesChainEntry(NamespaceId Namespace, IptablesTable Table, string Name) : Entry(Namespace)
{
    /// <summary><c>ACCEPT</c> or <c>DROP</c>; null for a chain that is only jumped to.</summary>
    public string? Policy { get; init; }

    /// <summary>As <c>iptables-save</c> prints them behind <c>-A CHAIN</c>; see <see cref="RuleText"/>.</summary>
    public ValueList<string> Rules { get; init; }

    [JsonIgnore]
    public bool IsBuiltIn => Policy is not null;

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.IptablesChain;

    protected override string NaturalKey() => $"{Table} {Name}";

    /// <summary>As it would be typed; the rules on lines of their own.</summary>
    public override string Print()
    {
        var text = new StringBuilder(Table.Command).Append(IsBuiltIn ? " -P " : " -N ").Append(Name);
        if (IsBuiltIn)
        {
            text.Append(' ').Append(Policy);
        }
        foreach (var rule in Rules)
        {
            text.Append("\n    -A ").Append(Name).Append(' ').Append(rule);
        }
        return text.ToString();
    }
}

/// <summary>A rule in a built-in chain, where rules of several programs stand together: hence known by its text, and not by its place.</summary>
/// <param name="Text">As <c>iptables-save</c> prints it behind <c>-A CHAIN</c>.</param>
public sealed record IptablesRuleEntry(NamespaceId Namespace, IptablesTable Table, string Chain, string Text) : Entry(Namespace)
{
    /// <summary>0 for the first rule of this text in the chain, 1 for its first copy.</summary>
    public int Copy { get; init; }

    /// <summary>Of rules that are put at the head of a chain together, the lowest comes first. Where a rule stands is observed in its facts.</summary>
    [JsonIgnore]
    public int Order { get; init; }

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.IptablesRule;

    protected override string NaturalKey() => $"{Table} {Chain} {Text}{(Copy == 0 ? "" : $" #{Copy + 1}")}";

    // Its key says all of it.
    public override bool IsSatisfiedBy(Entry observed) => observed is IptablesRuleEntry rule && rule.Key == Key;

    public override string Print() => $"{Table.Command} -A {Chain} {Text}";
}
