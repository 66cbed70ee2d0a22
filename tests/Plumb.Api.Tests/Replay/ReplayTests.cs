namespace Plumb.Api.Tests.Replay;

/// <summary>The same requests in the same order as a real server had them; what we answer is held against what it answered.</summary>
public sealed class ReplayTests
{
    [Fact]
    public async Task Every_recorded_request_is_answered_as_by_a_real_server_but_for_the_known_differences()
    {
        var outcomes = await Rerun.RunAsync();
        var known = KnownDifferences.Read();
        foreach (var (file, lines) in outcomes.GroupBy(static outcome => outcome.Recording.File).Select(static group => (group.Key, group.ToList())))
            TestContext.Current.TestOutputHelper?.WriteLine($"{file}: {lines.Count(static line => line.Difference is null)} of {lines.Count} agree");

        var different = outcomes.Where(static outcome => outcome.Difference is not null).ToDictionary(static outcome => outcome.Recording.Id, static outcome => outcome.Difference!);
        var unexpected = different.Where(pair => !known.Has(pair.Key)).Select(static pair => $"{pair.Key}: {pair.Value}").ToList();
        Assert.True(unexpected.Count == 0, $"{unexpected.Count} answers differ from a real server's:\n  {string.Join("\n  ", unexpected)}");
        var agree = known.Ids.Where(id => !different.ContainsKey(id)).ToList();
        Assert.True(agree.Count == 0, $"these agree now, or are no line of a recording; take them off Replay/differences.txt:\n  {string.Join("\n  ", agree)}");
        SharePage.Hold(outcomes.ConvertAll(static outcome => (outcome.Recording.File, outcome.Difference is null)), known);
    }
}
