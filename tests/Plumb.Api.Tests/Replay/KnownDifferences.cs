namespace Plumb.Api.Tests.Replay;

/// <summary>
/// differences.txt: a reason, and below it, indented, the lines that it is the reason of. A reason that begins with "Not served:" is of what Plumb does not have.
/// </summary>
internal sealed class KnownDifferences
{
    public List<(string Reason, List<string> Ids)> Reasons { get; } = [];

    public IEnumerable<string> Ids => Reasons.SelectMany(static reason => reason.Ids);

    public bool Has(string id) => _all.Contains(id);

    private readonly HashSet<string> _all = [];

    public static KnownDifferences Read()
    {
        var known = new KnownDifferences();
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Replay", "differences.txt")))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (line[0] != ' ')
            {
                known.Reasons.Add((line, []));
                continue;
            }

            foreach (var id in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                Assert.True(known.Reasons.Count > 0, "differences.txt: the first line is a reason");
                Assert.True(known._all.Add(id), $"differences.txt has {id} twice");
                known.Reasons[^1].Ids.Add(id);
            }
        }

        return known;
    }
}
