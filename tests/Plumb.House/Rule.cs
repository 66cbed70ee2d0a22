namespace Plumb.House;

/// <summary>A rule holds when nothing breaks it; a failure lists where it is broken and ends with the remedy.</summary>
internal static class Rule
{
    public static void Holds(string remedy, IEnumerable<string> broken)
    {
        var list = broken.ToList();
        if (list.Count > 0)
            Assert.Fail($"{string.Join('\n', list)}\n→ {remedy}");
    }

    /// <summary>Lines of the sources that match a pattern which they must not.</summary>
    public static IEnumerable<string> Matches(IEnumerable<Source> sources, System.Text.RegularExpressions.Regex pattern) =>
        from source in sources
        from line in source.Code()
        where pattern.IsMatch(line.Text)
        select $"{source.Path}:{line.Number}: {line.Text.Trim()}";
}
