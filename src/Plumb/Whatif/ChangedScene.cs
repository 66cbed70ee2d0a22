using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Commands;
using Plumb.Diagnosis.Worlds;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Planning;
using Plumb.Scenes;

namespace Plumb.Whatif;

/// <summary>A scene as it would be after a change.</summary>
internal sealed class ChangedScene(IScene before, IWorld world, IReadOnlyList<JsonObject> objects) : IScene
{
    public string Title => before.Title;

    public IWorld World => world;

    public Parties Parties => before.Parties;

    public IpFamily ServiceFamily => before.ServiceFamily;

    public Task<IReadOnlyList<T>> ListAsync<T>(string? scope, CancellationToken cancel, FieldSelector? fields = null)
        where T : IResource<T>
    {
        var found = new List<T>();
        foreach (var json in objects)
        {
            var name = ObjectName.Of(json);
            if (name.Kind == T.Type.Kind.Kind && (scope is null || name.Scope == scope) && Read<T>(json) is { } read)
            {
                found.Add(read);
            }
        }
        return Task.FromResult<IReadOnlyList<T>>(found);
    }

    public Task<PlanDocument?> PlanAsync(string node, IReadOnlyCollection<EntryKey>? keys = null) => before.PlanAsync(node, keys);

    public Task<DnsResult?> AskAsync(string name, string? pod, string type) => before.AskAsync(name, pod, type);

    public ObservedState Observe(IReadOnlySet<NamespaceId> spaces, IEnumerable<EntryKey> parameters, IReadOnlyList<PlannedEntry>? elements = null) => before.Observe(spaces, parameters, elements);

    // It is the other's.
    public void Dispose()
    {
    }

    private static T? Read<T>(JsonObject json)
    {
        try
        {
            return KubernetesJson.Read<T>(json);
        }
        catch (JsonException)
        {
            // The plan says what is wrong with it.
            return default;
        }
    }
}
