using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Routing;

/// <summary>What is asked of the routing tables (<c>struct flowi</c>).</summary>
/// <param name="Source">Unspecified where none is chosen yet.</param>
/// <param name="In">The device that the packet came in by; null: it is sent here.</param>
/// <param name="Out">Only routes by this device; null: any.</param>
internal readonly record struct RouteQuestion(IpAddress Source, IpAddress Destination, uint Mark, byte TrafficClass, string? In, string? Out);

/// <summary>A route that was found, or why there is none.</summary>
/// <param name="Decider">The route, or the rule that says no; null: nothing matched.</param>
/// <param name="Hop">The way that the route takes; null for routes without.</param>
/// <param name="Probability">Where a route has several ways.</param>
internal sealed record RouteAnswer(Entry? Decider, RouteType Type, NextHop? Hop, double Probability)
{
    public static RouteAnswer None { get; } = new(null, RouteType.Unreachable, null, 1);

    public RouteEntry? Route => Decider as RouteEntry;

    public bool LeadsOn => Type == RouteType.Unicast && Hop is not null;

    public bool IsLocal => Type is RouteType.Local or RouteType.Broadcast or RouteType.Anycast && Decider is RouteEntry;

    /// <summary>Whom to ask for on the link.</summary>
    public IpAddress NextAddress(IpAddress destination) => Hop?.Gateway ?? destination;
}
