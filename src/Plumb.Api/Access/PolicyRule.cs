using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Access;

/// <summary>One rule of a role, as roles are compared: what it lets its holder do.</summary>
internal sealed record PolicyRule(List<string> Groups, List<string> Resources, List<string> Urls, List<string> Names, List<string> Verbs)
{
    public static PolicyRule Of(JsonObject rule) => new(
        MetadataValidation.Texts(rule, "apiGroups"), MetadataValidation.Texts(rule, "resources"), MetadataValidation.Texts(rule, "nonResourceURLs"),
        MetadataValidation.Texts(rule, "resourceNames"), MetadataValidation.Texts(rule, "verbs"));

    /// <summary>Everything that there is.</summary>
    public static readonly IReadOnlyList<PolicyRule> FullAuthority = [new(["*"], ["*"], [], [], ["*"]), new([], [], ["*"], [], ["*"])];

    /// <summary>The rights that no rule of the owner gives. One right is one verb on one thing; each must be given whole by one rule.</summary>
    public static List<PolicyRule> Missing(IReadOnlyList<PolicyRule> owned, IEnumerable<PolicyRule> wanted) =>
        [.. wanted.SelectMany(static rule => rule.Rights()).Where(right => !owned.Any(rule => rule.Covers(right)))];

    /// <summary>Rights that differ in their verb alone, told as one rule.</summary>
    public static List<PolicyRule> Compact(IEnumerable<PolicyRule> rights)
    {
        var compact = new List<PolicyRule>();
        var byThing = new Dictionary<(string Group, string Resource, string? Name), PolicyRule>();
        foreach (var right in rights)
        {
            if (right.Urls.Count > 0)
            {
                compact.Add(right);
                continue;
            }

            var thing = (right.Groups[0], right.Resources[0], right.Names.FirstOrDefault());
            if (byThing.TryGetValue(thing, out var known))
                known.Verbs.AddRange(right.Verbs);
            else
                byThing.Add(thing, right with { Verbs = [.. right.Verbs] });
        }

        compact.AddRange(byThing.Values);
        return compact;
    }

    /// <summary>As the real server prints it, in Go's way of quoting lists.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        foreach (var (name, values) in (ReadOnlySpan<(string, List<string>)>)[("APIGroups", Groups), ("Resources", Resources), ("NonResourceURLs", Urls), ("ResourceNames", Names), ("Verbs", Verbs)])
        {
            if (values.Count > 0)
                parts.Add($"{name}:{Quoted(values)}");
        }

        return $"{{{string.Join(", ", parts)}}}";
    }

    /// <summary>`["a" "b"]`.</summary>
    public static string Quoted(IEnumerable<string> texts) => $"[{string.Join(' ', texts.Select(FieldErrors.Quote))}]";

    private IEnumerable<PolicyRule> Rights()
    {
        foreach (var group in Groups)
        {
            foreach (var resource in Resources)
            {
                foreach (var verb in Verbs)
                {
                    if (Names.Count == 0)
                        yield return new PolicyRule([group], [resource], [], [], [verb]);
                    foreach (var name in Names)
                        yield return new PolicyRule([group], [resource], [], [name], [verb]);
                }
            }
        }

        foreach (var url in Urls)
        {
            foreach (var verb in Verbs)
                yield return new PolicyRule([], [], [url], [], [verb]);
        }
    }

    private bool Covers(PolicyRule right)
    {
        if (!Has(Verbs, right.Verbs[0]))
            return false;
        if (right.Urls.Count > 0)
            return Urls.Exists(url => url == "*" || url == right.Urls[0] || (url.EndsWith('*') && right.Urls[0].StartsWith(url[..^1], StringComparison.Ordinal)));
        return Has(Groups, right.Groups[0]) && HasResource(right.Resources[0]) && (Names.Count == 0 || (right.Names.Count > 0 && Names.Contains(right.Names[0])));
    }

    private static bool Has(List<string> given, string wanted) => given.Contains("*") || given.Contains(wanted);

    /// <summary>`*/scale` gives the scale of every resource.</summary>
    private bool HasResource(string wanted)
    {
        var slash = wanted.IndexOf('/', StringComparison.Ordinal);
        return Has(Resources, wanted) || (slash >= 0 && Resources.Contains("*" + wanted[slash..]));
    }
}
