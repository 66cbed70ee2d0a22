using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Agent;
using Plumb.Agent.Cni;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;
using Plumb.Linux.Sockets;
using Plumb.Network.Cluster;

namespace Plumb.Benchmarks.Cni;

/// <summary>
/// ADD and DEL as a container runtime calls them: `plumb-cni` in front of an agent, and the reference plugins `bridge` and `host-local`, which take turns. In a network
/// namespace of its own with a device `eth0`, where /var/lib is empty (bench/run makes one).
/// </summary>
internal sealed class CniRun : IAsyncDisposable
{
    private const string State = "/var/lib/plumb";
    private const string Socket = $"{State}/cni.sock";
    private const string Reference = "/usr/lib/cni";
    private const string Masquerading = "bridge, ipMasq";
    private const string Mapping = "bridge, ipMasq, portmap";
    private const string InProcess = "in process";
    private const int Turns = 60;
    private const int WarmUp = 3;
    private const int AtOnce = 100;
    private const int Pods = 200;

    private readonly Dictionary<string, List<double>> _milliseconds = [];
    private readonly NetworkNamespace _home = NetworkNamespace.OpenHome();
    private readonly NodeAgent _agent;
    private int _containers;

    private CniRun(NodeAgent agent) => _agent = agent;

    /// <param name="path">Of plumb-cni.</param>
    public static async Task<int> RunAsync(string path)
    {
        using var home = NetworkNamespace.OpenHome();
        var agent = await NodeAgent.StartAsync(
            new NodeAgentOptions { NodeName = "node-1", Network = home, StateDirectory = State, SocketPath = Socket, Nodes = [Node(1), Node(2)] },
            CancellationToken.None);
        await agent.Ready;
        await using var run = new CniRun(agent);
        await run.MeasureAsync(
            new Plugin("plumb-cni", new Link(path, Own(""))),
            new Plugin("plumb-cni, a hostPort", new Link(path, Own(Port(18080)))));
        return 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _agent.DisposeAsync();
        _home.Dispose();
    }

    private async Task MeasureAsync(Plugin own, Plugin ownPort)
    {
        Plugin[] plugins =
        [
            own,
            new("bridge", new Link($"{Reference}/bridge", Bridge("br0", 1, "false"))),
            new(Masquerading, new Link($"{Reference}/bridge", Bridge("br1", 2, "true"))),
            ownPort,
            new(Mapping, new Link($"{Reference}/bridge", Bridge("br2", 3, "true")), new Link($"{Reference}/portmap", $$"""{"cniVersion":"1.0.0","name":"br2","type":"portmap"{{Port(18081)}}}""")),
        ];
        // The first turns warm caches up and have the agent compiled.
        for (var turn = -WarmUp; turn < Turns; turn++)
        {
            foreach (var plugin in plugins)
            {
                await TurnAsync(plugin, turn >= 0);
            }
            await InProcessAsync(InProcess, own, turn >= 0);
        }
        Print(plugins);
        await FullAsync(own);
        await TogetherAsync(own);
    }

    private async Task TurnAsync(Plugin plugin, bool counts)
    {
        using var network = NetworkNamespace.Create();
        var container = $"c{_containers++}";
        await TimeAsync(plugin.Name, "start", counts, () => CallAsync(plugin.Chain[0], "VERSION", container, network, null));
        var result = await TimeAsync(plugin.Name, "ADD", counts, () => CallAllAsync(plugin.Chain, "ADD", container, network, null));
        await TimeAsync(plugin.Name, "DEL", counts, () => CallAllAsync(plugin.Chain.Reverse(), "DEL", container, network, result));
    }

    private async Task InProcessAsync(string who, Plugin plugin, bool counts)
    {
        using var network = NetworkNamespace.Create();
        var container = $"c{_containers++}";
        await TimeAsync(who, "ADD", counts, () => Task.FromResult(Ask(plugin, "ADD", container, network)));
        await TimeAsync(who, "DEL", counts, () => Task.FromResult(Ask(plugin, "DEL", container, network)));
    }

    /// <summary>On a node that is full, between two times on an empty one: a machine that grows slower meanwhile is slower at the last of them too.</summary>
    private async Task FullAsync(Plugin plugin)
    {
        var networks = Enumerable.Range(0, Pods).Select(static _ => NetworkNamespace.Create()).ToList();
        await TurnsAsync("before");
        for (var i = 0; i < Pods; i++)
        {
            var (container, network) = ($"p{i}", networks[i]);
            await TimeAsync("filling", "ADD", counts: true, () => Task.FromResult(Ask(plugin, "ADD", container, network)));
        }
        await TurnsAsync("full");
        for (var i = 0; i < Pods; i++)
        {
            Ask(plugin, "DEL", $"p{i}", networks[i]);
        }
        networks.ForEach(static network => network.Dispose());
        await TurnsAsync("after");
        Console.WriteLine();
        Console.WriteLine(
            $"In process with {Pods} pods on the node: ADD {Median("full", "ADD"):0.00} ms, DEL {Median("full", "DEL"):0.00}; "
            + $"with none, before and after: ADD {Median("before", "ADD"):0.00} and {Median("after", "ADD"):0.00}, DEL {Median("before", "DEL"):0.00} and {Median("after", "DEL"):0.00}. "
            + $"Of {Pods} ADDs in a row, while no pod's network ends, one takes {Median("filling", "ADD"):0.00}.");

        async Task TurnsAsync(string who)
        {
            for (var turn = 0; turn < Turns; turn++)
            {
                await InProcessAsync(who, plugin, counts: true);
            }
        }
    }

    /// <summary>Many at once: how long for all, and for the one that waited longest.</summary>
    private async Task TogetherAsync(Plugin plugin)
    {
        var networks = Enumerable.Range(0, AtOnce).Select(static _ => NetworkNamespace.Create()).ToList();
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(networks.Select(async (network, number) =>
        {
            await Task.Yield();
            await CallAsync(plugin.Chain[0], "ADD", $"t{number}", network, null);
        }));
        var all = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        Console.WriteLine();
        Console.WriteLine($"{AtOnce} ADDs through plumb-cni at once: {all:0} ms, {all / AtOnce:0.0} for each; one alone takes {Median(plugin.Name, "ADD"):0.0}.");
        // And without a process for each: what the agent and the kernel take. Threads, as a pool's would come one by one.
        var others = Enumerable.Range(0, AtOnce).Select(static _ => NetworkNamespace.Create()).ToList();
        var since = Stopwatch.GetTimestamp();
        var threads = others.Select((network, number) => new Thread(() => Ask(plugin, "ADD", $"u{number}", network))).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        all = Stopwatch.GetElapsedTime(since).TotalMilliseconds;
        Console.WriteLine($"{AtOnce} ADDs in process at once: {all:0} ms, {all / AtOnce:0.00} for each; one alone takes {Median(InProcess, "ADD"):0.00}.");
        networks.ForEach(static network => network.Dispose());
        others.ForEach(static network => network.Dispose());
    }

    // Of an ADD each has the result of the one before it, of a DEL all have the last one's.
    private static async Task<string> CallAllAsync(IEnumerable<Link> chain, string verb, string container, NetworkNamespace network, string? previous)
    {
        var said = "";
        foreach (var link in chain)
        {
            said = await CallAsync(link, verb, container, network, previous);
            previous = verb == "ADD" ? said : previous;
        }
        return said;
    }

    private static async Task<string> CallAsync(Link plugin, string verb, string container, NetworkNamespace network, string? previous)
    {
        using var process = Spawn.Start(new SpawnRequest(plugin.Path) { Environment = Variables(verb, container, network), Input = SpawnStream.Pipe, Output = SpawnStream.Pipe, Error = SpawnStream.Null });
        try
        {
            await process.Input!.WriteAsync(Encoding.UTF8.GetBytes(With(plugin.Configuration, previous)));
        }
        catch (SystemCallException)
        {
            // One that is asked for its versions need not read.
        }
        await process.Input!.DisposeAsync();
        using var reader = new StreamReader(process.Output!);
        var said = await reader.ReadToEndAsync();
        var status = await process.Exited;
        return status.Code == 0 ? said : throw new InvalidOperationException($"{plugin.Path} {verb}: {status}: {said}");
    }

    /// <summary>The same call on the agent's socket, without a process.</summary>
    private static string Ask(Plugin plugin, string verb, string container, NetworkNamespace network)
    {
        var body = new CniCall(Variables(verb, container, network), Encoding.UTF8.GetBytes(plugin.Chain[0].Configuration)).ToBytes();
        using var stream = UnixStream.Connect(Socket);
        stream.Send([.. Encoding.ASCII.GetBytes($"POST /cni HTTP/1.0\r\nHost: plumb\r\nContent-Length: {body.Length}\r\n\r\n"), .. body]);
        var answer = new byte[8192];
        int length, all = 0;
        while ((length = stream.Receive(answer.AsSpan(all))) > 0)
        {
            all += length;
        }
        var text = Encoding.UTF8.GetString(answer, 0, all);
        return text.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) ? text : throw new InvalidOperationException(text);
    }

    private static Dictionary<string, string> Variables(string verb, string container, NetworkNamespace network) => new()
    {
        ["CNI_COMMAND"] = verb,
        ["CNI_CONTAINERID"] = container,
        ["CNI_NETNS"] = network.ProcPath,
        ["CNI_IFNAME"] = "eth0",
        ["CNI_PATH"] = Reference,
        ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin",
    };

    private static string With(string configuration, string? previous)
    {
        if (previous is null)
        {
            return configuration;
        }
        var whole = JsonNode.Parse(configuration)!;
        whole["prevResult"] = JsonNode.Parse(previous);
        return whole.ToJsonString();
    }

    private async Task<string> TimeAsync(string who, string what, bool counts, Func<Task<string>> work)
    {
        var since = Stopwatch.GetTimestamp();
        var said = await work();
        if (counts)
        {
            var key = $"{who} {what}";
            (_milliseconds.TryGetValue(key, out var list) ? list : _milliseconds[key] = []).Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }
        return said;
    }

    private double Median(string who, string what)
    {
        var all = _milliseconds[$"{who} {what}"];
        return all.Order().ElementAt(all.Count / 2);
    }

    // Turn by turn: a machine that is busy for a while is busy for both.
    private double Ratio(string who, string what, string peer = Masquerading) =>
        _milliseconds[$"{who} {what}"].Zip(_milliseconds[$"{peer} {what}"], static (own, peer) => own / peer).Order().ElementAt(Turns / 2);

    private void Print(Plugin[] plugins)
    {
        Console.WriteLine("| CNI, ms, p50 | start | ADD | work in it | DEL | work in it | ADD over `bridge`'s with ipMasq | DEL |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var who in plugins.Select(static plugin => plugin.Name))
        {
            var (start, add, delete) = (Median(who, "start"), Median(who, "ADD"), Median(who, "DEL"));
            Console.WriteLine($"| {who} | {start:0.0} | {add:0.0} | {add - start:0.0} | {delete:0.0} | {delete - start:0.0} | {Ratio(who, "ADD"):0.00} | {Ratio(who, "DEL"):0.00} |");
        }
        Console.WriteLine($"| {InProcess} | | {Median(InProcess, "ADD"):0.00} | | {Median(InProcess, "DEL"):0.00} | | {Ratio(InProcess, "ADD"):0.00} | {Ratio(InProcess, "DEL"):0.00} |");
        Console.WriteLine();
        Console.WriteLine($"With a hostPort `plumb-cni` takes {Ratio(plugins[3].Name, "ADD", Mapping):0.00} of what `bridge` with ipMasq and `portmap` take for ADD, and {Ratio(plugins[3].Name, "DEL", Mapping):0.00} for DEL.");
    }

    private static ClusterNode Node(int number) => new($"node-{number}")
    {
        Addresses = [IpAddress.V4(192, 168, 1, (byte)(10 + number))],
        PodRanges = [IpPrefix.Parse($"10.244.{number}.0/24")],
    };

    private static string Bridge(string device, int net, string masquerade) =>
        $$$"""
        {"cniVersion":"1.0.0","name":"{{{device}}}","type":"bridge","bridge":"{{{device}}}","isGateway":true,"ipMasq":{{{masquerade}}},
         "ipam":{"type":"host-local","ranges":[[{"subnet":"10.{{{net}}}.0.0/16"}]],"routes":[{"dst":"0.0.0.0/0"}]}}
        """;

    private static string Own(string more) => $$"""{"cniVersion":"1.0.0","name":"plumb","type":"plumb-cni","socket":"{{Socket}}"{{more}}}""";

    private static string Port(int number) => $$$""","capabilities":{"portMappings":true},"runtimeConfig":{"portMappings":[{"hostPort":{{{number}}},"containerPort":80,"protocol":"tcp"}]}""";

    /// <summary>Called one after the other for ADD, in the opposite order for DEL.</summary>
    private sealed record Plugin(string Name, params IReadOnlyList<Link> Chain);

    private sealed record Link(string Path, string Configuration);
}
