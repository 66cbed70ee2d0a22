using System.Security.Cryptography;
using Plumb.Capture;
using Plumb.Diagnosis.Observe;
using Plumb.Diagnosis.Walk;
using Plumb.Diagnosis.Worlds;
using Plumb.Lab;
using Plumb.Linux.Bpf;
using Plumb.Linux.Capture;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.State;
using Plumb.Scenes;

namespace Plumb.Tracing;

/// <summary>Sends a probe in a scene that happens now, and watches it wherever it was predicted to go, and on all nodes, where it might have strayed to.</summary>
/// <param name="eyes">Of <see cref="KernelEyes"/>.</param>
internal sealed class Observing(ILiveScene scene, Telling telling, (PacketTracePoints? Points, string? Blind) eyes, TimeProvider time)
{
    // Neighbours that do not answer are given up after three seconds (mcast_solicit × retrans_time_ms).
    private static readonly TimeSpan ForRefusal = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <param name="probe">Whose packet was walked.</param>
    /// <param name="patience">Null: as long as what is predicted may take.</param>
    /// <exception cref="LabException">Nothing can be watched there.</exception>
    public async Task<(Comparison Comparison, TracedObservation Told, IReadOnlyList<OnwardConnection> Onward)> ObserveAsync(Probe probe, Trace trace, UrlQuestion? url, TimeSpan? patience, CancellationToken cancel)
    {
        await using var watch = await OpenAsync(probe, trace);
        var observed = await watch.ObserveAsync(url, patience ?? (trace.Outcomes.Any(static outcome => outcome.Verdict == Verdict.Refused) ? ForRefusal : Patience), cancel);
        var comparison = Comparison.Of(trace, observed, scene.World);
        return (comparison, Tell(trace, observed, comparison), observed.Onward);
    }

    /// <summary>The sender's end of a probe.</summary>
    /// <param name="sourcePort">0: one that the kernel chooses.</param>
    public static Probe Send(ILiveScene scene, NamespaceId from, Diagnosis.Packets.Packet packet, ushort sourcePort)
    {
        try
        {
            using var network = scene.Open(from);
            return Probe.Open(network, packet with { SourcePort = sourcePort }, RandomNumberGenerator.GetBytes(Probe.TokenBytes));
        }
        catch (System.Net.Sockets.SocketException taken) when (taken.SocketErrorCode == System.Net.Sockets.SocketError.AddressAlreadyInUse)
        {
            throw new LabException($"--observe: somebody in {from} has port {sourcePort}, and nothing else can be sent from it; without --observe its flow can be walked", taken);
        }
        catch (Exception refused) when (refused is SystemCallException or System.Net.Sockets.SocketException)
        {
            throw new LabException($"--observe: nothing can be sent from {from}: {refused.Message}", refused);
        }
    }

    private async Task<Watch> OpenAsync(Probe probe, Trace trace)
    {
        var spaces = trace.Outcomes.SelectMany(static outcome => outcome.There.Concat(outcome.Back)).Select(static hop => hop.Space).Prepend(trace.From)
            .Concat(scene.Parties.All.Where(static party => party.Kind != PartyKind.Pod).Select(static party => party.Space)).Distinct();
        var places = new List<(Space Space, NetworkNamespace Network)>();
        try
        {
            foreach (var id in spaces)
            {
                if (scene.World.Find(id) is { } space)
                {
                    places.Add((space, scene.Open(id)));
                }
            }
            return await Watch.OpenAsync(places, probe, CapturePlaces.VxlanPort, eyes.Points, time);
        }
        catch (SystemCallException refused)
        {
            throw new LabException($"--observe: packets cannot be watched: {refused.Message}", refused);
        }
        finally
        {
            // What was opened inside stays inside.
            places.ForEach(static place => place.Network.Dispose());
        }
    }

    private TracedObservation Tell(Trace trace, Observation observed, Comparison comparison)
    {
        return new TracedObservation(
            observed.End.Answer,
            observed.End.Error,
            observed.End.HttpStatus,
            observed.End.Tls,
            comparison.Agrees,
            trace.Outcomes.ToList().IndexOf(comparison.Outcome),
            [.. comparison.There.Select(Sight)],
            [.. comparison.Back.Select(Sight)],
            [.. comparison.Strays.Select(stray => new TracedStray(stray.Leg, stray.After, telling.Place(stray.Space), stray.Device, Since(stray.Nanoseconds), stray.What))],
            comparison.Differences,
            eyes.Blind is { } blind ? [.. observed.Blind, blind] : observed.Blind,
            [.. observed.Kernel.Where(one => one.Reason is not null && !observed.IsRepetition(one.Nanoseconds)).Select(one => new TracedDrop(one.Leg, one.Space is { } at ? telling.Place(at) : null, one.Device, Since(one.Nanoseconds), one.Reason!))],
            [
                .. observed.Sightings.Select(one => new TracedEvent(telling.Place(one.Space), one.Leg, Since(one.Nanoseconds), one.Device, one.IsOutgoing, Words(one.Packet) + (one.Tunnel is { } tunnel ? $", in {Words(tunnel)}" : ""))),
                .. observed.Rules.Select(one => new TracedEvent(telling.Place(one.Space), one.Leg, null, null, null, $"{one.Event.Table} {one.Event.Chain} {(one.Event.Handle == 0 ? one.Event.Kind.ToString().ToLowerInvariant() : $"handle {one.Event.Handle}")}: {one.Event.Verdict}")),
                .. observed.Kernel.Select(one => new TracedEvent(one.Space is { } at ? telling.Place(at) : null, one.Leg, Since(one.Nanoseconds), one.Device, null, $"trace point {one.At.ToString().ToLowerInvariant()}{(one.Reason is { } reason ? $": {reason}" : "")}")),
                .. observed.Routes.Select(one => new TracedEvent(one.Space is { } at ? telling.Place(at) : null, one.Leg, Since(one.Nanoseconds), one.Device, null, one.ToString())),
                .. observed.Connections.Select(one => new TracedEvent(telling.Place(one.Space), null, null, null, null, $"connection {one.Event.Change.ToString().ToLowerInvariant()}: {one.Event.Entry.Original}, answers {one.Event.Entry.Reply}")),
            ]);

        TracedSight Sight(ComparedHop hop) => new(hop.IsSeen, Since(hop.Nanoseconds), hop.Difference);

        double? Since(long? nanoseconds) => nanoseconds is { } at && observed.Sent is { } sent ? Math.Round((at - sent) / 1000.0, 1) : null;
    }

    private static string Words(in PacketHeaders packet)
    {
        var hasPorts = packet.Protocol is PacketHeaders.Tcp or PacketHeaders.Udp;
        return $"{Telling.ProtocolName(packet.Protocol)} {packet.Source}{(hasPorts ? $":{packet.SourcePort}" : "")} → {packet.Destination}{(hasPorts ? $":{packet.DestinationPort}" : "")}";
    }
}
