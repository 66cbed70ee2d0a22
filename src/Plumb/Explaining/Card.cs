using Plumb.Output;

namespace Plumb.Explaining;

/// <summary>A thing that was asked for, itself: what it is, where, whose, and to what it leads.</summary>
/// <param name="Title">One line, for a person.</param>
internal sealed record Card(string Title, IReadOnlyList<CardLine> Lines)
{
    private const int Width = 80;
    private const int LabelWidth = 12;

    public void Write(TextWriter to, Style style)
    {
        to.WriteLine(style.Strong(Title));
        foreach (var (label, text) in Lines)
        {
            var first = true;
            foreach (var line in Wrapped(text, Width - LabelWidth - 2))
            {
                to.WriteLine($"  {(first ? label : "").PadRight(LabelWidth)}{line}");
                first = false;
            }
        }
    }

    private static IEnumerable<string> Wrapped(string text, int width)
    {
        while (text.Length > width)
        {
            var at = text.LastIndexOf(' ', width);
            if (at <= 0)
            {
                break;
            }
            yield return text[..at];
            text = text[(at + 1)..];
        }
        yield return text;
    }
}

internal sealed record CardLine(string Label, string Text);
