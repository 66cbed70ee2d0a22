using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Custom;

/// <summary>
/// Serves what CustomResourceDefinitions define: from the moment that a definition is stored, if its names are free, until it is gone. The conditions of its
/// status tell which.
/// </summary>
internal sealed class CustomResources
{
    private static readonly string[] ReadWrite = ["get", "patch", "update"];

    private Registry _registry = null!;

    public void Attach(Registry registry) => _registry = registry;

    /// <summary>Serves what the definitions in the store define, and that only: for a server that begins on a store that is not empty.</summary>
    public void Restore()
    {
        foreach (var resource in _registry.Catalog.All.Where(static known => known.Custom is not null).Select(static known => known.Resource).Distinct())
            _registry.Catalog.Remove(resource);
        // Of two that want the same names the older one has them.
        foreach (var stored in _registry.Store.List(DefinitionStrategy.Resource).OrderBy(static one => one.CreationTimestamp))
        {
            if (IsAccepted(stored.ToNode()))
                Publish(stored.ToNode());
        }
    }

    public void Serve(JsonObject definition)
    {
        Publish(definition);
        Report(definition);
    }

    /// <summary>A new spec is served at once. A change of the status alone changes nothing.</summary>
    public void Changed(JsonObject definition)
    {
        if (IsDeleting(definition))
        {
            Empty(definition);
            return;
        }

        Publish(definition);
        Report(definition);
    }

    public void Withdraw(JsonObject definition)
    {
        if (!IsBuiltIn(ResourceOf(definition)))
            _registry.Catalog.Remove(ResourceOf(definition));
    }

    public bool HasInstances(JsonObject definition) => !IsBuiltIn(ResourceOf(definition)) && _registry.Store.List(ResourceOf(definition)).Count > 0;

    /// <summary>An object has gone: if its definition waits for the last one, that goes too.</summary>
    public void InstanceGone(JsonObject instance)
    {
        var group = Fields.Text(instance, "apiVersion").Split('/')[0];
        var kind = Fields.Text(instance, "kind");
        foreach (var stored in _registry.Store.List(DefinitionStrategy.Resource, null, static stored => stored.IsDeleting))
        {
            var definition = stored.ToNode();
            var names = Fields.Find(Fields.Find(definition, "spec"), "names");
            if (Fields.Text(Fields.Find(definition, "spec"), "group") == group && Fields.Text(names, "kind") == kind && !HasInstances(definition))
                _registry.Delete(stored.Key);
        }
    }

    /// <summary>Takes away all objects of a definition that is to go.</summary>
    private void Empty(JsonObject definition)
    {
        if (IsBuiltIn(ResourceOf(definition)))
            return;
        foreach (var stored in _registry.Store.List(ResourceOf(definition)))
        {
            try
            {
                _registry.Delete(stored.Key);
            }
            catch (ApiException gone) when (gone.IsNotFound)
            {
                // Somebody else deleted it meanwhile.
            }
        }
    }

    /// <summary>The server's own: a definition of that name is kept, and never served.</summary>
    private bool IsBuiltIn(GroupResource resource) => _registry.Catalog.All.Any(known => known.Resource == resource && known.Custom is null);

    private static bool IsDeleting(JsonObject definition) => Fields.Find(definition, "metadata")?["deletionTimestamp"] is not null;

    private static GroupResource ResourceOf(JsonObject definition)
    {
        var spec = Fields.Find(definition, "spec");
        return new GroupResource(Fields.Text(spec, "group"), Fields.Text(Fields.Find(spec, "names"), "plural"));
    }

    private void Publish(JsonObject definition)
    {
        if (Conflict(definition) is not null)
            return;
        var resource = ResourceOf(definition);
        var spec = Fields.Object(definition, "spec");
        var storage = Fields.Objects(spec, "versions").First(static version => Fields.Flag(version, "storage"));
        var storedAs = $"{resource.Group}/{Fields.Text(storage, "name")}";
        var served = Fields.Objects(spec, "versions").Where(static version => Fields.Flag(version, "served")).OrderByDescending(static version => Rank(Fields.Text(version, "name"))).ToList();
        // What was stored under a schema before this one is read by this one.
        var isChanged = Fields.Number(Fields.Find(definition, "metadata"), "generation") > 1;
        _registry.Catalog.Put(resource, Define(spec, storage, storedAs, isChanged), [.. served.Select(version => Define(spec, version, storedAs, isChanged))]);
    }

    private ResourceDefinition Define(JsonObject spec, JsonObject version, string storedAs, bool isChanged)
    {
        var names = Fields.Object(spec, "names");
        var subresources = Fields.Find(version, "subresources");
        var scale = Fields.Find(subresources, "scale") is { } paths
            ? new ScalePaths(Fields.Text(paths, "specReplicasPath"), Fields.Text(paths, "statusReplicasPath"), Fields.Text(paths, "labelSelectorPath") is { Length: > 0 } selector ? selector : null)
            : null;
        var hasStatus = subresources?.ContainsKey("status") == true;
        var all = new List<Subresource>();
        if (hasStatus)
            all.Add(new("status", ReadWrite));
        if (scale is not null)
            all.Add(new("scale", ReadWrite, "Scale", "autoscaling", "v1"));
        var schema = new StructuralSchema(Fields.Find(Fields.Find(version, "schema"), "openAPIV3Schema")?.DeepClone().AsObject() ?? []);
        var name = Fields.Text(version, "name");
        var apiVersion = $"{Fields.Text(spec, "group")}/{name}";
        return new ResourceDefinition
        {
            Resource = new GroupResource(Fields.Text(spec, "group"), Fields.Text(names, "plural")),
            Version = name,
            Kind = Fields.Text(names, "kind"),
            ListKind = Fields.Text(names, "listKind"),
            Singular = Fields.Text(names, "singular"),
            Namespaced = Fields.Text(spec, "scope") == "Namespaced",
            ShortNames = [.. MetadataValidation.Texts(names, "shortNames")],
            Categories = [.. MetadataValidation.Texts(names, "categories")],
            Verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
            Subresources = all,
            Strategy = new CustomStrategy(this, schema, scale, hasStatus),
            Table = PrinterColumns.Of(version),
            HasGeneration = true,
            Custom = schema,
            Scale = scale ?? ScalePaths.Workload,
            Show = isChanged ? root => Read(schema, In(root, apiVersion)) : apiVersion == storedAs ? null : root => In(root, apiVersion),
            Accept = apiVersion == storedAs ? null : root => In(root, storedAs),
        };
    }

    /// <summary>Versions differ in nothing but their name: there are no conversions.</summary>
    private static JsonObject In(JsonObject root, string apiVersion)
    {
        root["apiVersion"] = apiVersion;
        return root;
    }

    private static JsonObject Read(StructuralSchema schema, JsonObject root)
    {
        schema.Prune(root, []);
        schema.Default(root);
        return root;
    }

    /// <summary>v2 before v1 before v1beta2 before v1alpha1.</summary>
    private static (int Stability, int Major, int Minor) Rank(string version)
    {
        var match = System.Text.RegularExpressions.Regex.Match(version, "^v([0-9]+)(?:(alpha|beta)([0-9]+))?$");
        if (!match.Success)
            return (-1, 0, 0);
        var stability = match.Groups[2].Value switch { "" => 2, "beta" => 1, _ => 0 };
        var minor = 0;
        return int.TryParse(match.Groups[1].Value, out var major) && (!match.Groups[3].Success || int.TryParse(match.Groups[3].Value, out minor)) ? (stability, major, minor) : (-1, 0, 0);
    }

    /// <summary>A name that another definition of the group, or the server itself, has already: of several the last one, as the real controller tells it.</summary>
    private (string Reason, string Message)? Conflict(JsonObject definition)
    {
        var resource = ResourceOf(definition);
        var names = Fields.Find(Fields.Find(definition, "spec"), "names");
        var taken = _registry.Catalog.All.Where(other => other.Resource.Group == resource.Group && (other.Resource != resource || other.Custom is null)).ToList();
        var resources = taken.SelectMany(static other => other.ShortNames.Append(other.Resource.Resource).Append(other.Singular)).ToHashSet();
        var kinds = taken.SelectMany(static other => (string[])[other.Kind, other.ListKind]).ToHashSet();
        (string Reason, string Message)? found = null;
        foreach (var (member, reason) in (ReadOnlySpan<(string, string)>)[("plural", "PluralConflict"), ("singular", "SingularConflict")])
        {
            if (resources.Contains(Fields.Text(names, member)))
                found = (reason, $"\"{Fields.Text(names, member)}\" is already in use");
        }

        foreach (var name in MetadataValidation.Texts(names, "shortNames"))
        {
            if (resources.Contains(name))
                found = ("ShortNamesConflict", $"\"{name}\" is already in use");
        }

        foreach (var (member, reason) in (ReadOnlySpan<(string, string)>)[("kind", "KindConflict"), ("listKind", "ListKindConflict")])
        {
            if (kinds.Contains(Fields.Text(names, member)))
                found = (reason, $"\"{Fields.Text(names, member)}\" is already in use");
        }

        return found;
    }

    private void Report(JsonObject definition)
    {
        var key = new StoreKey(DefinitionStrategy.Resource, "", Fields.Text(Fields.Find(definition, "metadata"), "name"));
        var conflict = Conflict(definition);
        var now = _registry.Now();
        _registry.Update(key, root =>
        {
            var status = Fields.Object(root, "status");
            var accepted = conflict is null
                ? Condition("NamesAccepted", true, "NoConflicts", "no conflicts found", now)
                : Condition("NamesAccepted", false, conflict.Value.Reason, conflict.Value.Message, now);
            var established = conflict is null
                ? Condition("Established", true, "InitialNamesAccepted", "the initial names have been accepted", now)
                : Condition("Established", false, "NotAccepted", "not all names are accepted", now);
            if (Same(status, accepted) && Same(status, established) && (conflict is not null || JsonNode.DeepEquals(status["acceptedNames"], Fields.Find(root, "spec")?["names"])))
                return false;
            status["conditions"] = new JsonArray(accepted, established);
            if (conflict is null)
                status["acceptedNames"] = Fields.Find(root, "spec")?["names"]?.DeepClone();
            return true;
        }, WriteOptions.OfServer, Part.Status);
    }

    private static bool IsAccepted(JsonObject definition) => Fields.Objects(Fields.Find(definition, "status"), "conditions").Any(static condition =>
        Fields.Text(condition, "type") == "Established" && Fields.Text(condition, "status") == "True");

    private static bool Same(JsonObject status, JsonObject condition) => Fields.Objects(status, "conditions").Any(present =>
        Fields.Text(present, "type") == Fields.Text(condition, "type") && Fields.Text(present, "status") == Fields.Text(condition, "status") && Fields.Text(present, "reason") == Fields.Text(condition, "reason"));

    private static JsonObject Condition(string type, bool holds, string reason, string message, string now) => new()
    {
        ["type"] = type,
        ["status"] = holds ? "True" : "False",
        ["lastTransitionTime"] = now,
        ["reason"] = reason,
        ["message"] = message,
    };
}
