using Plumb.Agent.Cni;
using Plumb.Agent.Kernel;
using Plumb.Agent.Leases;
using Plumb.Agent.Repair;
using Plumb.Agent.Running;
using Plumb.Agent.Storage;
using Plumb.Kubernetes.Clients;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;
using Plumb.Network.Services;

namespace Plumb.Agent.Installing;

/// <summary>
/// Takes Plumb off a node: afterwards kernel and disk are as if it had never been there. Whatever is somebody else's stays. Can be done again, and goes on where it was cut off.
/// </summary>
public static class NodeRemoval
{
    private static readonly TimeSpan _apiPatience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// In the order in which nobody is misled: first the configuration by which runtimes know that pods can be served, then what packets meet, then what was remembered;
    /// the plugin last, because a runtime that takes a pod down calls it.
    /// </summary>
    /// <exception cref="AgentException">An agent runs there, or the kernel keeps something: then nothing is forgotten of it, and the same call goes on.</exception>
    public static RemovalReport Run(NodeAgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var kernel = NodeAgent.OpenKernel(options, options.Writes);
        return Run(options, kernel);
    }

    /// <summary>Takes from the Node object what the agent told there. The node itself is free of Plumb whatever comes of it.</summary>
    /// <returns>One line; null: there was nothing.</returns>
    public static async Task<string?> TakeBackConditionAsync(KubernetesClient api, string node, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(_apiPatience);
        try
        {
            return await NetworkCondition.TakeBackAsync(api, node, patience.Token) ? $"removed   condition NetworkUnavailable of Node {node}" : null;
        }
        catch (Exception refused) when (refused is ApiException or HttpRequestException or IOException or UnauthorizedAccessException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return $"stays     condition NetworkUnavailable of Node {node}, if there is one: {(refused is OperationCanceledException ? $"the API server has not answered for {_apiPatience.TotalSeconds:0} s" : refused.Message)}";
        }
    }

    internal static RemovalReport Run(NodeAgentOptions options, INodeKernel kernel)
    {
        var files = new AgentFiles(options.Writes, synchronise: false);
        using var held = Directory.Exists(options.StateDirectory) ? NodeAgent.Lock(options.StateDirectory) : null;
        var removed = new List<string>();
        if (options.CniConfigurationDirectory is { } configurations)
        {
            Remove(Path.Combine(configurations, CniConfigurationFile.Name));
        }

        var home = new NamespaceId(options.NodeName);
        var former = FormerParameters.Open(options.StateDirectory, AgentFiles.BootId(), files);
        var observed = kernel.Observe(home, []);
        var marks = ServiceElements.Slots(observed, home).Keys.Select(static pool => new ConnectionMark(pool.Mark.Value)).ToHashSet();
        var items = kernel.Difference(new DesiredState(), observed, [home]).Items;
        var failures = new List<EntryFailure>();
        foreach (var step in Changeover.Steps([.. items]))
        {
            failures.AddRange(kernel.Apply(step));
        }
        var connections = kernel.Forget(marks);
        var parameters = Restored(former, home, kernel);
        failures.AddRange(kernel.Apply(parameters));
        if (failures.Count != 0)
        {
            throw new AgentException($"{failures.Count} of {items.Count + parameters.Count} entries stay, the first because of: {failures[0].Key}: {failures[0].Message}");
        }

        var leases = RemoveState(options.StateDirectory, files);
        Remove(options.SocketPath);
        if (options.PluginDirectory is { } plugins)
        {
            var loopback = Path.Combine(plugins, CniConfigurationFile.LoopbackPlugin);
            var installed = Path.Combine(plugins, options.CniPlugin);
            if (File.Exists(loopback) && File.Exists(installed) && FileContents.AreSame(loopback, installed))
            {
                Remove(loopback);
            }
            Remove(installed);
        }
        return new RemovalReport(options.NodeName, [.. items.Select(static item => $"{item.Key.Kind.ToString().ToLowerInvariant()} {item.Key.Name}")], [.. parameters.Select(static item => item.Want!.Entry.Print())], connections, leases, removed);

        void Remove(string path)
        {
            if (files.DeleteIfThere(path))
            {
                removed.Add(path);
            }
        }
    }

    // One that has another value than the agent gave it is somebody else's by now.
    private static List<DeltaItem> Restored(FormerParameters former, NamespaceId home, INodeKernel kernel)
    {
        var items = new List<DeltaItem>();
        foreach (var (path, parameter) in former.All)
        {
            var was = new SysctlEntry(home, path, parameter.Was);
            if (parameter.Was != parameter.Set && kernel.Parameter(was.Key) == parameter.Set)
            {
                items.Add(new DeltaItem(new Desired(was), was with { Value = parameter.Set }));
            }
        }
        return items;
    }

    /// <returns>How many addresses were held.</returns>
    private static int RemoveState(string directory, AgentFiles files)
    {
        if (!Directory.Exists(directory))
        {
            return 0;
        }
        var leases = Path.Combine(directory, LeaseStore.DirectoryName);
        var held = Directory.Exists(leases) ? LeaseStore.FilesIn(leases).ToList() : [];
        held.ForEach(files.Delete);
        held.ForEach(lease => files.DeleteIfThere(AgentFiles.TemporaryOf(lease)));
        // By name: whatever else somebody keeps there is his. The lock's file last, as it says that somebody is at work here.
        foreach (var name in (ReadOnlySpan<string>)[NodeAgent.NodesFile, FormerParameters.FileName, NodeAgent.LockFile])
        {
            var path = Path.Combine(directory, name);
            files.DeleteIfThere(AgentFiles.TemporaryOf(path));
            files.DeleteIfThere(path);
        }
        // The directory itself may be a mount, and is whoever's who made it.
        if (Directory.Exists(leases) && !Directory.EnumerateFileSystemEntries(leases).Any())
        {
            Directory.Delete(leases);
        }
        return held.Count;
    }
}

/// <summary>What was there of Plumb, and is no more.</summary>
/// <param name="Entries">Of the kernel, by kind and name.</param>
/// <param name="Parameters">Kernel parameters that have their former value again.</param>
/// <param name="Connections">How many the node was made to forget: they led to Services' endpoints by rules that are gone.</param>
/// <param name="Leases">How many pods' addresses were held.</param>
/// <param name="Files">Outside of the state directory.</param>
public sealed record RemovalReport(
    string Node, IReadOnlyList<string> Entries, IReadOnlyList<string> Parameters, int Connections, int Leases, IReadOnlyList<string> Files)
{
    /// <summary>What became of the Node's condition, in one line; null: it had none of the agent's, or no API was named.</summary>
    public string? Condition { get; init; }
}
