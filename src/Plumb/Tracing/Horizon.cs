using Plumb.Agent;
using Plumb.Diagnosis.Walk;
using Plumb.Scenes;

namespace Plumb.Tracing;

/// <summary>What is known of where a packet goes that leaves what can be seen.</summary>
internal static class Horizon
{
    /// <summary>A sentence for each outcome that ends there, where somebody knows.</summary>
    /// <param name="remark">Told why somebody who may know could not be asked.</param>
    public static IReadOnlyList<string?> Of(IScene scene, Trace trace, Action<string> remark)
    {
        try
        {
            return [.. trace.Outcomes.Select(outcome => Of(scene, outcome))];
        }
        catch (AgentException untold)
        {
            remark(untold.Message);
            return [.. trace.Outcomes.Select(static _ => (string?)null)];
        }
    }

    private static string? Of(IScene scene, Outcome outcome)
    {
        if (outcome is not { Verdict: Verdict.Undecided, Arrived: false })
        {
            return null;
        }
        var packet = outcome.Final;
        while (packet.Inner is { } inner)
        {
            packet = inner.Packet;
        }
        // An address of somebody here: it did not get as far as the wire.
        return scene.Parties.At(packet.Destination) is { } party && scene.World.Known.Contains(party.Space) ? null
            : scene.Beyond(packet.Destination) is { } there ? $"{packet.Destination} is {there}: what is seen from {scene.Name} ends at its wire, ask there" : null;
    }
}
