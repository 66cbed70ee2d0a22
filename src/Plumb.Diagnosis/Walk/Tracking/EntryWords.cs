using System.Globalization;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Conntrack;

namespace Plumb.Diagnosis.Walk.Tracking;

/// <summary>A connection that a kernel remembers from before, in a line.</summary>
internal static class EntryWords
{
    public static string Of(ConntrackEntry entry, bool isReply)
    {
        var since = entry.Since is { } start ? string.Create(CultureInfo.InvariantCulture, $"known since {start:HH:mm:ss}") : "known from before";
        var left = entry.TimeoutSeconds is { } seconds ? $", {seconds} s left" : "";
        return $"{since}{left}{(entry.IsAnswered ? "" : ", unanswered")}{(isReply ? ", an answer" : "")}{Translated(entry)}";
    }

    private static string Translated(ConntrackEntry entry)
    {
        var ports = Tuples.HasPorts(entry.Original.Protocol);
        var to = entry.IsDestinationTranslated ? $": dnat to {EndpointText.Of(entry.Reply.Source, ports ? entry.Reply.SourcePort : (ushort)0)}" : "";
        var from = entry.IsSourceTranslated ? $"{(to.Length == 0 ? ":" : ",")} snat to {EndpointText.Of(entry.Reply.Destination, ports ? entry.Reply.DestinationPort : (ushort)0)}" : "";
        return to + from;
    }
}
