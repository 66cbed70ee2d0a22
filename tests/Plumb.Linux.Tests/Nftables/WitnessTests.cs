using System.Text.RegularExpressions;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.Nftables;

/// <summary>Written by us, read by nft; written by nft, read by us.</summary>
public sealed partial class WitnessTests
{
    public static TheoryData<string> Files() =>
        [.. Directory.EnumerateFiles(Folder, "*.nft").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    internal static string PathOf(string file) => Path.Combine(Folder, file);

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Nftables", "testdata");

    [Fact]
    public void The_services_program_that_we_write_is_listed_as_we_print_it()
    {
        using var space = new NftNamespace();
        space.Add(ServicesProgram.Build(NftNamespace.Id));

        Assert.Equal(space.List(), space.Print());
    }

    [Fact]
    public void The_services_program_reloaded_by_nft_is_the_program_that_we_wrote()
    {
        using var ours = new NftNamespace();
        using var theirs = new NftNamespace();
        ours.Add(ServicesProgram.Build(NftNamespace.Id));

        Assert.Equal("", theirs.Load(ours.Print()));

        Assert.Equal(ours.List(), theirs.List());
        Assert.Empty(Differences(ours, theirs));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void What_nft_loads_we_print_as_nft_does(string file)
    {
        using var space = new NftNamespace();
        Assert.Equal("", space.Load(File.ReadAllText(PathOf(file))));

        Assert.Equal(Still(space.List()), Still(space.Print()));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void What_nft_loads_we_write_into_another_namespace_and_nft_lists_the_same(string file)
    {
        using var first = new NftNamespace();
        using var second = new NftNamespace();
        Assert.Equal("", first.Load(File.ReadAllText(PathOf(file))));

        second.Add(first.Observe().Select(static observed => new Desired(observed.Entry, observed.Stamp)));

        Assert.Equal(Still(first.List()), Still(second.List()));
        Assert.Empty(Differences(first, second));
    }

    // What is left of a timeout is less at each look.
    private static string Still(string text) => Expiry().Replace(text, " expires …");

    [GeneratedRegex(" expires [0-9a-z]+")]
    private static partial Regex Expiry();

    internal static List<string> Differences(NftNamespace left, NftNamespace right)
    {
        var theirs = right.Observe().ToDictionary(static observed => observed.Entry.Key);
        var differences = new List<string>();
        foreach (var ours in left.Observe())
        {
            if (!theirs.Remove(ours.Entry.Key, out var other))
            {
                differences.Add($"missing: {ours.Entry}");
            }
            else if (!ours.Entry.Equals(other.Entry) || ours.Stamp != other.Stamp)
            {
                differences.Add($"{ours.Entry} ({ours.Stamp}) is not {other.Entry} ({other.Stamp})");
            }
        }
        differences.AddRange(theirs.Keys.Select(static key => $"too many: {key}"));
        return differences;
    }
}
