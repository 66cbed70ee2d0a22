using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>The templates that StatefulSets and DaemonSets have had, kept as ControllerRevisions: a pod below the partition is made from an old one, `kubectl rollout undo` goes back to one.</summary>
/// <param name="kind">Whose they are.</param>
internal sealed class RevisionHistory(ControllerContext context, string kind)
{
    private const int DefaultLimit = 10;

    private readonly Dictionary<string, Dictionary<string, Revision>> byOwner = [];

    /// <param name="Number">Grows with each roll-out, also with one that goes back.</param>
    internal sealed record Revision(StoreKey Key, long Number, JsonObject Template)
    {
        public string Name => Key.Name;

        /// <summary>What the name has behind its owner's.</summary>
        public string Hash => Key.Name[(Key.Name.LastIndexOf('-') + 1)..];

        /// <summary>Whether a pod was made from it: a StatefulSet's says so by the whole name, a DaemonSet's by the hash.</summary>
        public bool IsOf(PodFacts pod) => pod.Stored.Labels.TryGetValue(StatefulSet.RevisionLabel, out string? label) && (label == Name || label == Hash);
    }

    public void Observe(in ObservedChange change)
    {
        if (change.Latest.Controller is not { } owner || owner.Kind != kind)
            return;
        if (!byOwner.TryGetValue(owner.Uid, out var revisions))
            byOwner[owner.Uid] = revisions = [];
        if (change.New is { } stored)
        {
            var root = stored.ToNode();
            var template = Fields.Object(Fields.Object(Fields.Object(root, "data"), "spec"), "template");
            template.Remove("$patch");
            revisions[stored.Name] = new Revision(stored.Key, Fields.Number(root, "revision") ?? 0, template);
            return;
        }
        revisions.Remove(change.Latest.Name);
        if (revisions.Count == 0)
            byOwner.Remove(owner.Uid);
    }

    public Revision? Find(StoredObject set, string? name) =>
        name is not null && byOwner.TryGetValue(set.Uid, out var revisions) ? revisions.GetValueOrDefault(name) : null;

    /// <summary>The revision of the template as it is now: a new one, or an old one that counts as the newest from now on.</summary>
    public Revision Take(StoredObject set, JsonObject template)
    {
        long last = 0;
        foreach (var revision in (byOwner.GetValueOrDefault(set.Uid) ?? []).Values)
            last = Math.Max(last, revision.Number);
        for (int collisions = 0; ; collisions++)
        {
            string hash = PodTemplateHash.Of(template, collisions);
            string name = $"{set.Name}-{hash}";
            if (Find(set, name) is not { } present)
                return Create(set, template, name, hash, last + 1);
            if (!JsonNode.DeepEquals(present.Template, template))
                continue;
            if (present.Number == last)
                return present;
            context.Show(context.Registry.Update(present.Key, root =>
            {
                root["revision"] = last + 1;
                return true;
            }));
            return present;
        }
    }

    /// <summary>Keeps so many beside the ones that are in use: those that pods were made from, and these.</summary>
    /// <param name="limit">`revisionHistoryLimit`</param>
    public void Prune(StoredObject set, int? limit, params IReadOnlyList<Revision> present)
    {
        int most = limit ?? DefaultLimit;
        if (!byOwner.TryGetValue(set.Uid, out var revisions) || revisions.Count <= most)
            return;
        var unused = revisions.Values
            .Where(revision => !present.Any(one => one.Name == revision.Name) && !context.View.PodsOf(set.Uid).Pods.Any(revision.IsOf))
            .OrderBy(static revision => revision.Number).ToList();
        for (int i = 0; i < unused.Count - most; i++)
        {
            try
            {
                context.Registry.Delete(unused[i].Key);
            }
            catch (ApiException gone) when (gone.IsNotFound)
            {
                // That is what was wanted.
            }
        }
    }

    private Revision Create(StoredObject set, JsonObject template, string name, string hash, long number)
    {
        // What finds the pods finds what they were made from.
        var labels = Fields.Find(Fields.Find(template, "metadata"), "labels")?.DeepClone().AsObject() ?? [];
        labels[kind == "DaemonSet" ? StatefulSet.RevisionLabel : "controller.kubernetes.io/hash"] = hash;
        var data = (JsonObject)template.DeepClone();
        // A client that goes back to it sends the data as a patch; one that looks for the present one compares the text with what a Go map would print.
        data["$patch"] = "replace";
        data = (JsonObject)Sorted(data)!;
        var stored = context.Registry.Create(GroupResource.ControllerRevisions, set.Namespace, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels, ["ownerReferences"] = new JsonArray(ControllerReference.To(set, "apps/v1", kind)) },
            ["data"] = new JsonObject { ["spec"] = new JsonObject { ["template"] = data } },
            ["revision"] = number,
        });
        context.Show(stored);
        return Find(set, name) ?? throw ApiException.Internal($"the revision {name} is not seen");
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(static one => one.Key, StringComparer.Ordinal).Select(static one => KeyValuePair.Create(one.Key, Sorted(one.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}
