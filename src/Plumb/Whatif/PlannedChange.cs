using System.Text.Json.Nodes;
using Plumb.Diagnosis.Snapshots;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Planning;
using Plumb.Planning;
using Plumb.Scenes;

namespace Plumb.Whatif;

/// <summary>What a change of objects makes of one node's plan. It knows nothing of any layer.</summary>
/// <param name="Items">Entries that would be others.</param>
/// <param name="Ended">Connections that the node would have its kernel forget.</param>
internal sealed record PlannedChange(string Node, IReadOnlyList<DeltaItem> Items, IReadOnlyCollection<EndedFlow> Ended, DesiredIndex After, Lazy<DesiredIndex> Before)
{
    public static IReadOnlyList<PlannedChange> OfAll(IScene scene, SnapshotNetwork network, IReadOnlyList<JsonObject> objects, ChangedObjects changed)
    {
        var (before, _) = ClusterReading.Read(objects);
        var (now, _) = ClusterReading.Read(changed.All);
        var subjects = new List<Subject>();
        var after = Nodes(before, now, subjects);
        after = after.With(after.Services.With(
            before.Services.All.Select(one => (one.Subject, now.Services.Service(one.Subject))).Concat(now.Services.All.Select(static one => (one.Subject, (ClusterService?)one))),
            before.Services.Slices.Select(one => (one.Subject, now.Services.Slice(one.Subject))).Concat(now.Services.Slices.Select(static one => (one.Subject, (ServiceSlice?)one))),
            subjects));
        return [.. scene.Parties.Nodes.Where(node => before.Node(node) is not null).Select(node => Of(scene, network, before, after, subjects, changed, node))];
    }

    public IReadOnlyList<Origin> Causes(EntryKey key) => After.Why(key) is { Count: > 0 } now ? now : Before.Value.Why(key);

    public ChangedNode Told() => new(Node, [.. Items.OrderBy(static item => item.Key).Select(Told)]);

    private ChangedEntry Told(DeltaItem item)
    {
        var want = item.Want is null ? null : Text(item.Want.Entry, After);
        var was = item.Was is null ? null : Text(item.Was, Before.Value);
        // What has only another cause reads as before.
        return new ChangedEntry(
            want is null ? "-" : was is null ? "+" : "~", item.Key.Namespace.Name, item.Key.Kind.ToString().ToLowerInvariant(), item.Key.Name,
            want ?? was!, want is null || want == was ? null : was, [.. Causes(item.Key).Select(static origin => origin.ToString())]);
    }

    private static string Text(Entry entry, DesiredIndex among) => RulesetText.Print(entry, key => among.State.Entries.GetValueOrDefault(key)?.Entry);

    private static ClusterView Nodes(ClusterView before, ClusterView now, List<Subject> subjects)
    {
        var after = before;
        foreach (var (name, node) in now.Nodes)
        {
            if (before.Node(name) != node)
            {
                after = after.With(node);
                subjects.Add(Subject.Node(name));
            }
        }
        foreach (var name in before.Nodes.Keys.Where(name => now.Node(name) is null))
        {
            after = after.WithoutNode(name);
            subjects.Add(Subject.Node(name));
        }
        return after;
    }

    private static PlannedChange Of(IScene scene, SnapshotNetwork network, ClusterView before, ClusterView after, IReadOnlyList<Subject> subjects, ChangedObjects changed, string node)
    {
        var planner = ScenePlan.Make(scene, network, before, node);
        var facts = planner.View.Node;
        var changes = subjects.Select(static subject => new Change(subject)).ToList();
        foreach (var sandbox in facts.Sandboxes.Values)
        {
            if (!changed.Has(new ObjectName("Pod", sandbox.PodScope, sandbox.PodName)))
            {
                facts = facts.Without(sandbox.Id);
                changes.Add(new Change(sandbox.Id.Subject));
            }
        }
        var items = planner.Apply(changes, new NetworkView(after, facts));
        return new PlannedChange(node, items, [.. planner.Ended], planner.Index, new Lazy<DesiredIndex>(() => ScenePlan.Make(scene, network, before, node).Index));
    }
}
