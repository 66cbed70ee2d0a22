using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>How far a rolling update may go beyond, and below, the replicas asked for.</summary>
internal readonly record struct RollingLimits(int Replicas, int MaxSurge, int MaxUnavailable)
{
    public int LeastAvailable => Replicas - MaxUnavailable;

    public static RollingLimits Of(Deployment deployment)
    {
        int replicas = deployment.Spec.Replicas ?? 1;
        var rolling = deployment.Spec.Strategy?.RollingUpdate;
        if (deployment.Spec.Strategy?.Type == "Recreate")
            return new(replicas, 0, replicas);
        int surge = (rolling?.MaxSurge ?? "25%").Of(replicas, roundUp: true) ?? 0;
        int unavailable = (rolling?.MaxUnavailable ?? "25%").Of(replicas, roundUp: false) ?? 0;
        // Small counts round to nothing on both sides; then nothing would ever move.
        return new(replicas, surge, Math.Min(replicas, surge == 0 && unavailable == 0 ? 1 : unavailable));
    }

    /// <param name="present">Replicas of the new set.</param>
    /// <param name="all">Replicas of all sets.</param>
    public int NewReplicas(int present, int all)
    {
        if (present >= Replicas)
            return Replicas;
        int room = Replicas + MaxSurge - all;
        return room <= 0 ? present : present + Math.Min(room, Replicas - present);
    }
}
