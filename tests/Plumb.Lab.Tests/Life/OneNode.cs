using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Streaming;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Tests.Life;

/// <summary>A lab of one node that a class of tests shares, and what a person does with it.</summary>
public sealed class OneNode : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _root = Directory.CreateTempSubdirectory("p-").FullName;
    private Lab? _lab;

    internal IReadOnlyDictionary<string, string> Images { get; init; } = new Dictionary<string, string>();

    internal KubernetesClient Api { get; private set; } = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _lab = await Lab.StartAsync(new LabOptions { Nodes = 1, Images = Images, RuntimeRoot = Path.Combine(_root, "plumb"), DnsUpstreams = [] }, new Silence(), commands: null, TimeProvider.System, Cancel);
        Api = new KubernetesClient(new ClusterConnection { Server = new Uri("http://in-process"), Connect = _ => new(_lab.Api.Connect()) }, TimeProvider.System, "test");
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _lab!.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    /// <summary>Files of pods that are left in the lab's directory.</summary>
    public string[] FilesOf(string uid) => Directory.Exists(Path.Combine(_lab!.Paths.Directory, "pods", uid)) ? Directory.GetFileSystemEntries(Path.Combine(_lab.Paths.Directory, "pods", uid)) : [];

    public async Task<string> CreateAsync(string resource, string json)
    {
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        var made = JsonNode.Parse(await Api.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/default/{resource}", body, Cancel))!;
        return (string)made["metadata"]!["uid"]!;
    }

    public Task<string> PodAsync(string name, string spec) => CreateAsync("pods", $$$"""{"metadata":{"name":"{{{name}}}","labels":{"app":"{{{name}}}"}},"spec":{"terminationGracePeriodSeconds":5,{{{spec}}}}}""");

    public async Task PatchAsync(string path, string json)
    {
        using var body = new StringContent(json, Encoding.UTF8, "application/strategic-merge-patch+json");
        await Api.SendAsync(HttpMethod.Patch, "/api/v1/namespaces/default/" + path, body, Cancel);
    }

    public Task DeleteAsync(string pod) => Api.DeleteAsync<Pod>("default", pod, cancel: Cancel);

    /// <summary>Returns the pod when it is so.</summary>
    public async Task<Pod> UntilAsync(string name, Func<Pod, bool> isSo, [CallerArgumentExpression(nameof(isSo))] string what = "")
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            var pod = await Api.GetAsync<Pod>("default", name, Cancel);
            if (isSo(pod))
            {
                return pod;
            }
            Assert.True(since.Elapsed < Patience, $"after {Patience} still not: {what}\n{await PodTextAsync(name)}\n{string.Join('\n', await EventsAsync(name))}");
            await Task.Delay(20, Cancel);
        }
    }

    /// <summary>The lab's own, with its kubeconfig.</summary>
    public string LabDirectory => _lab!.Paths.Directory;

    /// <summary>As the node hears of a pod's change by its watch.</summary>
    public void ApplyToNode(Pod pod) => _lab!.Kubelets["node-1"].Apply(pod);

    /// <summary>Of a machine of the lab: `node-1`, `outside`.</summary>
    internal NetworkNamespace NamespaceOf(string machine) =>
        NetworkNamespace.Open($"/proc/{Environment.ProcessId}/{_lab!.Status().Machines.Single(one => one.Name == machine).NamespacePath}");

    public Task<string> StatusAsync(string pod) => PodTextAsync(pod);

    public async Task GoneAsync(string name)
    {
        while (await Api.FindAsync<Pod>("default", name, Cancel) is not null)
        {
            await Task.Delay(20, Cancel);
        }
    }

    public async Task<string> LogAsync(string pod, string container, bool previous = false) =>
        Encoding.UTF8.GetString(await Api.SendAsync(HttpMethod.Get, $"/api/v1/namespaces/default/pods/{pod}/log?container={container}{(previous ? "&previous=true" : "")}", null, Cancel));

    public async Task<string> ExecAsync(string name, string container, params string[] command)
    {
        var pod = await Api.GetAsync<Pod>("default", name, Cancel);
        using var said = new MemoryStream();
        await _lab!.Runtime.ExecAsync(
            Identity(pod), new ExecRequest(container, command, Terminal: false), new CommandStreams(null, said, said, null), Cancel);
        return Encoding.UTF8.GetString(said.ToArray());
    }

    /// <summary>What the node has of a container's log, also of one that the API does not know of.</summary>
    public async Task<string> LogOnNodeAsync(Pod pod, string container)
    {
        using var said = new MemoryStream();
        await _lab!.Runtime.LogAsync(Identity(pod), new LogRequest(container, Follow: true, Previous: false, Since: null, TailLines: null, LimitBytes: null, Timestamps: false), said, Cancel);
        return Encoding.UTF8.GetString(said.ToArray());
    }

    private static PodIdentity Identity(Pod pod) =>
        new("default", pod.Metadata.Name, pod.Metadata.Uid!, pod.Spec.NodeName!, [.. pod.Spec.Containers.Select(static one => one.Name)]);

    /// <summary>`reason: message` of what was said of a pod.</summary>
    public async Task<List<string>> EventsAsync(string pod) =>
        [.. (await Api.ListAsync<Event>(new ListOptions { Namespace = "default" }, Cancel)).Items.Where(one => one.InvolvedObject?.Name == pod).Select(one => $"{one.Reason}: {one.Message}")];

    /// <param name="words">A reason, or a reason and all that is said.</param>
    public async Task<string> EventAsync(string pod, string words)
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            if ((await EventsAsync(pod)).Find(one => one == words || one.StartsWith(words + ": ", StringComparison.Ordinal)) is { } found)
            {
                return found;
            }
            Assert.True(since.Elapsed < Patience, $"no event {words} of {pod}: {string.Join('\n', await EventsAsync(pod))}");
            await Task.Delay(20, Cancel);
        }
    }

    private async Task<string> PodTextAsync(string name) =>
        Encoding.UTF8.GetString(await Api.SendAsync(HttpMethod.Get, $"/api/v1/namespaces/default/pods/{name}", null, Cancel));

    private sealed class Silence : IProgress<LabProgress>
    {
        public void Report(LabProgress value)
        {
        }
    }
}
