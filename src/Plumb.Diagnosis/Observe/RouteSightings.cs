using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Bpf;

namespace Plumb.Diagnosis.Observe;

/// <summary>
/// Which of all look-ups were for the probe. They bear no sign: they are those between a source and a destination that it was seen to have, while it was seen.
/// Whoever sends says so; of what comes in, all is for the way there until an answer is seen, and the other direction is a check of the source.
/// </summary>
internal static class RouteSightings
{
    // What comes behind is of the connection's other packets.
    private const long Lately = 50_000;

    public static IEnumerable<RouteSighting> Of(IReadOnlyList<TracedRoute> routes, IReadOnlyList<Sighting> sightings, Func<uint, Space?> spaceOf)
    {
        if (routes.Count == 0 || sightings.Count == 0)
        {
            yield break;
        }
        var (sources, destinations) = (Ends(sightings, Leg.There), Ends(sightings, Leg.Back));
        var last = sightings[^1].Nanoseconds + Lately;
        var answered = sightings.FirstOrDefault(static one => one.Leg == Leg.Back)?.Nanoseconds ?? long.MaxValue;
        foreach (var route in routes)
        {
            // A socket that connects has no source yet.
            var isThere = (sources.Contains(route.Source) || route.Source.IsUnspecified) && destinations.Contains(route.Destination);
            var isBack = destinations.Contains(route.Source) && sources.Contains(route.Destination);
            if ((!isThere && !isBack) || route.Nanoseconds > last)
            {
                continue;
            }
            var leg = (route.Protocol != 0 ? isThere : route.Nanoseconds < answered) ? Leg.There : Leg.Back;
            var space = spaceOf(route.Inode);
            yield return new RouteSighting(space?.Id, space?.Name(route.Device), route.Nanoseconds, leg, isThere != (leg == Leg.There), route);
        }
    }

    // Where it comes from on the way there, or goes to on the way back; and the other way round.
    private static HashSet<IpAddress> Ends(IReadOnlyList<Sighting> sightings, Leg leg) =>
        [.. sightings.Select(one => one.Leg == leg ? one.Packet.Source : one.Packet.Destination)];
}
