using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Cli.Tests.CommandLine;
using Plumb.Diagnosis.Snapshots;
using Plumb.Diagnosis.Snapshots.Redaction;
using Plumb.Linux.State;

namespace Plumb.Cli.Tests.Snapshots;

/// <summary>With other names and addresses a network does what it did.</summary>
public sealed class RedactionTests
{
    private static readonly byte[] Key = Encoding.ASCII.GetBytes("not random, so that this is the same each time".PadRight(64))[..Redaction.KeyBytes];

    [Theory]
    [InlineData("client", "10.244.2.2:80")]
    [InlineData("client", "http://website")]
    [InlineData("client", "website.default:80")]
    [InlineData("outside", "192.168.1.12:31100")]
    [InlineData("client", "nobody:80")]
    [InlineData("node-1", "client")]
    public async Task A_trace_comes_to_the_same(string source, string destination)
    {
        using var folder = new TemporaryFolder();
        var (file, other) = Redacted(folder);
        var was = await Said.By("trace", "--from", FrozenTests.File, source, destination, "-o", "json");
        var now = await Said.By("trace", "--from", file, other(source), other(destination), "-o", "json");
        Assert.Equal((was.ExitCode, ""), (now.ExitCode, now.Error));
        Assert.Equal(Shape(was.Output), Shape(now.Output));
    }

    [Theory]
    [InlineData("cni0")]
    [InlineData("client")]
    [InlineData("service/website")]
    [InlineData("10.244.2.2")]
    public async Task An_explanation_comes_to_the_same(string thing)
    {
        using var folder = new TemporaryFolder();
        var (file, other) = Redacted(folder);
        var was = await Said.By("explain", "--from", FrozenTests.File, thing, "-o", "json");
        var now = await Said.By("explain", "--from", file, other(thing), "-o", "json");
        Assert.Equal((was.ExitCode, ""), (now.ExitCode, now.Error));
        Assert.Equal(Standings(was.Output), Standings(now.Output));
    }

    [Fact]
    public void Nothing_of_what_was_is_left()
    {
        using var folder = new TemporaryFolder();
        var text = Unpacked(File.ReadAllBytes(Redacted(folder).File));
        // Of nf_tables it is the messages that count.
        foreach (var entry in SnapshotReader.Read(new MemoryStream(File.ReadAllBytes(Redacted(folder).File)), "redacted").Spaces.Values.SelectMany(static space => space.State.Entries.Values))
        {
            text += $"\n{entry.Entry.Print()} {entry.Stamp}";
        }
        foreach (var word in (string[])["website", "client", "10.244.", "10.96.1", "10.101.", "192.168.1.11"])
        {
            var at = text.IndexOf(word, StringComparison.Ordinal);
            Assert.True(at < 0, at < 0 ? "" : $"{word}: …{text[Math.Max(0, at - 60)..Math.Min(text.Length, at + 60)]}…");
        }
        Assert.Contains("node-1", text, StringComparison.Ordinal);
        Assert.Contains("kube-system", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Routes_contain_the_addresses_that_they_contained()
    {
        using var folder = new TemporaryFolder();
        var (was, now) = (SnapshotReader.Read(FrozenTests.File), SnapshotReader.Read(Redacted(folder).File));
        foreach (var (before, after) in was.Spaces.Values.Zip(now.Spaces.Values))
        {
            var (routes, masked) = (Of<RouteEntry>(before.State), Of<RouteEntry>(after.State));
            var (addresses, others) = (was.Parties.SelectMany(static party => party.Addresses).ToList(), now.Parties.SelectMany(static party => party.Addresses).ToList());
            Assert.Equal(routes.Count, masked.Count);
            Assert.Equal(
                routes.SelectMany(route => addresses.Select(address => route.Destination.Contains(address))),
                masked.SelectMany(route => others.Select(address => route.Destination.Contains(address))));
        }
    }

    private static List<T> Of<T>(ObservedState state) => [.. state.Entries.Values.Select(static held => held.Entry).OfType<T>()];

    /// <summary>The file, and what a name or address of the frozen one is called in it.</summary>
    private static (string File, Func<string, string> Other) Redacted(TemporaryFolder folder)
    {
        var file = folder.PathOf("redacted.plumb");
        using (var from = File.OpenRead(FrozenTests.File))
        using (var to = File.Create(file))
        {
            Redaction.Write(from, to, Key);
        }
        var (was, now) = (SnapshotReader.Read(FrozenTests.File), SnapshotReader.Read(file));
        var names = new Dictionary<string, string>();
        foreach (var (before, after) in was.Parties.Zip(now.Parties))
        {
            names[before.Name] = after.Name;
            foreach (var (address, other) in before.Addresses.Zip(after.Addresses))
            {
                names[address.ToString()] = other.ToString();
            }
        }
        foreach (var (before, after) in was.Objects.Zip(now.Objects))
        {
            names[(string)before["metadata"]!["name"]!] = (string)after["metadata"]!["name"]!;
        }
        return (file, thing => names.OrderByDescending(static one => one.Key.Length).Aggregate(thing, static (text, one) => text.Contains(one.Key, StringComparison.Ordinal) ? text.Replace(one.Key, one.Value, StringComparison.Ordinal) : text));
    }

    private static string Shape(string json)
    {
        var trace = JsonNode.Parse(json)!;
        return string.Join('\n', trace["outcomes"]!.AsArray().Select(outcome =>
            $"{outcome!["probability"]} {outcome["verdict"]} {string.Join(' ', outcome["there"]!.AsArray().Concat(outcome["back"]!.AsArray()).Select(static hop => $"{hop!["stage"]}/{hop["kind"]}/{hop["causes"]!.AsArray().Count}"))}"));
    }

    private static string Standings(string json) => string.Join('\n', JsonNode.Parse(json)!["nodes"]!.AsArray().SelectMany(static node => node!["entries"]!.AsArray()).Select(static entry => $"{entry!["kind"]} {entry["standing"]} {entry["causes"]!.AsArray().Count}").Order(StringComparer.Ordinal));

    private static string Unpacked(byte[] file)
    {
        using var gzip = new GZipStream(new MemoryStream(file), CompressionMode.Decompress);
        using var text = new StreamReader(gzip);
        return text.ReadToEnd();
    }
}
