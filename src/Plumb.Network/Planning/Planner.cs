using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Network.Planning;

/// <summary>
/// Keeps what one node's kernels should hold while the cluster and the node change. A change costs what it changes: the plan
/// keys that it touches are planned anew, and their difference is the answer. Not for use by two threads at once.
/// </summary>
public sealed class Planner
{
    private IReadOnlyList<ILayer> _layers;
    private Dictionary<string, ILayer> _layerByName;
    private readonly HashSet<EndedFlow> _ended = [];

    public Planner(IReadOnlyList<ILayer> layers, NodeFacts node)
    {
        ArgumentNullException.ThrowIfNull(layers);
        _layers = layers;
        _layerByName = layers.ToDictionary(static layer => layer.Name);
        // The node as it is before anything is known of it.
        View = new NetworkView(ClusterView.Empty, NodeFacts.Create(node.Name, node.Namespace, node.Options));
    }

    /// <summary>What the plan was last made from.</summary>
    public NetworkView View { get; private set; }

    /// <summary>The connections that the last <see cref="Apply"/> or <see cref="Replan"/> ended: to be forgotten by the kernel when it holds the new state.</summary>
    public IReadOnlyCollection<EndedFlow> Ended => _ended;

    public DesiredIndex Index { get; private set; } = new();

    public DesiredState Desired => Index.State;

    /// <summary>A plan from nothing.</summary>
    public static Planner FromScratch(IReadOnlyList<ILayer> layers, NetworkView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        var planner = new Planner(layers, view.Node);
        planner.Apply([.. AllSubjects(view)], view);
        return planner;
    }

    /// <summary>
    /// Makes the plan of the same things by other layers, and tells what leads from the one before to it. The items come in no order: where both plans serve the same
    /// connections, whoever applies them makes what is new before he takes away what is old.
    /// </summary>
    /// <param name="view">With the options that chose the layers.</param>
    public IReadOnlyList<DeltaItem> Replan(IReadOnlyList<ILayer> layers, NetworkView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        var before = Desired;
        var namesBefore = _layerByName;
        _layers = layers;
        _layerByName = layers.ToDictionary(static layer => layer.Name);
        Index = new DesiredIndex();
        View = new NetworkView(ClusterView.Empty, NodeFacts.Create(view.Node.Name, view.Node.Namespace, view.Node.Options));
        Apply([.. AllSubjects(view)], view);
        _ended.Clear(); // nobody went: connections go on as they are
        foreach (var layer in layers)
        {
            if (!namesBefore.ContainsKey(layer.Name))
            {
                _ended.UnionWith(layer.Unserved(View));
            }
        }
        var items = new List<DeltaItem>();
        foreach (var (key, want) in Desired.Entries)
        {
            var was = before.Entries.GetValueOrDefault(key);
            if (!want.Equals(was))
            {
                items.Add(new DeltaItem(want, was?.Entry));
            }
        }
        foreach (var (key, was) in before.Entries)
        {
            if (!Desired.Entries.ContainsKey(key))
            {
                items.Add(new DeltaItem(null, was.Entry));
            }
        }
        return items;
    }

    /// <summary>Every subject of a view, as changes from an empty one.</summary>
    public static IEnumerable<Change> AllSubjects(NetworkView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        foreach (var subject in view.Node.Subjects())
        {
            yield return new Change(subject);
        }
        foreach (var subject in view.Cluster.Subjects())
        {
            yield return new Change(subject);
        }
    }

    /// <summary>
    /// Plans what the changes touch, together: the union of their keys, each once. <paramref name="after"/> is the view with all
    /// of them made. The items come in no order.
    /// </summary>
    public IReadOnlyList<DeltaItem> Apply(IReadOnlyCollection<Change> changes, NetworkView after)
    {
        ArgumentNullException.ThrowIfNull(changes);
        ArgumentNullException.ThrowIfNull(after);
        // A new one each time: to clear one that a plan from nothing has made large costs as much as it once held.
        var keys = new HashSet<PlanKey>();
        _ended.Clear();
        foreach (var layer in _layers)
        {
            after = after with { Node = layer.Remember(changes, View, after) };
        }
        foreach (var change in changes)
        {
            foreach (var layer in _layers)
            {
                foreach (var key in layer.Touched(change, View, after))
                {
                    keys.Add(key);
                }
                _ended.UnionWith(layer.Ended(change, View, after));
            }
        }
        View = after;
        var touched = new Dictionary<EntryKey, Wants>(keys.Count * 8);
        foreach (var key in keys)
        {
            var part = new PlannedPart(key);
            _layerByName[key.Layer].Plan(key, after.Cluster, after.Node, part);
            Index.Replace(key, part, touched);
        }
        return Index.Settle(touched);
    }
}
