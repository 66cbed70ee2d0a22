using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Strategies;

/// <summary>The subresource `resize`: processors and memory of the containers of a pod that is there (KEP-1287). Whatever else is written to it is not taken.</summary>
internal static class PodResize
{
    private const string OnlyAmounts = "only cpu and memory resources are mutable";

    private static readonly string[] Lists = ["containers", "initContainers"];

    /// <param name="root">A copy of the pod as it is.</param>
    /// <remarks>Containers that were added, taken away, moved or renamed come along: <see cref="Validate"/> names them.</remarks>
    public static void Take(JsonObject root, JsonObject proposed)
    {
        var (spec, next) = (Fields.Object(root, "spec"), Fields.Object(proposed, "spec"));
        if (Lists.Any(list => Containers(spec, list).Count != Containers(next, list).Count))
        {
            root["spec"] = next.DeepClone();
            return;
        }

        foreach (var list in Lists)
        {
            var (present, wanted) = (Containers(spec, list), Containers(next, list));
            if (!present.Select(Name).SequenceEqual(wanted.Select(Name)))
            {
                spec[list] = next[list]!.DeepClone();
                continue;
            }

            foreach (var (container, from) in present.Zip(wanted))
            {
                foreach (var member in (ReadOnlySpan<string>)["resources", "resizePolicy"])
                {
                    if (from[member] is { } value)
                        container[member] = value.DeepClone();
                    else
                        container.Remove(member);
                }
            }
        }
    }

    /// <summary>What no change makes good, and so is told alone.</summary>
    /// <exception cref="Storage.ApiException">422.</exception>
    public static void RequireResizable(JsonObject root, JsonObject old, ResourceDefinition definition)
    {
        // A real server prints an empty path so.
        const string nowhere = "[]";
        var errors = new FieldErrors();
        if (HasAmounts(root) || HasAmounts(old))
            errors.Forbidden(nowhere, "pods with pod-level resources cannot be resized");
        else if (Fields.Find(Fields.Find(old, "metadata"), "annotations")?["kubernetes.io/config.mirror"] is not null)
            errors.Forbidden(nowhere, "static pods cannot be resized");
        else if (Fields.Text(Fields.Find(Fields.Find(old, "spec"), "os"), "name") == "windows")
            errors.Forbidden(nowhere, "windows pods cannot be resized");
        errors.ThrowIfAny(definition, Name(Fields.Object(root, "metadata")));

        static bool HasAmounts(JsonObject pod) =>
            Fields.Find(Fields.Find(pod, "spec"), "resources") is { } own && (Fields.Find(own, "requests") is { Count: > 0 } || Fields.Find(own, "limits") is { Count: > 0 });
    }

    public static void Validate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var (spec, before) = (Fields.Object(root, "spec"), Fields.Object(old, "spec"));
        var quality = Fields.Text(Fields.Find(old, "status"), "qosClass");
        if (quality != PodStrategy.QualityOfService(spec))
            errors.InvalidText("spec", quality, "Pod QOS Class may not change as a result of resizing");

        // A kubelet that can do it says what its containers have.
        if (Fields.Objects(Fields.Find(old, "status"), "containerStatuses").FirstOrDefault(static one => Fields.Find(one, "state")?["running"] is not null) is { } running && running["resources"] is null)
            errors.Forbidden("spec", "Pod running on node without support for resize");
        if (!AreTheSame(spec, before, errors))
            return;
        var (main, init) = (Pairs("containers"), Pairs("initContainers"));
        foreach (var (list, pairs) in ((string, List<(JsonObject, JsonObject)>)[])[("initContainers", init), ("containers", main)])
        {
            foreach (var (index, (next, present)) in pairs.Index())
            {
                if (list == "initContainers" && !IsSidecar(present))
                    continue;
                foreach (var kind in (ReadOnlySpan<string>)["requests", "limits"])
                {
                    if (Amounts(present, kind).Any(amount => !Amounts(next, kind).ContainsKey(amount.Key)))
                        errors.Forbidden($"spec.{list}[{index}].resources.{kind}", $"resource {kind} cannot be removed");
                }
            }
        }

        foreach (var _ in main.Where(static pair => !JsonNode.DeepEquals(Fixed(pair.Next, pair.Present), Plain(pair.Present))))
            errors.Forbidden("spec", OnlyAmounts);
        foreach (var (next, present) in init)
        {
            if (IsSidecar(next) && !JsonNode.DeepEquals(Fixed(next, present), Plain(present)))
                errors.Forbidden("spec", "only cpu and memory resources for sidecar containers are mutable");
            else if (!IsSidecar(next) && !JsonNode.DeepEquals(Plain(next), Plain(present)))
                errors.Forbidden("spec", "resources for non-sidecar init containers are immutable");
        }

        List<(JsonObject Next, JsonObject Present)> Pairs(string list) => [.. Containers(spec, list).Zip(Containers(before, list))];
    }

    private static bool AreTheSame(JsonObject spec, JsonObject before, FieldErrors errors)
    {
        var count = errors.Count;
        foreach (var list in Lists)
        {
            var (next, present) = (Containers(spec, list), Containers(before, list));
            if (next.Count != present.Count)
            {
                errors.Forbidden("spec." + list, $"{list} may not be added or removed on resize");
                continue;
            }

            for (var i = 0; i < next.Count; i++)
            {
                if (Name(next[i]) != Name(present[i]))
                    errors.Forbidden($"spec.{list}[{i}].name", $"{list} may not be renamed or reordered on resize");
            }
        }

        return errors.Count == count;
    }

    /// <summary>The container with the processors and the memory that it has: what is otherwise then, may not change.</summary>
    private static JsonObject Fixed(JsonObject next, JsonObject present)
    {
        var resources = new JsonObject();
        foreach (var kind in (ReadOnlySpan<string>)["limits", "requests"])
        {
            var old = Amounts(present, kind);
            // Where there were none at all, a real server looks at none.
            if (old.Count == 0)
                continue;
            var amounts = Amounts(next, kind).DeepClone().AsObject();
            foreach (var name in (ReadOnlySpan<string>)["cpu", "memory"])
            {
                amounts.Remove(name);
                if (old[name] is { } amount)
                    amounts[name] = amount.DeepClone();
            }

            resources[kind] = amounts;
        }

        var container = next.DeepClone().AsObject();
        container["resources"] = resources;
        return Plain(container);
    }

    /// <summary>Without what is empty, which is the same as nothing.</summary>
    private static JsonObject Plain(JsonObject container)
    {
        var plain = container.DeepClone().AsObject();
        var resources = Fields.Object(plain, "resources");
        foreach (var kind in (ReadOnlySpan<string>)["limits", "requests"])
        {
            if (Fields.Find(resources, kind) is not { Count: > 0 })
                resources.Remove(kind);
        }

        if (plain["resizePolicy"] is JsonArray { Count: 0 })
            plain.Remove("resizePolicy");
        return plain;
    }

    private static List<JsonObject> Containers(JsonObject spec, string list) => [.. Fields.Objects(spec, list)];

    private static JsonObject Amounts(JsonObject container, string kind) => Fields.Find(Fields.Find(container, "resources"), kind) ?? [];

    private static bool IsSidecar(JsonObject container) => Fields.Text(container, "restartPolicy") == "Always";

    private static string Name(JsonObject named) => Fields.Text(named, "name");
}
