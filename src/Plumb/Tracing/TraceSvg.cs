using System.Globalization;
using System.Xml;
using Plumb.Commands;
using Plumb.Diagnosis.Walk;
using static Plumb.Tracing.HopWords;

namespace Plumb.Tracing;

/// <summary>
/// A trace as a picture (SVG 1.1): a column for each host, time downwards; what happens at a host is a box in its column, what goes over a cable an arrow
/// to the next. One file that needs nothing else, light or dark as its reader is.
/// </summary>
internal sealed class TraceSvg
{
    private const int ColumnWidth = 316;
    private const int BoxWidth = 292;
    private const int Margin = 24;
    private const int LineHeight = 15;
    private const int Gap = 10;

    private const int LetterWidth = 7;

    // Of a monospaced font of 11 pixels; the text of a box begins 8 from its edge, that of a label 58.
    private const int LettersOfBox = 41;
    private const int LettersOfLine = 33;

    private const string Looks = """

        svg { font: 11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; background: #fff; fill: #1b1f24 }
        .title { font-size: 15px; font-weight: bold } .host { font-weight: bold; font-size: 12px }
        .life { stroke: #c5ccd3; stroke-dasharray: 2 4 } .box { fill: #f6f8fa; stroke: #c5ccd3 } .nat { fill: #fff3d6; stroke: #d8a227 }
        .tunnel { fill: #e7f0ff; stroke: #5b8def } .killer { fill: #ffe3e1; stroke: #d1242f; stroke-width: 2 } .label { fill: #6b7580 } .owner { fill: #1a7f37 }
        .arrow { stroke: #1f6feb; fill: none; stroke-width: 1.6 } .back { stroke: #8250df; stroke-dasharray: 6 3 } .inside { stroke-width: 4; stroke-opacity: .55 }
        .head { fill: #1f6feb } .backhead { fill: #8250df } .good { fill: #1a7f37; font-weight: bold } .bad { fill: #d1242f; font-weight: bold }
        @media (prefers-color-scheme: dark) {
          svg { background: #0d1117; fill: #e6edf3 } .life { stroke: #3d444d } .box { fill: #161b22; stroke: #3d444d } .nat { fill: #33270a; stroke: #9e7700 }
          .tunnel { fill: #10233f; stroke: #3b6fc4 } .killer { fill: #3d1214; stroke: #f85149 } .label { fill: #9198a1 } .owner, .good { fill: #3fb950 }
          .bad { fill: #f85149 } .arrow { stroke: #58a6ff } .head { fill: #58a6ff } .back { stroke: #bc8cff } .backhead { fill: #bc8cff }
        }

        """;

    private readonly TraceResult _result;
    private readonly TracedOutcome _outcome;
    private readonly List<TracedPlace> _hosts;
    private readonly List<Row> _rows;
    private readonly List<Action<XmlWriter>> _drawn = [];
    private int _bottom;

    private TraceSvg(TraceResult result)
    {
        _result = result;
        _outcome = result.Outcomes[result.Observed?.Outcome ?? 0];
        _rows = [.. Leg(_outcome.There, isBack: false), .. Leg(_outcome.Back, isBack: true)];
        // A switch between two cables is part of the arrow over it.
        _hosts = [.. _rows.SelectMany(static row => (TracedPlace[])[row.Hop.Place, row.Next]).Prepend(result.Source).DistinctBy(static place => place.Namespace)];
    }

    public static void Write(TraceResult result, TextWriter to) => new TraceSvg(result).Draw(to);

    private void Draw(TextWriter to)
    {
        _bottom = Margin + 20;
        Top();
        var top = _bottom;
        _bottom += 3 * LineHeight;
        foreach (var row in _rows)
        {
            if (row.IsOnCable)
            {
                Arrow(row);
            }
            else
            {
                Box(row);
            }
        }
        var end = _bottom;
        Footer();
        var settings = new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true };
        using var svg = XmlWriter.Create(to, settings);
        svg.WriteStartElement("svg", "http://www.w3.org/2000/svg");
        var width = Math.Max((_hosts.Count * ColumnWidth) + Margin, 760);
        Attributes(svg, ("width", width), ("height", _bottom + Margin));
        svg.WriteAttributeString("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width} {_bottom + Margin}"));
        svg.WriteAttributeString("role", "img");
        svg.WriteElementString("title", $"{_result.Source.Title} → {_result.Destination}");
        svg.WriteElementString("style", Looks);
        for (var i = 0; i < _hosts.Count; i++)
        {
            Line(svg, "life", Middle(i), top + (2 * LineHeight) + 4, Middle(i), end);
            Text(svg, "host", Middle(i), top + LineHeight, _hosts[i].Title, isCentred: true);
            Text(svg, "label", Middle(i), top + (2 * LineHeight), On(_hosts[i]).Trim(), isCentred: true);
        }
        foreach (var draw in _drawn)
        {
            draw(svg);
        }
        svg.WriteEndElement();
        svg.Flush();
        to.WriteLine();
    }

    private void Top()
    {
        Say("title", $"{_result.Source.Title} → {_result.Destination}");
        if (_result.Dns is { } dns)
        {
            Say("label", $"dns  {DnsQuestion.Summary(dns.Name, dns.Tried[^1])}");
        }
        var packet = _outcome.There.Count > 0 ? _outcome.There[0].After : _result.Packet;
        Say("label", $"{_result.Packet.Protocol}  {packet.Source} → {Address(packet.Destination, packet.DestinationPort)}");
        _bottom += Gap;
    }

    private void Footer()
    {
        _bottom += (2 * Gap) + LineHeight;
        foreach (var outcome in _result.Outcomes.OrderByDescending(outcome => outcome == _outcome))
        {
            var chance = outcome.Probability < 1 ? Chance(outcome.Probability) + "  " : "";
            var isDelivered = outcome.Verdict == Verdict.Delivered;
            Say(isDelivered ? "good" : "bad", isDelivered ? $"{chance}delivered: {outcome.End.Title}{On(outcome.End)}, {outcome.Reason}" : $"{chance}{outcome.Verdict.ToString().ToLowerInvariant()}: {outcome.Reason}");
            if (outcome.NearMiss is { } nearMiss)
            {
                Say("bad", nearMiss);
            }
        }
        _bottom -= LineHeight;
    }

    private IEnumerable<Row> Leg(IReadOnlyList<TracedHop> hops, bool isBack)
    {
        var killers = KillersList(_outcome);
        for (var i = 0; i < hops.Count; i++)
        {
            var (hop, isKiller) = (hops[i], _outcome.Killer == i && ReferenceEquals(hops, killers));
            if (!isKiller && IsPlain(hop))
            {
                continue;
            }
            var what = What(hop);
            while (i + 1 < hops.Count && _outcome.Killer != i + 1 && Continues(what, hop, hops[i + 1]) is { } longer)
            {
                what = longer;
                i++;
            }
            yield return new Row(hop, what, i + 1 < hops.Count && !isKiller ? hops[i + 1].Place : hop.Place, isKiller, isBack);
        }
    }

    private void Box(Row row)
    {
        var (hop, what, isKiller) = (row.Hop, row.What, row.IsKiller);
        var isRewritten = !Same(hop.Before, hop.After) && hop.After.Inner is null && hop.Before.Inner is null;
        var label = Label(hop);
        List<(string Class, int Left, string Text)> lines = [.. Wrap(what, LettersOfLine).Select(static line => ("", 58, line))];
        if (isRewritten)
        {
            lines.AddRange(Wrap(Rewritten(hop.Before, hop.After), LettersOfLine).Select(static line => ("", 58, line)));
        }
        lines.AddRange(Wrap(hop.Owner, LettersOfBox).Select(static line => ("owner", 8, line)));
        var (top, height) = (_bottom, (lines.Count * LineHeight) + 8);
        var left = Middle(Column(hop.Place)) - (BoxWidth / 2);
        _drawn.Add(svg =>
        {
            svg.WriteStartElement("g");
            svg.WriteElementString("title", hop.Text is null ? what : $"{hop.Text}\n{hop.Owner}");
            svg.WriteStartElement("rect");
            Attributes(svg, ("x", left), ("y", top), ("width", BoxWidth), ("height", height), ("rx", 4));
            svg.WriteAttributeString("class", isKiller ? "killer" : label is "nat" or "tunnel" ? label : "box");
            svg.WriteEndElement();
            Text(svg, "label", left + 8, top + LineHeight, label);
            for (var i = 0; i < lines.Count; i++)
            {
                Text(svg, lines[i].Class, left + lines[i].Left, top + ((i + 1) * LineHeight), lines[i].Text);
            }
            svg.WriteEndElement();
        });
        _bottom += height + Gap;
    }

    private void Arrow(Row row)
    {
        var (hop, what, isBack) = (row.Hop, row.What, row.IsBack);
        var (start, end) = (Middle(Column(hop.Place)), Middle(Column(row.Next)));
        var lines = Wrap(what, (Math.Abs(start - end) / LetterWidth) - 4);
        var top = _bottom;
        var y = top + (lines.Count * LineHeight) + 6;
        var isRight = end > start;
        _drawn.Add(svg =>
        {
            svg.WriteStartElement("g");
            svg.WriteElementString("title", $"{what}\n{hop.Owner}");
            for (var i = 0; i < lines.Count; i++)
            {
                Text(svg, "label", (start + end) / 2, top + ((i + 1) * LineHeight) - 2, lines[i], isCentred: true);
            }
            if (hop.After.Inner is not null)
            {
                Line(svg, isBack ? "arrow back inside" : "arrow inside", start, y, end, y);
            }
            Line(svg, isBack ? "arrow back" : "arrow", start, y, isRight ? end - 7 : end + 7, y);
            svg.WriteStartElement("path");
            svg.WriteAttributeString("class", isBack ? "backhead" : "head");
            svg.WriteAttributeString("d", isRight ? $"M{end} {y}l-9 -4v8z" : $"M{end} {y}l9 -4v8z");
            svg.WriteEndElement();
            svg.WriteEndElement();
        });
        _bottom = y + Gap;
    }

    private void Say(string kind, string text)
    {
        var y = _bottom;
        _drawn.Add(svg => Text(svg, kind, Margin, y, text));
        _bottom += LineHeight + 3;
    }

    private int Column(TracedPlace place) => _hosts.FindIndex(host => host.Namespace == place.Namespace);

    private static int Middle(int column) => Margin + (BoxWidth / 2) + (column * ColumnWidth);

    // At spaces; a word that is too long stands alone, and is shown whole by its title.
    private static List<string> Wrap(string text, int letters)
    {
        var lines = new List<string> { "" };
        foreach (var word in text.Split(' '))
        {
            if (lines[^1].Length > 0 && lines[^1].Length + 1 + word.Length > letters)
            {
                lines.Add("");
            }
            lines[^1] += lines[^1].Length > 0 ? " " + word : word;
        }
        return [.. lines.Select(line => line.Length > letters ? line[..(letters - 1)] + "…" : line)];
    }

    private static void Attributes(XmlWriter svg, params ReadOnlySpan<(string Name, int Value)> attributes)
    {
        foreach (var (name, value) in attributes)
        {
            svg.WriteAttributeString(name, value.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static void Line(XmlWriter svg, string kind, int x1, int y1, int x2, int y2)
    {
        svg.WriteStartElement("line");
        svg.WriteAttributeString("class", kind);
        Attributes(svg, ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2));
        svg.WriteEndElement();
    }

    private static void Text(XmlWriter svg, string kind, int x, int y, string text, bool isCentred = false)
    {
        svg.WriteStartElement("text");
        if (kind.Length > 0)
        {
            svg.WriteAttributeString("class", kind);
        }
        Attributes(svg, ("x", x), ("y", y));
        if (isCentred)
        {
            svg.WriteAttributeString("text-anchor", "middle");
        }
        svg.WriteString(text);
        svg.WriteEndElement();
    }

    /// <param name="Next">Where the packet is after it.</param>
    private sealed record Row(TracedHop Hop, string What, TracedPlace Next, bool IsKiller, bool IsBack)
    {
        public bool IsOnCable => Next.Namespace != Hop.Place.Namespace;
    }
}
