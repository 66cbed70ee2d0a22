using System.Text.Json.Nodes;
using Plumb.Commands;
using Plumb.Diagnosis.Snapshots;
using Plumb.Diagnosis.Worlds;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Planning;

namespace Plumb.Scenes;

/// <summary>What a diagnosing command looks at: who is there, what kernels hold, what was planned, and what objects and names mean.</summary>
internal interface IScene : IDisposable
{
    /// <summary>For messages: <c>the lab 'default'</c>.</summary>
    string Title { get; }

    /// <summary>Of the lab or machine.</summary>
    string Name => Title;

    IWorld World { get; }

    Parties Parties { get; }

    /// <summary>Of which Services have their addresses; the preferred one.</summary>
    IpFamily ServiceFamily { get; }

    /// <summary>All objects of a kind, in one namespace or in all; none where there is no API, or it does not tell (<see cref="Reads"/>).</summary>
    /// <param name="fields">Which are asked for: these at least are told; null: all.</param>
    Task<IReadOnlyList<T>> ListAsync<T>(string? scope, CancellationToken cancel, FieldSelector? fields = null)
        where T : IResource<T>;

    /// <summary>Whether objects of a kind are told, if there are any.</summary>
    bool Reads<T>()
        where T : IResource<T> => true;

    /// <summary>What a node's agent plans, and why; null where there is none.</summary>
    /// <param name="keys">Whose entries are asked for: these at least are told; null: all.</param>
    Task<PlanDocument?> PlanAsync(string node, IReadOnlyCollection<EntryKey>? keys = null);

    /// <summary>What of a node's plan may be about a thing, or more; null where there is no agent.</summary>
    Task<PlanDocument?> PlanAboutAsync(string node, string thing) => PlanAsync(node);

    /// <summary>Who has an address that nobody here has, and where that is, for a person: <c>pod default/web on node-2</c>; null where nobody knows.</summary>
    string? Beyond(IpAddress address) => null;

    /// <summary>What a name comes to; null where nobody can be asked.</summary>
    /// <param name="pod"><c>NAMESPACE/POD</c> or <c>POD</c>, by whose search path it is asked for; null: as it stands.</param>
    /// <param name="type">Of the record: A, AAAA, SRV …</param>
    Task<DnsResult?> AskAsync(string name, string? pod, string type);

    /// <summary>How it is known whose a namespace is, where nobody has said so; null: somebody has.</summary>
    string? EvidenceOf(NamespaceId space) => null;

    /// <summary>What several namespaces hold, with kernel parameters that are asked for. Those that cannot be seen are left out.</summary>
    /// <param name="elements">Of Plumb's sets those that are asked for: these at least are told; null: all.</param>
    ObservedState Observe(IReadOnlySet<NamespaceId> spaces, IEnumerable<EntryKey> parameters, IReadOnlyList<PlannedEntry>? elements = null);

    /// <summary>What people chose about the cluster's network; null where nobody knows.</summary>
    SnapshotNetwork? Network => null;

    /// <summary>All objects of the API, of whatever kind; none where there is no API.</summary>
    IAsyncEnumerable<JsonObject> ObjectsAsync(CancellationToken cancel) => AsyncEnumerable.Empty<JsonObject>();

    /// <summary>What of the API's objects is not told here though it may be there, in one line; null: all are told, or there is no API.</summary>
    string? Untold => null;

    /// <summary>A pod's /etc/resolv.conf; null where nobody knows.</summary>
    string? ResolverOf(Party pod) => null;
}

/// <summary>A scene that happens now: one can go there.</summary>
internal interface ILiveScene : IScene
{
    /// <summary>A namespace, to send and to listen in; the caller disposes of it.</summary>
    /// <exception cref="Linux.Native.SystemCallException">It is gone, or must not be entered.</exception>
    NetworkNamespace Open(NamespaceId id);
}
