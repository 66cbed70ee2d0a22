using System.Buffers.Binary;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>What stands on a device itself: filters where frames come in and go out (<c>sch_handle_ingress</c>, <c>sch_handle_egress</c>), and the queue behind them.</summary>
internal static class DeviceFilters
{
    // net/sched/act_mirred.c
    private const int MIRRED_NEST_LIMIT = 4;

    // They delay, and drop what is too much; of one packet that comes alone nothing is lost.
    private static readonly HashSet<string> Patient =
        ["bfifo", "cake", "codel", "drr", "fq", "fq_codel", "fq_pie", "hfsc", "htb", "mq", "mqprio", "noqueue", "pfifo", "pfifo_fast", "pie", "prio", "qfq", "sfq", "tbf"];

    /// <summary>Null: it goes its way, with what was done to it noted. Else where it goes instead, or how it ends.</summary>
    public static Step? Pass(ref Traveller traveller, string device, TrafficHook hook)
    {
        var filters = traveller.HasPassedFilters ? [] : traveller.Space.Filters(device, hook);
        // Of a tagged frame filters are told the tag (skb_protocol of linux/if_vlan.h).
        var protocol = traveller.Tag is not null ? EtherType.Tagged : traveller.IsV4 ? EtherType.IPv4 : EtherType.IPv6;
        traveller = traveller with { HasPassedFilters = false };
        foreach (var filter in filters)
        {
            if (filter.Protocol != EtherType.All && filter.Protocol != protocol)
            {
                continue;
            }
            if (filter.Rules is not { } rules)
            {
                return Unknown(traveller, filter, $"what the filter {filter.Classifier} does");
            }
            foreach (var rule in rules)
            {
                switch (Matches(rule, traveller))
                {
                    case null:
                        return Unknown(traveller, filter, "bytes that the filter asks for");
                    case false:
                        continue;
                }
                var (step, verdict) = Do(ref traveller, filter, rule);
                if (step is not null)
                {
                    return step;
                }
                if (verdict != FilterVerdict.Continue)
                {
                    return null;
                }
            }
        }
        return hook == TrafficHook.Egress ? Queue(ref traveller, device) : null;
    }

    /// <summary>A device that is nothing but a queue (<c>drivers/net/ifb.c</c>): what filters send there goes on where they took it from.</summary>
    public static Step GiveBack(Traveller traveller, LinkEntry queue)
    {
        if (traveller.RedirectedFrom is not var (device, hook))
        {
            return traveller.Drop($"{queue.Name} takes only what filters send there", queue, queue.Name);
        }
        var back = traveller with { RedirectedFrom = null, HasPassedFilters = true };
        return hook == TrafficHook.Ingress
            ? (back with { In = device, Out = null }).Go(Stage.Receive)
            : (back with { In = null, Out = device }).Go(Stage.Transmit);
    }

    private static Step.End? Queue(ref Traveller traveller, string device)
    {
        foreach (var qdisc in traveller.Space.Qdiscs(device))
        {
            if (qdisc is { Parent: var parent, Bucket: { } bucket } && parent == TrafficHandle.Root)
            {
                traveller = traveller with { Hops = traveller.Hops.Add(traveller.Note($"{device} sends at most {bucket.RateText}", qdisc, device)) };
            }
            if (qdisc.Parent == TrafficHandle.Root && !Patient.Contains(qdisc.Discipline))
            {
                var reason = $"what the queue {qdisc.Discipline} of {device} does to a packet is not known here";
                return traveller.End(Ending.Undecided, reason, traveller.Note(reason, qdisc, device));
            }
        }
        return null;
    }

    private static (Step? Step, FilterVerdict Verdict) Do(ref Traveller traveller, FilterEntry filter, FilterRule rule)
    {
        var verdict = FilterVerdict.Pass;
        foreach (var action in rule.Actions)
        {
            switch (action)
            {
                case FilterAction.Mirred { IsRedirect: true } redirect:
                    return (Redirect(traveller, filter, redirect), FilterVerdict.Stolen);
                case FilterAction.Mirred mirror:
                    traveller = traveller with { Hops = traveller.Hops.Add(traveller.Note(Copy(traveller, mirror), filter, filter.Device)) };
                    verdict = mirror.Then;
                    break;
                case FilterAction.Verdict decision:
                    verdict = decision.Decision;
                    break;
                default:
                    return (Unknown(traveller, filter, $"what the action {action} does"), FilterVerdict.Pass);
            }
            if (verdict != FilterVerdict.Pipe)
            {
                break;
            }
        }
        return verdict switch
        {
            FilterVerdict.Drop or FilterVerdict.Stolen => (traveller.Drop($"a filter at {filter.Device} drops it", filter, filter.Device), verdict),
            FilterVerdict.Reclassify => (Unknown(traveller, filter, "how often filters are asked again"), verdict),
            _ => (null, verdict),
        };
    }

    private static string Copy(Traveller traveller, FilterAction.Mirred mirror) =>
        mirror.Device.Length != 0 && traveller.Space.Carries(mirror.Device) ? $"a copy goes {(mirror.IsIntoHost ? "in by" : "out by")} {mirror.Device}"
        : $"a copy would go to {(mirror.Device.Length == 0 ? "a device that is no more" : $"{mirror.Device}, which is down")}";

    private static Step Redirect(Traveller traveller, FilterEntry filter, FilterAction.Mirred redirect)
    {
        if (redirect.Device.Length == 0 || !traveller.Space.Carries(redirect.Device))
        {
            return traveller.Drop($"a filter sends it to {(redirect.Device.Length == 0 ? "a device that is no more" : $"{redirect.Device}, which is down")}", filter, filter.Device);
        }
        if (traveller.Redirections == MIRRED_NEST_LIMIT)
        {
            var reason = $"filters send it round in circles, now to {redirect.Device}";
            return traveller.End(Ending.Loop, reason, traveller.Note(reason, filter, filter.Device));
        }
        var hop = traveller.Note($"a filter sends it {(redirect.IsIntoHost ? "in by" : "out by")} {redirect.Device} instead", filter, filter.Device);
        var sent = traveller with { Port = null, CameBy = null, Route = null, Connection = null, IsShown = false, Redirections = traveller.Redirections + 1, RedirectedFrom = (filter.Device, filter.Hook) };
        return redirect.IsIntoHost
            ? new Step.On((sent with { In = redirect.Device, Out = null, IsForHost = IsForHost(traveller, filter) }).To(Stage.Receive, hop))
            : new Step.On((sent with { In = null, Out = redirect.Device }).To(Stage.Transmit, hop));
    }

    // Nobody looks at the address again: what this host sends or passes on is PACKET_HOST, and what came in is what it was there.
    private static bool IsForHost(Traveller traveller, FilterEntry filter) => filter.Hook == TrafficHook.Egress
        ? traveller.Port is null
        : traveller.IsForHost ?? ReceiveStage.IsFor(traveller, traveller.Space.Link(filter.Device));

    /// <summary>Null: that is not known.</summary>
    private static bool? Matches(FilterRule rule, Traveller traveller)
    {
        if (rule.Keys.Count == 0)
        {
            return true;
        }
        var header = new HeaderBytes(traveller.Packet);
        var length = traveller.IsV4 ? 20 : 40; // no options
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        Span<byte> unknown = stackalloc byte[sizeof(uint)];
        bool? all = true;
        foreach (var key in rule.Keys)
        {
            if (key.OffsetBytes < 0)
            {
                all = null;
                continue;
            }
            var isThere = key.OffsetBytes < length ? header.TryReadNetwork(key.OffsetBytes, bytes, unknown) : header.TryReadTransport(key.OffsetBytes - length, bytes, unknown);
            if (!isThere)
            {
                return false;
            }
            var hidden = BinaryPrimitives.ReadUInt32BigEndian(unknown);
            var differs = (BinaryPrimitives.ReadUInt32BigEndian(bytes) ^ key.Value) & key.Mask;
            if ((differs & ~hidden) != 0)
            {
                return false;
            }
            all = (key.Mask & hidden) != 0 ? null : all;
        }
        return all;
    }

    private static Step.End Unknown(Traveller traveller, FilterEntry filter, string what)
    {
        var reason = $"{what} at {filter.Device} {(filter.Hook == TrafficHook.Ingress ? "ingress" : "egress")} is not known here";
        return traveller.End(Ending.Undecided, reason, traveller.Note(reason, filter, filter.Device));
    }
}
