using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Xtables;

namespace Plumb.Linux.Nftables.Text;

/// <summary>Statements that read no register: their text follows from the expression alone.</summary>
internal static class StatementText
{
    private static readonly string[] _levels = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"];

    public static string Of(Expression expression) => expression switch
    {
        CounterExpression counter => $"counter packets {counter.Packets} bytes {counter.Bytes}",
        LimitExpression limit => Limit(limit),
        QuotaExpression quota => $"quota {Quota(quota)}",
        ConnectionLimitExpression connections => $"ct count {(connections.Inverted ? "over " : "")}{connections.Count}",
        LastUsedExpression { AgoMilliseconds: { } ago } => $"last used {Time(ago)}",
        LastUsedExpression => "last used never",
        LogExpression log => Log(log),
        NoTrackExpression => "notrack",
        ObjectReferenceExpression { ObjectName: { } name } reference => ObjectReference(reference.Kind, $"\"{name}\""),
        ImmediateExpression { Verdict: { } verdict } => verdict.ToString(),
        XtMatchExpression match => $"xt match {match.Match}",
        XtTargetExpression target => $"xt target {target.Target}",
        UnknownExpression unknown => $"unknown expression {unknown.Kind} 0x{unknown.Data}",
        _ => $"unknown expression {expression.Name}",
    };

    public static string ObjectReference(ObjectKind kind, string what) => kind switch
    {
        ObjectKind.ConntrackHelper => $"ct helper set {what}",
        ObjectKind.ConntrackTimeout => $"ct timeout set {what}",
        ObjectKind.ConntrackExpectation => $"ct expectation set {what}",
        ObjectKind.SecurityMark => $"meta secmark set {what}",
        _ => $"{RulesetText.ObjectKindName(kind)} name {what}",
    };

    public static string Quota(QuotaExpression quota) =>
        $"{(quota.Inverted ? "over " : "")}{ValueText.Amount(quota.Bytes)}{(quota.UsedBytes > 0 ? $" used {ValueText.Amount(quota.UsedBytes)}" : "")}";

    public static string Limit(LimitExpression limit)
    {
        var unit = limit.UnitSeconds switch
        {
            1 => "second",
            60 => "minute",
            3600 => "hour",
            86_400 => "day",
            604_800 => "week",
            var seconds => $"{seconds}s",
        };
        var over = limit.Inverted ? "over " : "";
        if (limit.CountsBytes)
        {
            return $"limit rate {over}{ValueText.Amount(limit.Rate)}/{unit}{(limit.Burst > 0 ? $" burst {ValueText.Amount(limit.Burst)}" : "")}";
        }
        var burst = limit.Burst is > 0 and not LimitExpression.DefaultPacketBurst ? $" burst {limit.Burst} packets" : "";
        return $"limit rate {over}{limit.Rate}/{unit}{burst}";
    }

    private static string Log(LogExpression log)
    {
        var text = "log";
        text += log.Prefix is { } prefix ? $" prefix \"{prefix}\"" : "";
        text += log.Group is { } group ? $" group {group}" : "";
        text += log.SnapLengthBytes is { } length ? $" snaplen {length}" : "";
        text += log.QueueThreshold is { } threshold ? $" queue-threshold {threshold}" : "";
        text += log.Level is { } level ? $" level {(level < _levels.Length ? _levels[level] : level.ToString())}" : "";
        if ((log.Flags & LogFlags.All) == LogFlags.All)
        {
            return text + " flags all";
        }
        if ((log.Flags & (LogFlags.TcpSequence | LogFlags.TcpOptions)) != 0)
        {
            var sequence = (log.Flags & LogFlags.TcpSequence) != 0;
            var options = (log.Flags & LogFlags.TcpOptions) != 0;
            text += $" flags tcp {(sequence ? "sequence" : "")}{(sequence && options ? "," : "")}{(options ? "options" : "")}";
        }
        text += (log.Flags & LogFlags.IpOptions) != 0 ? " flags ip options" : "";
        text += (log.Flags & LogFlags.UserId) != 0 ? " flags skuid" : "";
        text += (log.Flags & LogFlags.MacDecode) != 0 ? " flags ether" : "";
        return text;
    }

    private static string Time(ulong milliseconds)
    {
        var text = new System.Text.StringBuilder();
        ValueText.AppendTime(text, milliseconds);
        return text.ToString();
    }
}
