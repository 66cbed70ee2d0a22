using System.Globalization;
using Plumb.Commands;
using Plumb.Diagnosis.Observe;
using Plumb.Diagnosis.Walk;
using Plumb.Output;
using static Plumb.Tracing.HopWords;

namespace Plumb.Tracing;

/// <summary>A trace as a person reads it: a block for each host on the way, a line for each thing that happened, its owner to the right.</summary>
internal sealed class TraceText(TextWriter to, Style style)
{
    private const int Width = 80;
    private const int LabelWidth = 8;
    private const int TimeWidth = 11;

    // Of what was watched, when it was seen stands before it.
    private TracedObservation? _observed;

    public static void Write(TraceResult result, TextWriter to, Style style) => new TraceText(to, style).Write(result);

    private void Write(TraceResult result)
    {
        _observed = result.Observed;
        var first = result.Outcomes[_observed?.Outcome ?? 0];
        var packet = first.There.Count > 0 ? first.There[0].After : result.Packet;
        to.WriteLine(style.Strong(Heading(result.Source, packet.Source)));
        if (result.Dns is { } dns)
        {
            Line("dns", DnsQuestion.Summary(dns.Name, dns.Tried[^1]), dns.Tried[^1].Records.Select(static record => record.Cause).FirstOrDefault(static cause => cause is not null));
        }
        Line(result.Packet.Protocol, $"{packet.Source}{(packet.SourcePort is null ? "" : result.SourcePort is { } chosen ? $":{chosen}" : ":*")} → {Address(packet.Destination, packet.DestinationPort)}", null);
        Body(first, result.Source.Namespace);
        if (_observed is not null)
        {
            Observed(_observed);
            Onward(result.Onward);
            Agreement(result);
            return;
        }
        Others(result.Outcomes, result.Source);
    }

    private void Others(IReadOnlyList<TracedOutcome> outcomes, TracedPlace source)
    {
        foreach (var other in outcomes.Skip(1))
        {
            to.WriteLine();
            to.WriteLine($"{Chance(other.Probability)} {Verdict(other)}");
            // Where it goes well it goes as above; what does not is worth its whole way.
            if (other.Verdict != Diagnosis.Walk.Verdict.Delivered)
            {
                Body(other, source.Namespace);
            }
        }
    }

    // It was not watched hop by hop: only where it begins.
    private void Onward(IReadOnlyList<TracedOnward> onward)
    {
        _observed = null;
        foreach (var one in onward)
        {
            to.WriteLine(style.Strong($"and then {Heading(one.Source, null)} opened a connection"));
            Line(one.Packet.Protocol, $"{one.Packet.Source}:* → {Address(one.Packet.Destination, one.Packet.DestinationPort)}", null);
            Body(one.Outcomes[0], one.Source.Namespace);
            Others(one.Outcomes, one.Source);
            to.WriteLine(Seen(one.Seen, null));
        }
    }

    private void Agreement(TraceResult result)
    {
        IEnumerable<string> differences = [.. result.Observed!.Differences, .. result.Onward.Where(static one => !one.Agrees).Select(static one => $"what {one.Source.Title} opened to {Address(one.Packet.Destination, one.Packet.DestinationPort)} ended otherwise")];
        to.WriteLine(differences.Any() ? style.Bad($"prediction and kernel differ: {string.Join("; ", differences)}") : style.Good("prediction and kernel agree"));
    }

    private string Seen(ProbeAnswer answer, string? error) => answer switch
    {
        ProbeAnswer.Answered => $"observed: {style.Good("answered")}",
        ProbeAnswer.Refused => $"observed: {style.Bad("refused")}{(error is null ? "" : $", {error}")}",
        _ => $"observed: {style.Bad("silence")}",
    };

    private void Body(TracedOutcome outcome, string source)
    {
        Hops(outcome.There, source, outcome, Leg.There);
        if (outcome.Back.Count > 0)
        {
            to.WriteLine(style.Quiet("and back"));
            Hops(outcome.Back, "", outcome, Leg.Back);
        }
        to.WriteLine($"{(outcome.Probability < 1 ? Chance(outcome.Probability) + " " : "")}{Verdict(outcome)}");
        if (outcome.NearMiss is { } nearMiss)
        {
            to.WriteLine(style.Warning($"  {nearMiss}"));
        }
    }

    private void Hops(IReadOnlyList<TracedHop> hops, string at, TracedOutcome outcome, Leg leg)
    {
        var sights = leg == Leg.There ? _observed?.There : _observed?.Back;
        var strays = new Queue<TracedStray>(_observed?.Strays.Where(stray => stray.Leg == leg).OrderBy(static stray => stray.After) ?? Enumerable.Empty<TracedStray>());
        for (var i = 0; i < hops.Count; i++)
        {
            var hop = hops[i];
            var isKiller = outcome.Killer == i && ReferenceEquals(hops, KillersList(outcome));
            var (sight, isOther) = (sights?[i], sights?[i].Difference);
            if (!isKiller && isOther is null && IsPlain(hop))
            {
                continue;
            }
            Strays(strays, i - 1, ref at);
            if (hop.Place.Namespace != at)
            {
                at = hop.Place.Namespace;
                to.WriteLine(style.Strong(Heading(hop.Place, null)));
            }
            var what = What(hop);
            while (i + 1 < hops.Count && outcome.Killer != i + 1 && Continues(what, hop, hops[i + 1]) is { } longer)
            {
                what = longer;
                i++;
                isOther ??= sights?[i].Difference;
            }
            Line(Label(hop), what, hop.Owner, isKiller, sight);
            if (isOther is not null)
            {
                to.WriteLine(style.Bad($"{Time(null)}    ≠ {isOther}"));
            }
            if (!Same(hop.Before, hop.After) && hop.After.Inner is null && hop.Before.Inner is null)
            {
                Line("", Rewritten(hop.Before, hop.After), null);
            }
        }
        Strays(strays, int.MaxValue, ref at);
    }

    private void Strays(Queue<TracedStray> strays, int before, ref string at)
    {
        while (strays.TryPeek(out var stray) && stray.After <= before)
        {
            _ = strays.Dequeue();
            if (stray.Place.Namespace != at)
            {
                at = stray.Place.Namespace;
                to.WriteLine(style.Strong(Heading(stray.Place, null)));
            }
            to.WriteLine(style.Bad($"{Time(new TracedSight(true, stray.Microseconds, null))}    + {stray.What}: not predicted"));
        }
    }

    private void Observed(TracedObservation observed)
    {
        to.WriteLine(observed.Answer == ProbeAnswer.Answered
            ? $"{Seen(observed.Answer, null)}{(observed.HttpStatus is { } status ? $", HTTP {status}" : "")}{(observed.Error is { } error ? $", {error}" : "")}"
            : Seen(observed.Answer, observed.Error));
        // Copies that a bridge floods are dropped by everybody else: of what arrived that is no news.
        foreach (var drop in observed.Answer == ProbeAnswer.Answered ? [] : observed.Drops)
        {
            var at = drop.Place is { } place ? $" in {place.Title}{(drop.Device is { } device ? $", {device}" : "")}" : "";
            to.WriteLine($"{Time(new TracedSight(true, drop.Microseconds, null))}  the kernel dropped {(drop.Leg == Leg.There ? "it" : "the answer")}{at}: {drop.Reason}");
        }
        if (observed.Tls is { } tls)
        {
            Tls(tls);
        }
        foreach (var blind in observed.Blind)
        {
            to.WriteLine(style.Quiet(blind));
        }
    }

    private void Tls(TlsReport tls)
    {
        if (tls.Protocol is not null)
        {
            to.WriteLine($"  tls  {tls.Protocol}, {tls.CipherSuite}");
        }
        foreach (var certificate in tls.Chain)
        {
            var names = certificate.Names.Count == 0 ? "" : $" for {string.Join(", ", certificate.Names)}";
            to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"       {certificate.Subject}{names}, by {certificate.Issuer}, {certificate.NotBefore:yyyy-MM-dd} to {certificate.NotAfter:yyyy-MM-dd}"));
        }
        foreach (var problem in tls.Problems)
        {
            to.WriteLine(style.Bad($"       {problem}"));
        }
    }

    private string Time(TracedSight? sight) =>
        _observed is null ? ""
        : (sight switch
        {
            { Microseconds: { } time } => string.Create(CultureInfo.InvariantCulture, $"{time:F1} µs"),
            { Seen: true } => "seen",
            { Seen: false } => "NOT SEEN",
            _ => "",
        }).PadLeft(TimeWidth);

    private void Line(string label, string text, string? owner, bool isBad = false, TracedSight? sight = null)
    {
        var line = $"{Time(sight)}  {label.PadRight(LabelWidth)}{text}";
        var shown = isBad ? style.Bad(line) : line;
        if (owner is null)
        {
            to.WriteLine(shown);
        }
        else if (line.Length + 2 + owner.Length <= Width)
        {
            to.WriteLine($"{shown}{new string(' ', Width - line.Length - owner.Length)}{style.Good(owner)}");
        }
        else
        {
            to.WriteLine(shown);
            to.WriteLine($"{new string(' ', Math.Max(LabelWidth + 4, Width - owner.Length))}{style.Good(owner)}");
        }
    }

    private string Verdict(TracedOutcome outcome) => outcome.Verdict switch
    {
        Diagnosis.Walk.Verdict.Delivered => $"{outcome.End.Title}{On(outcome.End)} {Address(outcome.Final.Destination, outcome.Final.DestinationPort)}: {style.Good("delivered")}, {outcome.Reason}",
        Diagnosis.Walk.Verdict.Refused => style.Bad($"refused: {outcome.Reason}"),
        Diagnosis.Walk.Verdict.Lost => style.Bad($"lost: {outcome.Reason}"),
        Diagnosis.Walk.Verdict.Loop => style.Bad($"goes in circles: {outcome.Reason}"),
        _ => style.Warning($"not known: {outcome.Reason}"),
    };
}
