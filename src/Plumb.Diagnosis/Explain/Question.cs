using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Explain;

/// <summary>
/// What a person asks about, by whatever name they have it: an interface, address, range, MAC, chain, table, set, port, mark or handle as
/// it stands in a tool's output; or an object (<c>client</c>, <c>default/client</c>, <c>Pod default/client</c>, <c>node-2</c>).
/// </summary>
public sealed class Question
{
    private static readonly char[] Breaks = [' ', '\t', '\n', ',', ';', '{', '}', '@', '"', ':'];

    private readonly string _thing;
    private readonly IpAddress? _address;

    public Question(string thing)
    {
        ArgumentException.ThrowIfNullOrEmpty(thing);
        _thing = thing;
        _address = IpAddress.TryParse(thing, out var address) ? address : null;
    }

    /// <summary>The entries that are about the thing: those caused by it, those that name it, and the routes that an address would take.</summary>
    public IReadOnlyList<Explanation> Answer(IReadOnlyList<Explanation> account, ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(account);
        ArgumentNullException.ThrowIfNull(observed);
        var found = new List<Explanation>();
        var routes = new Dictionary<NamespaceId, (byte Length, Explanation Route)>();
        foreach (var explanation in account)
        {
            if (IsCausedBy(explanation) || IsNamedIn(explanation) || IsHandle(explanation, observed))
            {
                found.Add(explanation);
            }
            if (_address is { } address
                && observed.Entries.TryGetValue(explanation.Key, out var held)
                && held.Entry is RouteEntry route
                && route.Destination.Contains(address)
                && route.Destination.Family == address.Family
                && (!routes.TryGetValue(route.Namespace, out var best) || best.Length < route.Destination.Length))
            {
                routes[route.Namespace] = (route.Destination.Length, explanation);
            }
        }
        found.AddRange(routes.Values.Select(static r => r.Route).Except(found));
        return found;
    }

    private bool IsCausedBy(Explanation explanation)
    {
        foreach (var cause in explanation.Causes)
        {
            var subject = cause.Subject;
            if (subject.Name == _thing || $"{subject.Scope}/{subject.Name}" == _thing || subject.ToString() == _thing)
            {
                return true;
            }
        }
        return false;
    }

    private bool IsNamedIn(Explanation explanation)
    {
        foreach (var word in explanation.Text.Split(Breaks, StringSplitOptions.RemoveEmptyEntries))
        {
            if (word == _thing || (_address is not null && word.StartsWith(_thing, StringComparison.Ordinal) && word[_thing.Length] == '/'))
            {
                return true;
            }
        }
        // IPv6 addresses and MACs hold the character that ends a word elsewhere.
        return _thing.Contains(':') && explanation.Text.Split(' ').Any(word => word == _thing || word.StartsWith(_thing + "/", StringComparison.Ordinal));
    }

    private bool IsHandle(Explanation explanation, ObservedState observed) =>
        ulong.TryParse(_thing, out var number)
        && number != 0
        && observed.Entries.TryGetValue(explanation.Key, out var held)
        && held.Facts.Handle == number;
}
