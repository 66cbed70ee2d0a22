using System.Globalization;
using Plumb.Diagnosis.Walk;

namespace Plumb.Tracing;

/// <summary>The words in which a trace is told, in a terminal and in a picture.</summary>
internal static class HopWords
{
    /// <summary>The kind of what a kernel remembers of a flow; no entry of a plan is of it.</summary>
    public const string Connection = "connection";

    public static string Heading(TracedPlace place, string? address) => $"{place.Title}{(address is null ? "" : $" {address}")}{On(place)}";

    public static string On(TracedPlace place) => place.Node == place.Title ? "" : $" on {place.Node}";

    public static string Label(TracedHop hop) => hop.Kind == Connection ? "ct" : hop.Stage switch
    {
        _ when hop.Kind is "filter" or "qdisc" => "tc",
        Stage.Send or Stage.Route => "route",
        Stage.Neighbour => "neigh",
        Stage.Bridge => "bridge",
        Stage.Deliver => hop.Before.Inner is not null && hop.After.Inner is null && hop.Kind == "link" ? "tunnel" : "socket",
        Stage.Transmit => hop.Kind == "fdb" ? "tunnel" : "link",
        Stage.Receive => "link",
        _ when !Same(hop.Before, hop.After) => "nat",
        _ => hop.Kind is "chain" or "element" or "iptableschain" or "iptablesrule" ? "rule" : hop.Stage.ToString().ToLowerInvariant(),
    };

    // What is so on every way that goes well: JSON has it.
    public static bool IsPlain(TracedHop hop) =>
        // A rule that only leads on to others, or has nothing to say.
        (hop.Kind is "chain" or "element" or "iptableschain" or "iptablesrule" && hop.Chance is null && Same(hop.Before, hop.After) && hop.What.Split(' ') is ["goto" or "jump", _] or ["return" or "accept"])
        || (hop.Stage == Stage.Neighbour && hop.Entry is not null) || (hop.Stage == Stage.Route && hop.Text?.StartsWith("route local", StringComparison.Ordinal) == true);

    // Cables and bridges one after the other are one line: eth0 ⇄ veth1 → cni0.
    public static string? Continues(string line, TracedHop hop, TracedHop next)
    {
        if (!IsLink(hop) || !IsLink(next))
        {
            return null;
        }
        var last = line[(line.LastIndexOf(' ') + 1)..];
        return next.What.StartsWith(last + " ", StringComparison.Ordinal) ? line + next.What[last.Length..].Replace(" (flooded)", "", StringComparison.Ordinal) : null;
    }

    private static bool IsLink(TracedHop hop) => hop.Stage is Stage.Bridge || (hop.Stage is Stage.Transmit && hop.Kind == "link");

    public static IReadOnlyList<TracedHop> KillersList(TracedOutcome outcome) =>
        outcome.Back.Count > 0 && outcome.Verdict is not Diagnosis.Walk.Verdict.Refused && outcome.Killer is { } killer && killer < outcome.Back.Count ? outcome.Back : outcome.There;

    public static string What(TracedHop hop) => hop.Chance is { } chance ? $"{hop.What}, {Chance(chance)}" : hop.What;

    public static string Chance(double probability)
    {
        for (var of = 2; of <= 64; of++)
        {
            var parts = probability * of;
            if (Math.Abs(parts - Math.Round(parts)) < 0.001 && Math.Round(parts) >= 1)
            {
                return $"{Math.Round(parts)} of {of}";
            }
        }
        return probability.ToString("P1", CultureInfo.InvariantCulture);
    }

    public static bool Same(TracedPacket before, TracedPacket after) =>
        before.Source == after.Source && before.Destination == after.Destination && before.SourcePort == after.SourcePort && before.DestinationPort == after.DestinationPort;

    public static string Rewritten(TracedPacket before, TracedPacket after)
    {
        var parts = new List<string>(2);
        if (before.Source != after.Source || before.SourcePort != after.SourcePort)
        {
            parts.Add($"from {before.Source} → {after.Source}");
        }
        if (before.Destination != after.Destination || before.DestinationPort != after.DestinationPort)
        {
            parts.Add($"{Address(before.Destination, before.DestinationPort)} → {Address(after.Destination, after.DestinationPort)}");
        }
        return string.Join(", ", parts);
    }

    public static string Address(string address, int? port) => port is null ? address : address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port}" : $"{address}:{port}";
}
