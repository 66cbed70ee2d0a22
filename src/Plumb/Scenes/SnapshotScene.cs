using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Commands;
using Plumb.Diagnosis.Snapshots;
using Plumb.Diagnosis.Worlds;
using Plumb.Dns.Answering;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;
using Plumb.Lab;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Planning;

namespace Plumb.Scenes;

/// <summary>A network in a file: as it was, wherever that was. Nothing of this machine is looked at.</summary>
internal sealed class SnapshotScene : IScene
{
    private readonly Snapshot _snapshot;
    private readonly string _path;
    private Explainer? _names;

    /// <param name="path">For messages.</param>
    public SnapshotScene(Snapshot snapshot, string path)
    {
        _snapshot = snapshot;
        _path = path;
        Parties = new Parties(Title, [.. snapshot.Parties.Select(Of)]);
    }

    public string Title => $"the snapshot {_path}";

    /// <summary>What could not be read when it was taken, a line for each.</summary>
    public IReadOnlyList<string> Missing => _snapshot.Missing;

    public string Name => _snapshot.Header.Name;

    public IWorld World => _snapshot.World;

    public Parties Parties { get; }

    public SnapshotNetwork? Network => _snapshot.Header.Network;

    public IpFamily ServiceFamily => Network?.ServiceRanges is [var first, ..] ? first.Family : IpFamily.V4;

    /// <exception cref="SnapshotException">It cannot be read.</exception>
    public static SnapshotScene Open(string path) => new(SnapshotReader.Read(path), path);

    public Task<IReadOnlyList<T>> ListAsync<T>(string? scope, CancellationToken cancel, FieldSelector? fields = null)
        where T : IResource<T>
    {
        var found = new List<T>();
        foreach (var json in _snapshot.Objects)
        {
            if (Text(json, "kind") == T.Type.Kind.Kind && Text(json, "apiVersion") == T.Type.Kind.ApiVersion && (scope is null || Text(json["metadata"] as JsonObject, "namespace") == scope))
            {
                found.Add(Read<T>(json));
            }
        }
        return Task.FromResult<IReadOnlyList<T>>(found);
    }

    public Task<PlanDocument?> PlanAsync(string node, IReadOnlyCollection<EntryKey>? keys = null) => Task.FromResult(_snapshot.Plans.GetValueOrDefault(node));

    public async Task<DnsResult?> AskAsync(string name, string? pod, string type)
    {
        if (Network is null)
        {
            return null;
        }
        var asker = pod is null ? null : Parties.Find(pod.Contains('/', StringComparison.Ordinal) ? pod : $"default/{pod}") ?? throw Parties.Unknown(pod, []);
        var path = SearchPath.Parse(asker is null ? "" : ResolverOf(asker) ?? "");
        var asked = RecordText.TryParse(type, out var known) ? known : RecordType.A;
        var report = NameReport.Of(_names ??= new Explainer(await ZoneAsync(Network)), path, name, asked);
        return DnsQuestion.Answer(report, type, asker?.FullName, asker?.Node ?? Parties.Nodes.First(), path);
    }

    public ObservedState Observe(IReadOnlySet<NamespaceId> spaces, IEnumerable<EntryKey> parameters, IReadOnlyList<PlannedEntry>? elements = null)
    {
        var together = new ObservedState();
        foreach (var space in spaces)
        {
            if (!_snapshot.Spaces.TryGetValue(space, out var found))
            {
                continue;
            }
            foreach (var observed in found.State.Entries.Values)
            {
                together.Set(observed);
            }
            foreach (var ((id, kind), why) in found.State.Unread)
            {
                together.SetUnread(id, kind, why);
            }
        }
        return together;
    }

    public IAsyncEnumerable<JsonObject> ObjectsAsync(CancellationToken cancel) => _snapshot.Objects.ToAsyncEnumerable();

    public string? ResolverOf(Party pod) =>
        _snapshot.Parties.FirstOrDefault(one => one.Kind == SnapshotPartyKind.Pod && one.Scope == pod.Scope && one.Name == pod.Name)?.Resolver;

    public void Dispose()
    {
    }

    private async Task<ClusterZone> ZoneAsync(SnapshotNetwork network)
    {
        var zone = new ClusterZone(new ZoneOptions
        {
            Servers = [.. network.DnsServers],
            Ranges = [.. network.ServiceRanges, .. network.PodRanges],
            PodRanges = [.. network.PodRanges],
        });
        foreach (var service in await ListAsync<Service>(null, CancellationToken.None))
        {
            zone.Set(service);
        }
        foreach (var slice in await ListAsync<EndpointSlice>(null, CancellationToken.None))
        {
            zone.Set(slice);
        }
        return zone;
    }

    private T Read<T>(JsonObject json)
    {
        try
        {
            return KubernetesJson.Read<T>(json);
        }
        catch (JsonException fault)
        {
            throw new SnapshotException($"{_path}: {Text(json, "kind")} {Text(json["metadata"] as JsonObject, "name")} is not as the API has it: {fault.Message}", fault);
        }
    }

    private static string? Text(JsonObject? from, string field) => from?[field] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static Party Of(SnapshotParty party) => new((PartyKind)party.Kind, party.Name, party.Scope, party.Node, party.Space, [.. party.Addresses]);
}
