using System.Globalization;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Answering;

/// <summary>What a client's /etc/resolv.conf says (<c>resolv.conf(5)</c>).</summary>
/// <param name="Servers">As they stand there.</param>
/// <param name="Search">Domains that are appended, in order.</param>
/// <param name="Dots">A name with at least so many dots is tried as it is first.</param>
public sealed record SearchPath(IReadOnlyList<string> Servers, IReadOnlyList<DomainName> Search, int Dots)
{
    private const int DefaultDots = 1;

    /// <summary>Never fails: what cannot be read is passed over, as by resolvers.</summary>
    public static SearchPath Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var servers = new List<string>();
        var search = new List<DomainName>();
        var dots = DefaultDots;
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            switch (words)
            {
                case ["nameserver", var server, ..]:
                    servers.Add(server);
                    break;
                case ["search" or "domain", .. var names]:
                    search.Clear();
                    foreach (var name in names)
                    {
                        if (DomainName.TryParse(name, out var domain))
                        {
                            search.Add(domain);
                        }
                    }
                    break;
                case ["options", .. var options]:
                    foreach (var option in options)
                    {
                        if (option.StartsWith("ndots:", StringComparison.Ordinal)
                            && int.TryParse(option.AsSpan("ndots:".Length), NumberStyles.None, null, out var count))
                        {
                            dots = Math.Min(count, 15);
                        }
                    }
                    break;
            }
        }
        return new SearchPath(servers, search, dots);
    }

    /// <summary>The names that a resolver asks for in turn, each with the entry that it comes from; null: the name as it is.</summary>
    public IEnumerable<(DomainName Name, DomainName? Entry)> Candidates(string typed)
    {
        if (!DomainName.TryParse(typed, out var name))
        {
            yield break;
        }
        var isWhole = typed.EndsWith('.');
        var first = isWhole || typed.Count(static c => c == '.') >= Dots;
        if (first)
        {
            yield return (name, null);
        }
        if (isWhole)
        {
            yield break;
        }
        foreach (var entry in Search)
        {
            if (name.Under(entry) is { } candidate)
            {
                yield return (candidate, entry);
            }
        }
        if (!first)
        {
            yield return (name, null);
        }
    }
}
