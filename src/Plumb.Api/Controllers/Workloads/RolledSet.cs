using System.Globalization;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>One ReplicaSet of a Deployment as the roll-out sees it.</summary>
internal sealed class RolledSet
{
    public RolledSet(StoredObject stored) => Take(stored);

    public StoredObject Stored { get; private set; } = null!;
    public ReplicaSet Set { get; private set; } = null!;

    /// <summary>Made in this very pass.</summary>
    public bool IsNew { get; init; }
    public int Replicas => Set.Spec.Replicas ?? 1;
    public int Available => Set.Status.AvailableReplicas;

    public IReadOnlyDictionary<string, string> Annotations => Set.Metadata.Annotations;

    public long Revision => Annotations.TryGetValue("deployment.kubernetes.io/revision", out string? text)
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;

    public void Take(StoredObject stored)
    {
        Stored = stored;
        Set = stored.As(KubernetesJson.TypeInfo<ReplicaSet>());
    }
}
