using System.Text.Json.Nodes;
using Plumb.Diagnosis.Snapshots;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Whatif;

/// <summary>The cluster's objects as a change would leave them, controllers' answer to it included. Pure.</summary>
internal sealed class ChangedObjects
{
    // What makes pods: where they would run and which addresses they would have is not known before they do.
    private static readonly string[] Makers = ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob"];

    private readonly Dictionary<ObjectName, JsonObject> _objects = [];
    private readonly List<ObjectName> _order = [];
    private readonly HashSet<ObjectName> _changed = [];
    private readonly List<string> _notes = [];

    private ChangedObjects(IEnumerable<JsonObject> before)
    {
        foreach (var json in before)
        {
            Set(ObjectName.Of(json), json);
        }
    }

    public IReadOnlyList<JsonObject> All => [.. _order.Where(_objects.ContainsKey).Select(name => _objects[name])];

    /// <summary>What was made, changed or deleted, by the user or in consequence.</summary>
    public IReadOnlyCollection<ObjectName> Changed => _changed;

    /// <summary>What was taken for granted, or not looked at; a line each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public bool Has(ObjectName name) => _objects.ContainsKey(name);

    /// <exception cref="CommandLine.UsageException">What is to be deleted is not there.</exception>
    /// <exception cref="ManifestException">A Service that cannot be read.</exception>
    public static ChangedObjects Make(IReadOnlyList<JsonObject> before, IReadOnlyList<Manifest> manifests, IReadOnlyList<string> deletions, SnapshotNetwork network)
    {
        var objects = new ChangedObjects(before);
        foreach (var text in deletions)
        {
            objects.Delete(ObjectName.Find(text, objects._objects.Keys));
        }
        foreach (var manifest in manifests)
        {
            objects.Apply(manifest, network);
        }
        new AssumedSlices(objects).Write();
        return objects;
    }

    internal IEnumerable<(ObjectName Name, JsonObject Json)> OfKind(string kind) => _objects.Where(one => one.Key.Kind == kind).Select(static one => (one.Key, one.Value));

    internal void Set(ObjectName name, JsonObject json)
    {
        if (_objects.TryAdd(name, json))
        {
            _order.Add(name);
        }
        else
        {
            _objects[name] = json;
        }
    }

    internal void Remove(ObjectName name) => _objects.Remove(name);

    private void Delete(ObjectName name)
    {
        if (!_objects.Remove(name, out var json))
        {
            return;
        }
        _changed.Add(name);
        var uid = json.At("metadata", "uid")?.ToString();
        foreach (var (other, owned) in _objects.ToList())
        {
            var isOwned = uid is { Length: > 0 } && (owned.At("metadata", "ownerReferences") as JsonArray ?? []).Any(owner => owner?["uid"]?.ToString() == uid);
            if (isOwned || (name.Kind == "Namespace" && other.Scope == name.Name))
            {
                Delete(other);
            }
        }
    }

    private void Apply(Manifest manifest, SnapshotNetwork network)
    {
        var json = (JsonObject)manifest.Object.DeepClone();
        var name = ObjectName.Of(json);
        var was = _objects.GetValueOrDefault(name);
        if (Makers.Contains(name.Kind))
        {
            _notes.Add($"{name}: pods that it would make or take away are not looked at: where they would be is not known before");
            return;
        }
        if (json["metadata"] is JsonObject metadata)
        {
            metadata["namespace"] = name.Scope.Length == 0 ? null : name.Scope;
            metadata["uid"] ??= was.At("metadata", "uid")?.DeepClone();
        }
        if (was?["status"] is { } status)
        {
            json["status"] ??= status.DeepClone();
        }
        switch (name.Kind)
        {
            case "Service":
                _notes.AddRange(AssumedService.Complete(json, was, name, OfKind("Service").Select(static one => one.Json), network));
                break;
            case "Pod" when was is null:
                _notes.Add($"{name}: a new pod is not looked at: which node and address it would have is not known before");
                return;
            case "Pod" when json["spec"] is JsonObject spec:
                spec["nodeName"] ??= was.At("spec", "nodeName")?.DeepClone();
                break;
            default:
                break;
        }
        Set(name, json);
        _changed.Add(name);
    }
}
