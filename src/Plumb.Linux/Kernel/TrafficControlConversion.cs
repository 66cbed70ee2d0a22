using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Linux.Kernel;

/// <summary>Between queueing disciplines and filters as entries and as messages.</summary>
internal static class TrafficControlConversion
{
    // TC_H_MAKE(TC_H_CLSACT, 0), and with TC_H_MIN_INGRESS, _EGRESS
    private const uint ClsactHandle = 0xffff_0000;
    private static readonly TrafficHandle IngressPlace = new(0xffff_fff2);
    private static readonly TrafficHandle EgressPlace = new(0xffff_fff3);

    /// <summary>By which number each hook of a qdisc goes.</summary>
    public static IEnumerable<(TrafficHook Hook, TrafficHandle Parent)> Places(QdiscEntry qdisc) => qdisc.Discipline switch
    {
        QdiscEntry.Clsact => [(TrafficHook.Ingress, IngressPlace), (TrafficHook.Egress, EgressPlace)],
        QdiscEntry.Ingress => [(TrafficHook.Ingress, new TrafficHandle(ClsactHandle))],
        _ => [],
    };

    public static TrafficMessage ToMessage(QdiscEntry qdisc, int index) =>
        new()
        {
            Index = index,
            Parent = qdisc.Parent,
            Handle = qdisc.Parent == TrafficHandle.Clsact ? ClsactHandle : TrafficHandle.Plumb.Number,
            Kind = qdisc.Discipline,
            TokenBucket = qdisc.Bucket,
        };

    public static QdiscEntry ToEntry(NamespaceId space, string device, TrafficMessage message) =>
        new(space, device, message.Parent, message.Kind) { Bucket = message.TokenBucket };

    /// <summary>What tells a filter from others: enough to remove it.</summary>
    public static TrafficMessage ToName(FilterEntry filter, int index) => new()
    {
        Index = index,
        Parent = filter.Hook == TrafficHook.Ingress ? IngressPlace : EgressPlace,
        Preference = filter.Preference,
        Protocol = filter.Protocol,
        Chain = filter.Chain,
        Kind = filter.Classifier,
    };

    /// <summary>A filter of one rule, with all devices that it names known.</summary>
    public static TrafficMessage ToMessage(FilterEntry filter, DeviceIndexes devices)
    {
        var rule = filter is { Classifier: FilterEntry.U32, Rules: { Count: 1 } rules }
            ? rules[0]
            : throw new ArgumentException($"Plumb makes filters of u32 with one rule, not {filter.Print()}", nameof(filter));
        return ToName(filter, devices.Get(filter.Device)) with
        {
            U32 = new U32Options { Keys = rule.Keys, Actions = new ActionList([.. rule.Actions.Select(action => ToMessage(action, devices))], null) },
        };
    }

    /// <param name="messages">Of one chain and preference: the classifier itself, and each of its rules.</param>
    public static (FilterEntry Entry, TrafficCount? Counted) ToEntry(QdiscEntry qdisc, TrafficHook hook, IReadOnlyList<TrafficMessage> messages, Func<int, string?> nameOf)
    {
        var first = messages[0];
        var entry = new FilterEntry(qdisc.Namespace, qdisc.Device, hook, first.Preference)
        {
            Chain = first.Chain, Classifier = first.Kind, Protocol = first.Protocol, Rules = RulesOf(messages, nameOf),
        };
        return (entry, messages.Select(static message => message.U32?.Actions.Counted ?? message.MatchAll?.Counted).FirstOrDefault(static count => count is not null));
    }

    private static ValueList<FilterRule>? RulesOf(IReadOnlyList<TrafficMessage> messages, Func<int, string?> nameOf)
    {
        switch (messages[0].Kind)
        {
            case FilterEntry.MatchAll:
                return [.. messages.Where(static message => message.MatchAll is not null).Select(message => ToRule([], message.MatchAll!, nameOf))];
            case FilterEntry.U32:
                var tables = messages.Count(static message => message.U32 is { IsTable: true });
                var rules = messages.Where(static message => message.U32 is { IsTable: false }).Select(static message => message.U32!).ToList();
                // A second table is one that rules lead to, or (u32_walk) that of the same preference on the device's other side.
                return tables > 1 || !rules.TrueForAll(static rule => rule.IsPlain) ? null : [.. rules.Select(rule => ToRule(rule.Keys, rule.Actions, nameOf))];
            default:
                return null;
        }
    }

    private static FilterRule ToRule(ValueList<FilterKey> keys, ActionList actions, Func<int, string?> nameOf) =>
        new(keys, [.. actions.Items.Select(action => ToAction(action, nameOf))]);

    private static FilterAction ToAction(ActionMessage action, Func<int, string?> nameOf)
    {
        var isKnown = Enum.IsDefined(action.Then);
        return action.Kind switch
        {
            "mirred" when isKnown && Enum.IsDefined(action.To) => new FilterAction.Mirred(action.To, nameOf(action.Index) ?? "", action.Then) { Cookie = action.Cookie },
            "gact" when isKnown => new FilterAction.Verdict(action.Then) { Cookie = action.Cookie },
            _ => new FilterAction.Unknown(action.Kind) { Cookie = action.Cookie },
        };
    }

    private static ActionMessage ToMessage(FilterAction action, DeviceIndexes devices) => action is FilterAction.Mirred mirred
        ? new ActionMessage("mirred") { To = mirred.To, Then = mirred.Then, Index = devices.Get(mirred.Device), Cookie = mirred.Cookie }
        : throw new ArgumentException($"Plumb makes no actions like {action}", nameof(action));
}
