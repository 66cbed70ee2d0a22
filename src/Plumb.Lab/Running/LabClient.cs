using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Plumb.Linux.Processes;
using Plumb.Network.Facts;

namespace Plumb.Lab.Running;

/// <summary>A command's way to a running lab: HTTP on the unix socket in the lab's run directory.</summary>
public sealed class LabClient : IDisposable
{
    // From a lab's claim of its name to its socket it is 0.2 s; on a machine that is busy building it may be ten times that.
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(10);

    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;

    private readonly HttpClient _http;

    private LabClient(RunPaths paths, int processId)
    {
        Paths = paths;
        ProcessId = processId;
        _http = UnixHttp.ClientOf(paths.Socket);
    }

    public RunPaths Paths { get; }

    /// <summary>The lab's process as this process sees it.</summary>
    public int ProcessId { get; }

    /// <summary>The user's labs that run, in order of name. Removes what is left of those that do not.</summary>
    public static IReadOnlyList<LabName> Running() => RunDirectory.Sweep(RunPaths.FindRoot());

    /// <summary>Waits for a lab that has just begun to start until it answers.</summary>
    /// <exception cref="LabException">No such lab runs.</exception>
    public static Task<LabClient> ConnectAsync(LabName name, TimeProvider time, CancellationToken cancel) => WhenThereAsync(
        name,
        static async (paths, cancel) =>
        {
            try
            {
                using var socket = await UnixHttp.DialAsync(paths.Socket, cancel);
                return new LabClient(paths, PeerProcess(socket));
            }
            catch (SocketException)
            {
                return null;
            }
        },
        time,
        cancel);

    /// <summary>Path of a lab's kubeconfig; waits for a lab that has just begun to start until it has one.</summary>
    /// <exception cref="LabException">No such lab runs.</exception>
    public static Task<string> KubeconfigAsync(LabName name, TimeProvider time, CancellationToken cancel) => WhenThereAsync(
        name, static (paths, _) => Task.FromResult(File.Exists(paths.Kubeconfig) ? paths.Kubeconfig : null), time, cancel);

    /// <exception cref="LabException">The lab ended meanwhile.</exception>
    public Task<LabStatus> StatusAsync(CancellationToken cancel) => StatusAsync("status", cancel);

    /// <summary>The lab's status once its start is complete, as <c>plumb up</c> would say it.</summary>
    /// <exception cref="LabException">The lab ended before.</exception>
    public Task<LabStatus> ReadyAsync(CancellationToken cancel) => StatusAsync("ready", cancel);

    /// <summary>Has every node of the lab go over to another way of serving Services, with no connection lost; the status when all have.</summary>
    /// <exception cref="LabException">A node cannot; all are as they were.</exception>
    public async Task<LabStatus> SetAsync(ServicesKind services, CancellationToken cancel)
    {
        using var answer = await SendAsync($"set?services={services.ToString().ToLowerInvariant()}", cancel, HttpMethod.Post);
        return await ReadStatusAsync(answer, cancel);
    }

    private async Task<LabStatus> StatusAsync(string path, CancellationToken cancel)
    {
        using var answer = await SendAsync(path, cancel);
        return await ReadStatusAsync(answer, cancel);
    }

    private async Task<LabStatus> ReadStatusAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        using var json = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancel), default, cancel);
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

    /// <summary>Ends the lab; returns when its process and its run directory are gone.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        try
        {
            // The answer's body ends when the process does.
            using var answer = await _http.PostAsync(new Uri("stop", UriKind.Relative), content: null, cancel);
            await answer.Content.CopyToAsync(Stream.Null, cancel);
        }
        catch (HttpRequestException)
        {
            // It was ending already, or was too fast for the answer.
        }
        await ProcessEnd.WaitAsync(ProcessId, cancel);
        RunDirectory.Sweep(Paths.Root);
    }

    /// <summary>How a pod's containers find names.</summary>
    /// <exception cref="LabException">There is no such pod on any node.</exception>
    public async Task<PodResolver> ResolverAsync(string scope, string name, CancellationToken cancel)
    {
        using var answer = await SendAsync($"pods/{scope}/{name}/resolver", cancel);
        using var json = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancel), default, cancel);
        return LabJson.Resolver(json.RootElement);
    }

    /// <summary>What a node's agent says on a path of its own socket.</summary>
    /// <param name="path">Relative, with query: <c>state?kind=route</c>.</param>
    public async Task<Stream> NodeAsync(string node, string path, CancellationToken cancel)
    {
        var answer = await SendAsync($"nodes/{node}/{path}", cancel);
        return await answer.Content.ReadAsStreamAsync(cancel);
    }

    public void Dispose() => _http.Dispose();

    private static async Task<T> WhenThereAsync<T>(
        LabName name, Func<RunPaths, CancellationToken, Task<T?>> look, TimeProvider time, CancellationToken cancel)
        where T : class
    {
        var paths = new RunPaths(RunPaths.FindRoot(), name);
        var since = time.GetTimestamp();
        while (true)
        {
            var alive = Running();
            if (!alive.Contains(name))
            {
                var others = alive.Count == 0 ? "no lab runs" : $"running: {string.Join(", ", alive)}";
                var start = name == LabName.Default ? "plumb up" : $"plumb up --name {name}";
                throw new LabException($"no lab named '{name}' is running ({others}); `{start}` starts one");
            }
            if (await look(paths, cancel) is { } there)
            {
                return there;
            }
            if (time.GetElapsedTime(since) > StartPatience)
            {
                throw new LabException($"the lab '{name}' holds its name and does not answer; its log is {paths.Log}");
            }
            await Task.Delay(RetryInterval, time, cancel);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, CancellationToken cancel, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri(path, UriKind.Relative));
        try
        {
            var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            if (answer.IsSuccessStatusCode)
            {
                return answer;
            }
            using (answer)
            {
                var why = answer.Content.Headers.ContentType?.MediaType == "application/json" ? await FailureAsync(answer, cancel) : null;
                throw new LabException(why ?? $"the lab '{Paths.Name}' answered {(int)answer.StatusCode} to {path}");
            }
        }
        catch (HttpRequestException broken)
        {
            throw new LabException($"the lab '{Paths.Name}' ended while it was asked", broken);
        }
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

    private static async Task<string?> FailureAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        using var json = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancel), default, cancel);
        return LabJson.FailureMessage(json.RootElement);
    }

    private string Outside(string path) => path.StartsWith("fd/", StringComparison.Ordinal) ? $"/proc/{ProcessId}/{path}" : path;

    /// <summary>The kernel translates the id of the process that listens into the reader's pid namespace (unix(7)).</summary>
    private static int PeerProcess(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12]; // struct ucred: pid, uid, gid
        socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials);
        return MemoryMarshal.Read<int>(credentials);
    }
}
