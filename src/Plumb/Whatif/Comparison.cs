using System.Text.Json.Nodes;
using Plumb.Diagnosis.Snapshots;
using Plumb.Diagnosis.Walk;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.State;
using Plumb.Network.Planning;
using Plumb.Scenes;
using Plumb.Tracing;

namespace Plumb.Whatif;

/// <summary>
/// Walks what a change may concern through a network as it is, and as it would be: 1. the plans with and without, 2. the world with their difference applied, 3. connections under way,
/// 4. who could reach what.
/// </summary>
internal sealed class Comparison
{
    private readonly IScene _before;
    private readonly ChangedWorld _after;
    private readonly ChangedObjects _changed;
    private readonly Walker _walkBefore;
    private readonly Walker _walkAfter;
    private readonly IReadOnlyList<PlannedChange> _changes;
    private readonly HashSet<NamespaceId> _gone;
    private int _pairs;
    private int _connections;

    private Comparison(IScene scene, IReadOnlyList<PlannedChange> changes, ChangedObjects changed)
    {
        _before = scene;
        _changes = changes;
        _gone = [.. scene.Parties.All.Where(party => party.Kind == PartyKind.Pod && party.Space.Name != party.Node && !changed.Has(new ObjectName("Pod", party.Scope!, party.Name))).Select(static party => party.Space)];
        _changed = changed;
        _after = new ChangedWorld(scene.World, changes.SelectMany(static change => change.Items), _gone, IsForgotten);
        _walkBefore = new Walker(scene.World);
        _walkAfter = new Walker(_after);
    }

    public static async Task<WhatifResult> MakeAsync(IScene scene, SnapshotNetwork network, IReadOnlyList<JsonObject> objects, ChangedObjects changed)
    {
        var changes = PlannedChange.OfAll(scene, network, objects, changed);
        var own = new Comparison(scene, changes, changed);
        var (before, after) = (ClusterReading.Read(objects).Cluster, ClusterReading.Read(changed.All).Cluster);
        var concerned = new Concerned(scene, changes, before, after);
        var services = concerned.Services(before, after);
        var connections = own.Connections(concerned, services).ToList();
        var pairs = await own.PairsAsync([.. services, .. concerned.Parties().Where(probe => !own.IsGone(probe))]);
        return new WhatifResult(
            Told(objects, changed),
            [.. changes.Where(static change => change.Items.Count > 0).Select(static change => change.Told())],
            connections,
            pairs,
            new WalkedCount(own._pairs, own._connections),
            [.. changed.Notes, .. changes.SelectMany(static change => change.After.Refusals().Select(refusal => $"{change.Node} would not do: {refusal}")).Distinct()]);
    }

    private static List<string> Told(IReadOnlyList<JsonObject> before, ChangedObjects changed)
    {
        var had = before.Select(static json => ObjectName.Of(json)).ToHashSet();
        return [.. changed.Changed.OrderBy(static name => name.ToString(), StringComparer.Ordinal).Select(name => $"{(!changed.Has(name) ? "-" : had.Contains(name) ? "~" : "+")} {name}")];
    }

    private IEnumerable<ChangedConnection> Connections(Concerned concerned, IReadOnlyList<Probe> services)
    {
        var live = new LiveConnections(_before);
        foreach (var (sender, space, entry) in live.Of(_before.Parties))
        {
            if (!concerned.Includes(entry.Original.Destination, entry.Original.DestinationPort, entry.Reply.Source, services))
            {
                continue;
            }
            _connections++;
            var packet = Probe.Of(entry.Original);
            var before = Reached.Of(_walkBefore.Walk(packet, sender.Space), End);
            var isForgotten = IsForgotten(space, entry);
            var after = _gone.Contains(sender.Space) ? new Reached(0, "its sender is gone", [], null)
                // A segment in the middle of a connection that nobody knows is refused by whoever gets it.
                : isForgotten && entry.Original.Protocol == Diagnosis.Packets.Packet.Tcp ? new Reached(0, "refused: the node's kernel is made to forget it, and its endpoint is gone", [], null)
                : Reached.Of(_walkAfter.Walk(packet, sender.Space), End);
            if ((before.To(after) ?? (before.Ends.SequenceEqual(after.Ends) ? null : Effect.Moves)) is { } effect)
            {
                var text = $"{Telling.ProtocolName(entry.Original.Protocol)} {packet.Source}:{packet.SourcePort} → {packet.Destination}:{packet.DestinationPort}";
                yield return new ChangedConnection(effect, text, sender.Title, before.Text, after.Text, CauseOf(after));
            }
        }
    }

    private async Task<IReadOnlyList<ChangedPair>> PairsAsync(IReadOnlyList<Probe> probes)
    {
        using var scene = new ChangedScene(_before, _after, _changed.All);
        var found = new Dictionary<(Effect, Probe, string, string, string?, string?), List<string>>();
        foreach (var probe in probes)
        {
            foreach (var sender in _before.Parties.All.Where(party => Sends(party, probe)))
            {
                _pairs++;
                var packet = probe.Packet();
                var before = Reached.Of(_walkBefore.Walk(packet, sender.Space), End);
                var walked = _walkAfter.Walk(packet, sender.Space);
                var after = Reached.Of(walked, End);
                if (before.To(after) is { } effect)
                {
                    var nearMiss = effect == Effect.Breaks ? (await Nearness.OfAsync(scene, packet, walked)).FirstOrDefault(static line => line is not null) : null;
                    var key = (effect, probe, before.Text, after.Text, CauseOf(after), nearMiss);
                    if (!found.TryGetValue(key, out var sources))
                    {
                        found.Add(key, sources = []);
                    }
                    sources.Add(sender.Title);
                }
            }
        }
        return [.. found.Select(static one => new ChangedPair(one.Key.Item1, one.Key.Item2.Title, one.Key.Item2.Place, one.Value, one.Key.Item3, one.Key.Item4, one.Key.Item5, one.Key.Item6))];
    }

    // Nobody expects to reach a pod that he deletes; connections that lead there are told.
    private bool IsGone(Probe probe) => _before.Parties.At(probe.Address) is { } party && _gone.Contains(party.Space);

    private bool Sends(Party party, Probe probe) =>
        !_gone.Contains(party.Space)
        && !party.Addresses.Contains(probe.Address)
        && party.Addresses.Any(own => own.Family == probe.Address.Family)
        && (probe.FromOutside ? party.Kind == PartyKind.Machine && party.Name != "wire" : party.Kind == PartyKind.Pod && party.Space.Name != party.Node);

    private bool IsForgotten(NamespaceId space, Linux.Conntrack.ConntrackEntry entry) =>
        _changes.Any(change => change.Node == space.Name && change.Ended.Any(ended => ended.Includes(entry)));

    private string End(Outcome outcome) => _before.Parties.Of(outcome.End)?.Title ?? outcome.End.Name;

    private string? CauseOf(Reached reached) =>
        reached.Failure?.Killer?.Entry is { } key
            ? _changes.SelectMany(change => change.Causes(key)).Select(static origin => origin.ToString()).FirstOrDefault()
            : null;
}
