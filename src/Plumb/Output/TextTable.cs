namespace Plumb.Output;

/// <summary>Columns under headings, aligned as kubectl does it: two spaces between, nothing behind the last.</summary>
internal sealed class TextTable(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Write(TextWriter to, Style style)
    {
        var widths = new int[headings.Length];
        for (var i = 0; i < headings.Length; i++)
        {
            widths[i] = headings[i].Length;
            foreach (var row in _rows)
            {
                widths[i] = Math.Max(widths[i], row[i].Length);
            }
        }
        to.WriteLine(style.Strong(Line(headings, widths)));
        foreach (var row in _rows)
        {
            to.WriteLine(Line(row, widths));
        }
    }

    private static string Line(string[] cells, int[] widths)
    {
        var line = new System.Text.StringBuilder();
        for (var i = 0; i < cells.Length; i++)
        {
            line.Append(i == cells.Length - 1 ? cells[i] : cells[i].PadRight(widths[i] + 2));
        }
        return line.ToString();
    }
}
