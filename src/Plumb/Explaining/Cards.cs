using System.Globalization;
using Plumb.Linux.Addresses;
using Plumb.Scenes;

namespace Plumb.Explaining;

/// <summary>What a thing may be: an interface, a port, a process, a flow. All that fits is told.</summary>
internal static class Cards
{
    /// <summary>Whether it may be a process, or a port, at which one listens.</summary>
    public static bool HasNumber(string thing) => thing.AsSpan(thing.LastIndexOf(':') + 1) is { Length: > 0 } end && !end.ContainsAnyExceptInRange('0', '9');

    public static IReadOnlyList<Card> Of(IScene scene, IReadOnlyDictionary<string, NodeAccount> nodes, string thing)
    {
        var cards = new List<Card>();
        foreach (var account in nodes.Values)
        {
            cards.AddRange(LinkCards.Of(scene, account, thing));
        }
        if (ushort.TryParse(thing.AsSpan(thing.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port != 0)
        {
            IpAddress? address = thing.Contains(':') && IpAddress.TryParse(thing[..thing.LastIndexOf(':')].Trim('[', ']'), out var given) ? given : null;
            var parties = scene.Parties.All.Where(party => nodes.ContainsKey(party.Node)).ToList();
            if (thing.StartsWith(':') || address is not null)
            {
                cards.AddRange(SocketCards.OfPort(scene, parties, address, port));
            }
            if (address is { } flow)
            {
                cards.AddRange(SocketCards.OfConnections(scene, parties.Where(static party => party.Kind == PartyKind.Node), flow, port));
            }
        }
        if (scene is ILiveScene live && int.TryParse(thing, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && SocketCards.OfProcess(live, id) is { } process)
        {
            cards.Add(process);
        }
        return cards;
    }
}
