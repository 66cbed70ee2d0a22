using Plumb.Diagnosis.Walk.Routing;
using Plumb.Diagnosis.Walk.Stacks;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary><c>ip_route_input_slow</c>: martians, the route, whether the source is believed, whether this host forwards.</summary>
internal sealed class RouteStage : IStage
{
    public Stage Stage => Stage.Route;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        var (space, packet, device) = (traveller.Space, traveller.Packet, traveller.In!);
        var isLoopback = space.Link(device)?.Type is LinkType.Loopback;
        if (!isLoopback && Martian(traveller, device) is { } martian)
        {
            yield return martian;
            yield break;
        }
        if (Ipvlan.Route(traveller, around) is { } taken)
        {
            yield return taken;
            yield break;
        }
        foreach (var way in RouteLookup.Find(space, new RouteQuestion(packet.Source, packet.Destination, packet.Mark, packet.TrafficClass, device, null)))
        {
            yield return Judge(traveller with { Probability = traveller.Probability * way.Probability }, way, device, isLoopback);
        }
    }

    private static Step Judge(Traveller traveller, RouteAnswer way, string device, bool isLoopback)
    {
        var (space, packet) = (traveller.Space, traveller.Packet);
        if (way.IsLocal)
        {
            return !isLoopback && Disbelief(traveller, device) is { } disbelief
                ? disbelief
                : new Step.On((traveller with { Route = way }).To(Stage.Input, traveller.Note($"{packet.Destination} is this host", way.Decider, device)));
        }
        // IPv6 says that it knows no way whether or not it would go one (ip6_pkt_discard).
        if (!Forwards(traveller, device, out var parameter) && (traveller.IsV4 || way.LeadsOn))
        {
            return traveller.Drop($"{space.Id} does not forward what comes in by {device}: {parameter.Print()}", parameter, device);
        }
        if (!way.LeadsOn)
        {
            // ip_error
            var kind = way.Decider is null || (way.Type == RouteType.Unreachable && !traveller.IsV4) ? Answers.NetworkUnreachable(packet.Family)
                : way.Type == RouteType.Prohibit ? Answers.Prohibited(packet.Family)
                : Answers.HostUnreachable(packet.Family);
            return traveller.Drop(
                way.Decider is null ? $"{space.Id} has no route to {packet.Destination}" : $"{way.Type.ToString().ToLowerInvariant()}: {way.Decider.Print()}",
                way.Decider,
                device,
                way.Type == RouteType.Blackhole ? null : Answers.Error(packet, kind));
        }
        return Disbelief(traveller, device)
            ?? (Step)new Step.On((traveller with { Route = way, Out = way.Hop!.Device }).To(
                Stage.Forward, traveller.Note(RouteWords.Of(way), way.Decider, way.Hop.Device) with { Chance = way.Probability }));
    }

    private static Step.End? Disbelief(Traveller traveller, string device) =>
        traveller.IsV4 && SourceCheck.Objection(traveller.Space, traveller.Packet.Source, traveller.Packet.Destination, device, traveller.Packet.Mark) is { } objection
            ? traveller.Drop(objection.Reason, objection.Entry, device)
            : null;

    private static Step.End? Martian(Traveller traveller, string device)
    {
        var (source, destination) = (traveller.Packet.Source, traveller.Packet.Destination);
        var routesLoopback = traveller.IsV4 && traveller.Space.OfDevice(IpFamily.V4, device, "route_localnet") != 0;
        var why = source.IsMulticast ? $"its source {source} is a group"
            : source.IsLoopback && !routesLoopback ? $"its source {source} is a loopback's"
            : destination.IsLoopback && !routesLoopback ? $"{destination} is a loopback's, and route_localnet is off"
            : traveller.IsV4 && (source.IsUnspecified || destination.IsUnspecified) ? "it has no address"
            : null;
        return why is null ? null : traveller.Drop($"a martian: {why}", null, device);
    }

    /// <summary>Whether this host passes on what comes in by a device, and the parameter that says so.</summary>
    public static bool Forwards(Traveller traveller, string device, out SysctlEntry parameter)
    {
        // IPv4 asks the device, IPv6 the host.
        var path = traveller.IsV4 ? $"net/ipv4/conf/{device}/forwarding" : "net/ipv6/conf/all/forwarding";
        parameter = new SysctlEntry(traveller.Space.Id, path, traveller.Space.Parameter(path) ?? "0");
        return parameter.Value is not "0";
    }
}
