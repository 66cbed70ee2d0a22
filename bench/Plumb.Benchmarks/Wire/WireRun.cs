using System.IO.Compression;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Benchmarks.Wire;

/// <summary>
/// What a node's agent is sent and what reading it costs, as JSON and as protobuf: `Plumb.Benchmarks wire [FILE|FOLDER]…`. A FILE is a kube-apiserver's own objects, one a
/// line (or in the line's `response`). A FOLDER has objects as JSON with the server's protobuf beside them (`X.json`, `X.pb`), as `testdata/HEAD` of k8s.io/api has: both
/// must read as the same object, and it is said whether what is written here are those bytes. All that is measured was read from both forms and compared.
/// </summary>
internal static class WireRun
{
    private const int Page = 500;

    public static async Task<int> RunAsync(string[] places)
    {
        Console.WriteLine("| an event of a watch | JSON, bytes | protobuf | ratio | JSON, µs of CPU | protobuf | ratio | JSON, bytes allocated | protobuf | ratio |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        await EventsAsync("Service", ProtobufObjects.Service, WireSamples.Service);
        foreach (var size in new[] { 1, 10, 100 })
            await EventsAsync($"EndpointSlice of {size}", ProtobufObjects.EndpointSlice, i => WireSamples.Slice(i, size));
        await EventsAsync("Node", ProtobufObjects.Node, WireSamples.Node);
        foreach (var file in places.Where(File.Exists))
        {
            foreach (var group in Recorded(file).GroupBy(static o => (string)o["kind"]!))
            {
                var events = group.Select(static o => (Json: WireForms.JsonEvent("ADDED", o).Length, Protobuf: WireForms.ProtobufEvent("ADDED", o).Length)).ToList();
                double json = events.Average(static e => e.Json), protobuf = events.Average(static e => e.Protobuf);
                Console.WriteLine($"| {group.Key}, the mean of {events.Count} of {Path.GetFileName(file)} | {json:0} | {protobuf:0} | {protobuf / json:0.00} | | | | | | |");
            }
        }
        Console.WriteLine();
        Console.WriteLine($"| a page of {Page} | JSON, kB | protobuf | ratio | JSON by gzip, kB | protobuf by gzip | ratio | JSON, ms of CPU | protobuf | ratio | JSON, kB allocated | protobuf | ratio |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        await ListAsync("Services", ProtobufObjects.Service, WireSamples.Service);
        await ListAsync("EndpointSlices of 10", ProtobufObjects.EndpointSlice, static i => WireSamples.Slice(i, 10));
        await ListAsync("Nodes", ProtobufObjects.Node, WireSamples.Node);
        foreach (var folder in places.Where(Directory.Exists))
            Compare(folder);
        return 0;
    }

    private static async Task EventsAsync<T>(string name, ProtobufObjects.Reader<T> read, Func<int, JsonObject> sample)
    {
        const int events = 100;
        using MemoryStream json = new(), protobuf = new();
        for (var i = 0; i < events; i++)
        {
            var subject = sample(i);
            json.Write(WireForms.JsonEvent("MODIFIED", subject));
            protobuf.Write(WireForms.ProtobufEvent("MODIFIED", subject));
        }
        var (ofJson, ofProtobuf) = await CostsAsync(
            () => CountAsync(json, WatchStream.ReadAsync<T>(json, CancellationToken.None)), () => CountAsync(protobuf, ProtobufStreams.WatchAsync(protobuf, read)));
        double a = json.Length / events, b = protobuf.Length / events;
        Console.WriteLine($"| {name} | {a:0} | {b:0} | {b / a:0.00} {Columns(ofJson, ofProtobuf, 1000.0 / events, 1.0 / events)}");

        static async Task<int> CountAsync(MemoryStream body, IAsyncEnumerable<WatchedChange<T>> changes)
        {
            body.Position = 0;
            var count = 0;
            await foreach (var _ in changes)
                count++;
            return count == events ? count : throw new InvalidDataException($"{count} events of {events}");
        }
    }

    private static async Task ListAsync<T>(string name, ProtobufObjects.Reader<T> read, Func<int, JsonObject> sample) where T : class, IResource<T>
    {
        var list = WireSamples.List(T.Type.Kind.ApiVersion, T.Type.Kind.Kind, Enumerable.Range(0, Page).Select(sample));
        byte[] json = WireForms.Utf8(list), protobuf = ProtobufWriter.List(list);
        var (ofJson, ofProtobuf) = await CostsAsync(
            () => Task.FromResult(KubernetesJson.Read<ResourceList<T>>(json).Items.Count), () => Task.FromResult(ProtobufStreams.List(protobuf, read).Items.Count));
        double a = Zipped(json), b = Zipped(protobuf);
        Console.WriteLine($"| {name} | {json.Length / 1e3:0} | {protobuf.Length / 1e3:0} | {(double)protobuf.Length / json.Length:0.00} | {a / 1e3:0} | {b / 1e3:0} | {b / a:0.00} "
            + Columns(ofJson, ofProtobuf, 1, 1e-3));
    }

    private static string Columns(Cost json, Cost protobuf, double ofMilliseconds, double ofBytes) =>
        $"| {json.Milliseconds * ofMilliseconds:0.0} | {protobuf.Milliseconds * ofMilliseconds:0.0} | {protobuf.Milliseconds / json.Milliseconds:0.00} "
        + $"| {json.Bytes * ofBytes:0} | {protobuf.Bytes * ofBytes:0} | {protobuf.Bytes / json.Bytes:0.00} |";

    /// <summary>Of one call: processor time, that of the collector included, and bytes allocated.</summary>
    private readonly record struct Cost(double Milliseconds, double Bytes);

    /// <summary>They take turns, after both were compiled well: medians of the turns.</summary>
    private static async Task<(Cost, Cost)> CostsAsync(Func<Task<int>> left, Func<Task<int>> right)
    {
        const int turns = 15;
        List<double> leftTimes = [], rightTimes = [];
        double leftBytes = 0, rightBytes = 0;
        for (var turn = -5; turn < turns; turn++)
        {
            var one = await TurnAsync(left);
            var other = await TurnAsync(right);
            if (turn < 0)
                continue;
            leftTimes.Add(one.Milliseconds);
            rightTimes.Add(other.Milliseconds);
            (leftBytes, rightBytes) = (one.Bytes, other.Bytes);
        }
        return (new(Figures.Of(leftTimes, 50), leftBytes), new(Figures.Of(rightTimes, 50), rightBytes));
    }

    /// <summary>As many calls as take a tenth of a second of processor time.</summary>
    private static async Task<Cost> TurnAsync(Func<Task<int>> call)
    {
        double since = Figures.CpuMilliseconds(), taken = 0;
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var calls = 0;
        for (; taken < 100; taken = Figures.CpuMilliseconds() - since)
        {
            for (var i = 0; i < 4; i++, calls++)
                await call();
        }
        return new(taken / calls, (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / calls);
    }

    /// <summary>A kube-apiserver compresses at level 1, lists of 128 KiB and more for those who ask, and watches never.</summary>
    private static int Zipped(byte[] bytes)
    {
        using var to = new MemoryStream();
        using (var gzip = new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        return (int)to.Length;
    }

    private static IEnumerable<JsonObject> Recorded(string file) =>
        from line in File.ReadLines(file)
        let read = JsonNode.Parse(line) as JsonObject
        let subject = read["response"] as JsonObject ?? read
        where (string?)subject["kind"] is "Service" or "EndpointSlice" or "Node" && subject["metadata"]?["uid"] is not null
        select subject;

    private static void Compare(string folder)
    {
        var compared = 0;
        foreach (var file in Directory.EnumerateFiles(folder, "*.pb").Order())
        {
            var json = Path.ChangeExtension(file, ".json");
            if (!File.Exists(json) || JsonNode.Parse(File.ReadAllText(json)) is not JsonObject subject || (string?)subject["kind"] is not ("Service" or "EndpointSlice" or "Node"))
                continue;
            byte[] theirs = File.ReadAllBytes(file);
            WireForms.MustAgree(subject, theirs);
            var ours = ProtobufWriter.Object(subject);
            Console.WriteLine($"{Path.GetFileName(file)}: {(ours.AsSpan().SequenceEqual(theirs) ? "the same bytes" : $"{ours.Length} bytes, the same until {ours.AsSpan().CommonPrefixLength(theirs)}, of {theirs.Length}")}");
            compared++;
        }
        if (compared == 0)
            throw new InvalidDataException($"{folder} has no Service, EndpointSlice or Node as X.json and X.pb");
    }
}
