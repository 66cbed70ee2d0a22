using Plumb.Diagnosis.Owners;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Services;

namespace Plumb.Diagnosis.Explain;

/// <summary>
/// What a person asks about, by whatever name they have it: an interface, address, range, MAC, chain, table, set, port, mark or handle as
/// it stands in a tool's output; or an object (<c>client</c>, <c>default/client</c>, <c>Pod default/client</c>, <c>node-2</c>).
/// </summary>
public sealed class Question
{
    private static readonly char[] Breaks = [' ', '\t', '\n', ',', ';', '{', '}', '@', '"', ':'];

    // As kubectl names things: service/website.
    private static readonly Dictionary<string, SubjectKind> _kinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["service"] = SubjectKind.Service, ["services"] = SubjectKind.Service, ["svc"] = SubjectKind.Service,
        ["pod"] = SubjectKind.Pod, ["pods"] = SubjectKind.Pod, ["po"] = SubjectKind.Pod,
        ["node"] = SubjectKind.Node, ["nodes"] = SubjectKind.Node, ["no"] = SubjectKind.Node,
        ["endpointslice"] = SubjectKind.EndpointSlice, ["endpointslices"] = SubjectKind.EndpointSlice,
    };

    private readonly string _thing;
    private readonly IpAddress? _address;
    private readonly SubjectKind? _kind;
    private readonly string? _port; // of address:port
    private readonly FirewallMark? _mark;

    public Question(string thing)
    {
        ArgumentException.ThrowIfNullOrEmpty(thing);
        var slash = thing.IndexOf('/');
        if (slash > 0 && _kinds.TryGetValue(thing[..slash], out var kind) && slash + 1 < thing.Length)
        {
            (_kind, thing) = (kind, thing[(slash + 1)..]);
        }
        var colon = thing.LastIndexOf(':');
        if (colon >= 0 && ushort.TryParse(thing.AsSpan(colon + 1), out _) && (colon == 0 || IsHost(thing[..colon])))
        {
            // :31100 is a port, 10.96.14.7:80 and [fd00::7]:80 a port of an address.
            (_port, thing) = colon == 0 ? (null, thing[1..]) : (thing[(colon + 1)..], thing[..colon].Trim('[', ']'));
        }
        _thing = thing;
        _address = IpAddress.TryParse(thing, out var address) ? address : null;
        _mark = thing.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && MarkBits.TryParse(thing, out var mark) ? mark : null;
    }

    /// <summary>The thing by which a plan is searched.</summary>
    public string Thing => _thing;

    /// <summary>What the catalogue of owners says of the thing itself, whether or not it is in any kernel here.</summary>
    public IReadOnlyList<string> Known()
    {
        if (_kind is not null || _port is not null)
        {
            return [];
        }
        if (_mark is { } mark)
        {
            return [.. Catalogue.Known.OfMark(mark).Select(claim => $"{_thing} ({MarkBits.Names(mark.Mask)}), {claim.Owner} in a packet's mark: {claim.Meaning}")];
        }
        return Catalogue.Known.Find(Sign.Chain, _thing) is { } chain ? [$"{_thing}, a chain of {chain}"]
            : Catalogue.Known.Find(Sign.Set, _thing) is { } set ? [$"{_thing}, a set of {set}"]
            : Catalogue.Known.Find(Sign.Table, _thing) is { } table ? [$"{_thing}, a table of {table}"]
            : Catalogue.Known.Find(Sign.Device, _thing) is { } device ? [$"{_thing}, a device of {device}"]
            : [];
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
                && !IsPodsDefault(route, explanation)
                && (!routes.TryGetValue(route.Namespace, out var best) || best.Length < route.Destination.Length))
            {
                routes[route.Namespace] = (route.Destination.Length, explanation);
            }
        }
        found.AddRange(routes.Values.Select(static r => r.Route).Except(found));
        Follow(found, account, observed);
        return RuleThread.Follow(
            found, account, observed, explanation => IsCausedBy(explanation) || explanation.Key.Name.EndsWith(" " + _thing, StringComparison.Ordinal), IsNamedIn);
    }

    /// <summary>Adds what an address or port of a Service leads to: its pools and their endpoints, in the same namespace.</summary>
    private static void Follow(List<Explanation> found, IReadOnlyList<Explanation> account, ObservedState observed)
    {
        var services = new HashSet<(NamespaceId, uint)>();
        foreach (var explanation in found)
        {
            if (observed.Entries.GetValueOrDefault(explanation.Key) is { } held && ServiceElements.LeadsTo(held.Entry) is { } mark)
            {
                services.Add((explanation.Key.Namespace, mark.Service));
            }
        }
        if (services.Count == 0)
        {
            return;
        }
        var known = found.ToHashSet();
        foreach (var explanation in account)
        {
            if (observed.Entries.GetValueOrDefault(explanation.Key) is { } held
                && ServiceElements.BelongsTo(held.Entry) is { } mark
                && services.Contains((explanation.Key.Namespace, mark.Service))
                && known.Add(explanation))
            {
                found.Add(explanation);
            }
        }
    }

    // Every pod would send every address there: that says nothing of this one.
    private static bool IsPodsDefault(RouteEntry route, Explanation explanation) =>
        route.Destination.Length == 0 && explanation.Causes.Any(static cause => cause.Subject.Kind == SubjectKind.Pod);

    private static bool IsHost(string text) =>
        text.StartsWith('[') ? text.EndsWith(']') && IpAddress.TryParse(text.AsSpan(1, text.Length - 2), out _)
        : IpAddress.TryParse(text, out var address) && address.Family == IpFamily.V4;

    private bool IsCausedBy(Explanation explanation)
    {
        foreach (var cause in explanation.Causes)
        {
            var subject = cause.Subject;
            if (_kind is { } kind && subject.Kind != kind)
            {
                continue;
            }
            if (subject.Name == _thing || $"{subject.Scope}/{subject.Name}" == _thing || subject.ToString() == _thing)
            {
                return true;
            }
        }
        return false;
    }

    private bool IsNamedIn(Explanation explanation) => IsNamedIn(explanation.Text);

    private bool IsNamedIn(string text)
    {
        if (_kind is not null)
        {
            return false;
        }
        if (_port is not null && !text.Split(Breaks, StringSplitOptions.RemoveEmptyEntries).Contains(_port))
        {
            return false;
        }
        foreach (var word in text.Split(Breaks, StringSplitOptions.RemoveEmptyEntries))
        {
            if (word == _thing || IsMark(word) || (_address is not null && word.StartsWith(_thing, StringComparison.Ordinal) && word[_thing.Length] == '/'))
            {
                return true;
            }
        }
        // IPv6 addresses and MACs hold the character that ends a word elsewhere.
        return _thing.Contains(':') && text.Split(' ').Any(word => word == _thing || word.StartsWith(_thing + "/", StringComparison.Ordinal));
    }

    // As iptables (0x4000/0x4000) and nft (0x00004000) write it.
    private bool IsMark(string word) =>
        _mark is { } mark && word.StartsWith("0x", StringComparison.Ordinal) && MarkBits.TryParse(word, out var written)
        && (word.Contains('/') ? written.Mask == mark.Mask && (written.Value & mark.Value) == written.Value : written.Value == mark.Value);

    private bool IsHandle(Explanation explanation, ObservedState observed) =>
        ulong.TryParse(_thing, out var number)
        && number != 0
        && observed.Entries.TryGetValue(explanation.Key, out var held)
        && held.Facts.Handle == number;
}
