using System.Text;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Diagnosis.Explain;

/// <summary>
/// Chains of iptables in an answer. A chain that all Services share is shown by the rules that the question is about; a rule leads to the chain that
/// it jumps to, and that one's to others, down to the endpoints.
/// </summary>
internal sealed class RuleThread
{
    private readonly Dictionary<(NamespaceId, IptablesTable, string), (Explanation Explanation, IptablesChainEntry Chain)> _chains = [];
    private readonly HashSet<(NamespaceId, IptablesTable, string)> _whole = [];
    private readonly Dictionary<(NamespaceId, IptablesTable, string), HashSet<string>> _rules = [];

    private RuleThread(IReadOnlyList<Explanation> account, ObservedState observed)
    {
        foreach (var explanation in account)
        {
            if (observed.Entries.GetValueOrDefault(explanation.Key)?.Entry is IptablesChainEntry { IsBuiltIn: false } chain)
            {
                _chains[(chain.Namespace, chain.Table, chain.Name)] = (explanation, chain);
            }
        }
    }

    /// <summary>The answer with such chains cut to what matters, and those added that it leads to.</summary>
    /// <param name="isWhole">Whether a chain is the thing itself, or caused by it.</param>
    /// <param name="isNamed">Whether a rule names the thing.</param>
    public static IReadOnlyList<Explanation> Follow(
        List<Explanation> found, IReadOnlyList<Explanation> account, ObservedState observed, Func<Explanation, bool> isWhole, Func<string, bool> isNamed)
    {
        var thread = new RuleThread(account, observed);
        if (thread._chains.Count == 0)
        {
            return found;
        }
        var others = new List<Explanation>();
        foreach (var explanation in found)
        {
            if (observed.Entries.GetValueOrDefault(explanation.Key)?.Entry is not IptablesChainEntry { IsBuiltIn: false } chain)
            {
                others.Add(explanation);
            }
            else if (isWhole(explanation))
            {
                thread.AddWhole((chain.Namespace, chain.Table, chain.Name));
            }
            else
            {
                thread.AddRules(chain, chain.Rules.Where(isNamed));
            }
        }
        thread.AddWaysIn();
        others.AddRange(thread.Told());
        return others;
    }

    private void AddWhole((NamespaceId Place, IptablesTable Table, string Name) key)
    {
        if (_whole.Add(key))
        {
            AddTargets(key.Place, key.Table, _chains[key].Chain.Rules);
        }
    }

    private void AddRules(IptablesChainEntry chain, IEnumerable<string> rules)
    {
        foreach (var rule in rules)
        {
            if (!_rules.TryGetValue((chain.Namespace, chain.Table, chain.Name), out var its))
            {
                _rules[(chain.Namespace, chain.Table, chain.Name)] = its = new HashSet<string>(StringComparer.Ordinal);
            }
            if (its.Add(rule))
            {
                AddTargets(chain.Namespace, chain.Table, [rule]);
            }
        }
    }

    private void AddTargets(NamespaceId place, IptablesTable table, IEnumerable<string> rules)
    {
        foreach (var rule in rules)
        {
            // Not those that everybody's rules jump to.
            if (RuleText.Target(rule) is { } target
                && _chains.TryGetValue((place, table, target), out var there)
                && there.Explanation.Causes.Any(static cause => cause.Subject.Kind == SubjectKind.Service || cause.Subject.Kind == SubjectKind.EndpointSlice))
            {
                AddWhole((place, table, target));
            }
        }
    }

    // What leads to the chains that are told, and what is refused for the Services behind them.
    private void AddWaysIn()
    {
        var services = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in _whole)
        {
            foreach (var cause in _chains[key].Explanation.Causes)
            {
                if (cause.Subject.Kind == SubjectKind.Service)
                {
                    services.Add($"{cause.Subject.Scope}/{cause.Subject.Name}");
                }
            }
        }
        foreach (var (key, (_, chain)) in _chains)
        {
            if (!_whole.Contains(key))
            {
                AddRules(chain, [.. chain.Rules.Where(rule => Leads(rule, chain) || IsOf(rule, services))]);
            }
        }
    }

    private bool Leads(string rule, IptablesChainEntry from) =>
        RuleText.Target(rule) is { } target && _whole.Contains((from.Namespace, from.Table, target));

    private static bool IsOf(string rule, HashSet<string> services)
    {
        var name = RuleText.CommentOf(rule) ?? "";
        var end = name.AsSpan().IndexOfAny(' ', ':');
        return services.Contains(end < 0 ? name : name[..end]);
    }

    private IEnumerable<Explanation> Told()
    {
        foreach (var (key, (explanation, chain)) in _chains)
        {
            if (_whole.Contains(key))
            {
                yield return explanation;
            }
            else if (_rules.TryGetValue(key, out var rules))
            {
                var text = new StringBuilder(chain.Print().Split('\n')[0]);
                foreach (var rule in chain.Rules)
                {
                    if (rules.Contains(rule))
                    {
                        text.Append("\n    -A ").Append(chain.Name).Append(' ').Append(rule);
                    }
                }
                var left = chain.Rules.Count - rules.Count;
                yield return explanation with { Text = left <= 0 ? text.ToString() : text.Append($"\n    (and {left} more)").ToString() };
            }
        }
    }
}
