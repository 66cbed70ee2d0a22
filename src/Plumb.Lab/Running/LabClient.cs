using System.Net.Sockets;
using System.Text.Json;
using Plumb.Agent.Asking;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;
using Plumb.Linux.Sockets;
using Plumb.Network.Facts;

namespace Plumb.Lab.Running;

/// <summary>A command's way to a running lab: HTTP on the unix socket in the lab's run directory.</summary>
public sealed class LabClient
{
    // From a lab's claim of its name to its socket it is 0.2 s; on a machine that is busy building it may be ten times that.
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(10);

    private LabClient(RunPaths paths, int processId)
    {
        Paths = paths;
        ProcessId = processId;
    }

    public RunPaths Paths { get; }

    /// <summary>The lab's process as this process sees it.</summary>
    public int ProcessId { get; }

    /// <summary>The user's labs that run, in order of name. Removes what is left of those that do not.</summary>
    public static LabName[] Running() => RunDirectory.Sweep(RunPaths.FindRoot());

    /// <summary>Waits for a lab that has just begun to start until it answers.</summary>
    /// <exception cref="LabException">No such lab runs.</exception>
    public static LabClient Connect(LabName name, TimeProvider time) => WhenThere(
        name,
        static paths =>
        {
            try
            {
                using var stream = UnixStream.Connect(paths.Socket);
                return new LabClient(paths, stream.PeerProcessId);
            }
            catch (SystemCallException)
            {
                return null;
            }
        },
        time);

    /// <summary>Path of a lab's kubeconfig; waits for a lab that has just begun to start until it has one.</summary>
    /// <exception cref="LabException">No such lab runs.</exception>
    public static string KubeconfigOf(LabName name, TimeProvider time) => WhenThere(name, static paths => File.Exists(paths.Kubeconfig) ? paths.Kubeconfig : null, time);

    /// <exception cref="LabException">The lab ended meanwhile.</exception>
    public LabStatus Status() => StatusOf(Ask("status"));

    /// <summary>The lab's status once its start is complete, as <c>plumb up</c> would say it.</summary>
    /// <exception cref="LabException">The lab ended before.</exception>
    public LabStatus Ready() => StatusOf(Ask("ready"));

    /// <summary>Has every node of the lab go over to another way of serving Services, with no connection lost; the status when all have.</summary>
    /// <exception cref="LabException">A node cannot; all are as they were.</exception>
    public LabStatus Set(ServicesKind services) => StatusOf(Ask($"set?services={services.ToString().ToLowerInvariant()}", "POST"));

    /// <summary>A copy of all that the lab's API stores, its secrets included.</summary>
    /// <exception cref="LabException">The lab ended before.</exception>
    public ReadOnlyMemory<byte> SaveStore() => Ask("store");

    /// <summary>Puts a copy of this lab's store in its place; returns when nodes and controllers have begun to follow it.</summary>
    /// <exception cref="LabException">It is no such copy; all is as it was.</exception>
    public StoreRestored RestoreStore(ReadOnlyMemory<byte> copy)
    {
        using var json = Parse(Ask("store", "POST", copy));
        return LabJson.Restored(json.RootElement);
    }

    /// <summary>How a pod's containers find names.</summary>
    /// <exception cref="LabException">There is no such pod on any node.</exception>
    public PodResolver ResolverOf(string scope, string name)
    {
        using var json = Parse(Ask($"pods/{scope}/{name}/resolver"));
        return LabJson.Resolver(json.RootElement);
    }

    /// <summary>Has the lab's own process run a command line.</summary>
    /// <exception cref="LabException">The lab ended before, or knows no commands.</exception>
    public LabCommandAnswer Run(LabCommand command)
    {
        var answer = Answer("run" + command.ToQuery());
        return LabCommandAnswer.Read(answer) ?? throw new LabException($"the lab '{Paths.Name}' runs no commands; end it (`plumb down {Paths.Name}`) and start it again");
    }

    /// <summary>A node's agent, to be asked.</summary>
    public AgentClient AgentOf(string node) => new(new NodePaths(Paths, node).CniSocket, $"the agent of {node}");

    /// <summary>Has a node's agent do something for as long as this process wants it.</summary>
    /// <param name="path">Of the agent's own socket, relative, with query.</param>
    /// <exception cref="LabException">The agent does not: the message says why.</exception>
    public HeldRequest HoldAtNode(string node, string path)
    {
        try
        {
            return HeldRequest.Open(new NodePaths(Paths, node).CniSocket, "/" + path);
        }
        catch (Exception broken) when (broken is SocketException or IOException)
        {
            throw NoAnswer(node, broken);
        }
    }

    /// <summary>What a node's agent says to a request that changes something; null: there is no such thing.</summary>
    /// <exception cref="LabException">The agent does not answer.</exception>
    public ReadOnlyMemory<byte>? TellNode(string node, string method, string path)
    {
        try
        {
            var answer = UnixRequest.Send(new NodePaths(Paths, node).CniSocket, method, "/" + path);
            return answer.Status == 200 ? answer.Body : null;
        }
        catch (Exception broken) when (broken is SystemCallException or InvalidDataException)
        {
            throw NoAnswer(node, broken);
        }
    }

    /// <summary>Ends the lab; returns when its process and its run directory are gone.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        try
        {
            // The answer ends when the process does.
            var answer = UnixRequest.Send(Paths.Socket, "POST", "/stop");
            if (answer.Status != 200)
            {
                throw new LabException($"the lab '{Paths.Name}' answered {answer.Status} to stop");
            }
        }
        catch (Exception ended) when (ended is SystemCallException or InvalidDataException)
        {
            // It was ending already, or was too fast for the answer.
        }
        await ProcessEnd.WaitAsync(ProcessId, cancel);
        RunDirectory.Sweep(Paths.Root);
    }

    private static T WhenThere<T>(LabName name, Func<RunPaths, T?> look, TimeProvider time)
        where T : class
    {
        var paths = new RunPaths(RunPaths.FindRoot(), name);
        var since = time.GetTimestamp();
        while (true)
        {
            if (!RunDirectory.IsHeld(paths))
            {
                var alive = Running();
                var others = alive.Length == 0 ? "no lab runs" : $"running: {string.Join(", ", alive)}";
                var start = name == LabName.Default ? "plumb up" : $"plumb up --name {name}";
                throw new LabException($"no lab named '{name}' is running ({others}); `{start}` starts one");
            }
            if (look(paths) is { } there)
            {
                return there;
            }
            if (time.GetElapsedTime(since) > StartPatience)
            {
                throw new LabException($"the lab '{name}' holds its name and does not answer; its log is {paths.Log}");
            }
            Task.Delay(RetryInterval, time).Wait();
        }
    }

    private ReadOnlyMemory<byte> Ask(string path, string method = "GET", ReadOnlyMemory<byte> body = default) => Answer(path, method, body).Body;

    private UnixAnswer Answer(string path, string method = "GET", ReadOnlyMemory<byte> body = default)
    {
        try
        {
            var answer = UnixRequest.Send(Paths.Socket, method, "/" + path, body);
            return answer.Status == 200
                ? answer
                : throw new LabException((answer["Content-Type"] == "application/json" ? FailureOf(answer.Body) : null) ?? $"the lab '{Paths.Name}' answered {answer.Status} to {path}");
        }
        catch (Exception broken) when (broken is SystemCallException or InvalidDataException)
        {
            throw Ended(broken);
        }
    }

    private static LabException NoAnswer(string node, Exception broken) => new($"the agent of {node} does not answer: {broken.Message}", broken);

    private LabException Ended(Exception broken) => new($"the lab '{Paths.Name}' ended while it was asked ({broken.Message})", broken);

    private string? FailureOf(ReadOnlyMemory<byte> body)
    {
        using var json = Parse(body);
        return LabJson.FailureMessage(json.RootElement);
    }

    private JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException broken)
        {
            throw Ended(broken);
        }
    }

    private LabStatus StatusOf(ReadOnlyMemory<byte> body)
    {
        using var json = Parse(body);
        var status = StatusOf(json.RootElement);
        return status with
        {
            ProcessId = ProcessId,
            Machines = [.. status.Machines.Select(machine => machine with
            {
                NamespacePath = Outside(machine.NamespacePath),
                AgentProcessId = machine.AgentProcessId is { } id ? ProcessIdentity.FromInside(ProcessId, id) : null,
            })],
            Pods = [.. status.Pods.Select(pod => pod with { NamespacePath = Outside(pod.NamespacePath) })],
        };
    }

    private LabStatus StatusOf(JsonElement json)
    {
        try
        {
            return LabJson.Status(json);
        }
        catch (Exception unknown) when (unknown is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new LabException($"the lab '{Paths.Name}' was started by another version of plumb, whose answers this one does not know; end it (`plumb down {Paths.Name}`) and start it again", unknown);
        }
    }

    private string Outside(string path) => path.StartsWith("fd/", StringComparison.Ordinal) ? $"/proc/{ProcessId}/{path}" : path;
}
