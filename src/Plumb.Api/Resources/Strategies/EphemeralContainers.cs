using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Strategies;

/// <summary>Containers that are added to a running pod to look at it (`kubectl debug`). They can be added, never changed or taken away.</summary>
internal static class EphemeralContainers
{
    private const string At = "spec.ephemeralContainers";

    /// <param name="root">A copy of the pod as it is.</param>
    public static void Take(JsonObject root, JsonObject proposed)
    {
        var spec = Fields.Object(root, "spec");
        if (Fields.Array(Fields.Find(proposed, "spec"), "ephemeralContainers") is { Count: > 0 } containers)
            spec["ephemeralContainers"] = containers.DeepClone();
        else
            spec.Remove("ephemeralContainers");
    }

    public static void Default(JsonObject root)
    {
        foreach (var container in Fields.Objects(Fields.Find(root, "spec"), "ephemeralContainers"))
            PodDefaults.Container(container, hostNetwork: false);
    }

    public static void Validate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        var others = Fields.Objects(spec, "containers").Concat(Fields.Objects(spec, "initContainers")).Select(static container => Fields.Text(container, "name")).ToHashSet();
        var seen = new HashSet<string>(others);
        var index = 0;
        foreach (var container in Fields.Objects(spec, "ephemeralContainers"))
        {
            var here = $"{At}[{index++}]";
            var name = Fields.Text(container, "name");
            if (name.Length == 0)
                errors.Required(here + ".name");
            foreach (var fault in name.Length == 0 ? [] : NameSyntax.PlainLabel(name))
                errors.InvalidText(here + ".name", name, fault);
            if (name.Length > 0 && !seen.Add(name))
                errors.Duplicate(here + ".name", FieldErrors.Quote(name));
            if (Fields.Text(container, "image").Length == 0)
                errors.Required(here + ".image");
            if (Fields.Text(container, "targetContainerName") is { Length: > 0 } target && !others.Contains(target))
                errors.NotFound(here + ".targetContainerName", FieldErrors.Quote(target));
            foreach (var member in (ReadOnlySpan<string>)["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"])
            {
                if (container[member] is not null)
                    errors.Forbidden($"{here}.{member}", "cannot be set for an Ephemeral Container");
            }
            PodSecurityValidation.Container(spec, container, here, errors);
        }

        foreach (var before in Fields.Objects(Fields.Find(old, "spec"), "ephemeralContainers"))
        {
            var name = Fields.Text(before, "name");
            var after = Fields.Objects(spec, "ephemeralContainers").FirstOrDefault(container => Fields.Text(container, "name") == name);
            if (after is null)
                errors.Forbidden(At, $"existing ephemeral containers \"{name}\" may not be removed\n");
            else if (!JsonNode.DeepEquals(before, after))
                errors.Forbidden(At, $"existing ephemeral containers \"{name}\" may not be changed\n");
        }
    }
}
