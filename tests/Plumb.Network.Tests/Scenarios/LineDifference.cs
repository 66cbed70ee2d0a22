using System.Text;

namespace Plumb.Network.Tests.Scenarios;

/// <summary>Two texts by lines, as <c>diff -u</c> shows them.</summary>
internal static class LineDifference
{
    private const int ContextLines = 2;

    public static string Of(string expected, string actual)
    {
        var (left, right) = (Lines(expected), Lines(actual));
        var shown = Merge(left, right);
        var text = new StringBuilder();
        for (var i = 0; i < shown.Count; i++)
        {
            var near = shown[Math.Max(0, i - ContextLines)..Math.Min(shown.Count, i + ContextLines + 1)].Exists(static line => line.Sign != ' ');
            if (near)
            {
                text.Append(shown[i].Sign).Append(' ').Append(shown[i].Line).Append('\n');
            }
        }
        return text.ToString();
    }

    private static string[] Lines(string text) => text.Length == 0 ? [] : text.TrimEnd('\n').Split('\n');

    // By the longest common subsequence: common[i, j] is its length from there to both ends.
    private static List<(char Sign, string Line)> Merge(string[] left, string[] right)
    {
        var common = new int[left.Length + 1, right.Length + 1];
        for (var i = left.Length - 1; i >= 0; i--)
        {
            for (var j = right.Length - 1; j >= 0; j--)
            {
                common[i, j] = left[i] == right[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }
        var merged = new List<(char, string)>();
        for (int i = 0, j = 0; i < left.Length || j < right.Length;)
        {
            if (i < left.Length && j < right.Length && left[i] == right[j])
            {
                merged.Add((' ', left[i++]));
                j++;
            }
            else if (j == right.Length || (i < left.Length && common[i + 1, j] >= common[i, j + 1]))
            {
                merged.Add(('-', left[i++]));
            }
            else
            {
                merged.Add(('+', right[j++]));
            }
        }
        return merged;
    }
}
