namespace Plumb.CommandLine;

/// <summary>The word that was probably meant.</summary>
internal static class Nearest
{
    /// <summary>`; did you mean X?`, or nothing when no known word is near.</summary>
    public static string Suggest(string written, IEnumerable<string> known)
    {
        var best = known.Select(word => (word, Distance: Distance(written, word))).OrderBy(static c => c.Distance).FirstOrDefault();
        return best.word is not null && best.Distance <= Math.Max(1, written.Length / 3) ? $"; did you mean {best.word}?" : "";
    }

    /// <summary>How many letters must be put in, taken out, replaced or swapped with their neighbour.</summary>
    internal static int Distance(string left, string right)
    {
        var rows = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            for (var j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    rows[i, j] = i + j;
                    continue;
                }
                var same = left[i - 1] == right[j - 1];
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + (same ? 0 : 1));
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }
        return rows[left.Length, right.Length];
    }
}
