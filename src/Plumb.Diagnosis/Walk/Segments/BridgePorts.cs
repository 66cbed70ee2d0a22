using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Segments;

/// <summary><c>should_deliver</c> of <c>net/bridge/br_forward.c</c>.</summary>
internal static class BridgePorts
{
    /// <param name="from">The port that a frame came in by; null: the bridge's own host sends it.</param>
    public static bool MayPass(LinkEntry? from, LinkEntry to) => Objection(from, to) is null;

    /// <summary>Why a frame does not leave by a port; null: it does.</summary>
    public static string? Objection(LinkEntry? from, LinkEntry to) =>
        to.Up != true ? $"the port {to.Name} is down"
        : from is null ? null
        : from.Name == to.Name && to.Port?.Hairpin != true ? $"it would leave by {to.Name}, where it came in, and that port does no hairpin"
        : from.Name != to.Name && from.Port?.Isolated == true && to.Port?.Isolated == true ? $"{from.Name} and {to.Name} are isolated from one another"
        : null;
}
