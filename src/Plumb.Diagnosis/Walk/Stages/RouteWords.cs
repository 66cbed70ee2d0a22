using Plumb.Diagnosis.Walk.Routing;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>A route as a trace tells of it.</summary>
internal static class RouteWords
{
    public static string Of(RouteAnswer way)
    {
        var destination = way.Route is { } route ? (route.Destination.Length == 0 ? "default" : route.Destination.IsHost ? route.Destination.Address.ToString() : route.Destination.ToString()) : "";
        return $"{destination}{(way.Hop?.Gateway is { } gateway ? $" via {gateway}" : "")} dev {way.Hop?.Device}";
    }
}
