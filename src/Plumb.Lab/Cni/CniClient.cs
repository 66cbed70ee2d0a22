using System.Collections.Concurrent;
using Plumb.Agent.Cni;
using Plumb.Lab.Running;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Cni;

/// <summary>
/// The container runtime's side of CNI on one node: the configuration that somebody put into the node's directory, the first in the order of names, and
/// its plugins.
/// </summary>
/// <param name="configurationDirectory">The node's <c>/etc/cni/net.d</c>.</param>
internal sealed class CniClient(string configurationDirectory, PluginCalls plugins, ResultCache results) : IDisposable
{
    private readonly ConcurrentDictionary<Attachment, bool> _attachments = [];
    private NetworkConfiguration? _network;
    private TaskCompletionSource _replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _hasCollected;

    /// <summary>For a node of the lab.</summary>
    public static CniClient Of(NodePaths paths, NetworkNamespace network, TimeProvider time) => new(
        paths.CniConfiguration,
        new PluginCalls(new AgentPlugin(paths.CniSocket), new PluginRunner(network, paths.PluginState, paths.PluginRun, PluginRunner.DefaultPath(), time)),
        new ResultCache(paths.CniResults));

    /// <summary>Completes when the configuration of now has been replaced by another, or taken away.</summary>
    public Task Replaced => Volatile.Read(ref _replaced).Task;

    /// <summary>Looks what is there now, and asks its plugins (STATUS) whether they can serve.</summary>
    /// <returns>Null: the node's network is ready; else why it is not, for people. Empty: there is no configuration.</returns>
    public async Task<string?> LookAsync(CancellationToken cancel)
    {
        NetworkConfiguration? network;
        try
        {
            var path = NetworkConfiguration.FindIn(configurationDirectory);
            network = path is null ? null : NetworkConfiguration.Load(path);
        }
        catch (LabException broken)
        {
            Take(null);
            return broken.Message;
        }
        Take(network);
        if (network is null)
        {
            return "";
        }
        try
        {
            await CallAllAsync("STATUS", network, valid: null, cancel);
        }
        catch (CniException refused) when (refused.Code != CniErrorCode.TryAgainLater && !IsLimited(network, refused))
        {
            return refused.Message;
        }
        catch (CniException)
        {
            // It cannot be asked just now, or serves all but a new pod, which will be told. No reason to say of the whole node that it is not ready.
        }
        await CollectAsync(network, cancel);
        return null;
    }

    /// <summary>Of a pod to the network of now.</summary>
    /// <exception cref="CniException">There is none.</exception>
    public Attachment Attach(PodAttachment pod)
    {
        var network = Volatile.Read(ref _network) ?? throw new CniException(CniErrorCode.NotAvailable, "cni plugin not initialized");
        var attachment = new Attachment(network, pod, plugins, results);
        _attachments[attachment] = true;
        return attachment;
    }

    /// <summary>It has been deleted.</summary>
    public void Forget(Attachment attachment) => _attachments.TryRemove(attachment, out _);

    public void Dispose() => plugins.Dispose();

    // Of Plumb's own that code says that its range is full: who has an address keeps it, and a node that has taken all the pods it can is a good one.
    private static bool IsLimited(NetworkConfiguration network, CniException refused) =>
        refused.Code == CniErrorCode.NotAvailableAndLimited && network.Plugins.All(static plugin => plugin.Type == AgentPlugin.Type);

    private void Take(NetworkConfiguration? network)
    {
        if (network?.Text == _network?.Text)
        {
            return;
        }
        Volatile.Write(ref _network, network);
        Interlocked.Exchange(ref _replaced, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    // Once in the node's life: what an earlier one left is ended, with its own configuration and result where they are known.
    private async Task CollectAsync(NetworkConfiguration network, CancellationToken cancel)
    {
        if (_hasCollected)
        {
            return;
        }
        _hasCollected = true;
        try
        {
            foreach (var (of, pod, result) in results.Read().ToList())
            {
                if (!_attachments.Keys.Any(one => one.Id.ContainerId == pod.ContainerId))
                {
                    await Attachment.Of(of, pod, plugins, results, result).DeleteAsync(cancel);
                }
            }
            if (!network.DisableGc)
            {
                await CallAllAsync("GC", network, [.. _attachments.Keys.Select(static one => one.Id)], cancel);
            }
        }
        catch (CniException)
        {
            _hasCollected = false; // with the next look
        }
    }

    private async Task CallAllAsync(string verb, NetworkConfiguration network, IReadOnlyList<CniAttachment>? valid, CancellationToken cancel)
    {
        if (!network.Knows(verb))
        {
            return;
        }
        var environment = new Dictionary<string, string> { ["CNI_COMMAND"] = verb, ["CNI_PATH"] = plugins.PluginPath };
        foreach (var plugin in network.Plugins)
        {
            await plugins.CallAsync(verb, network, plugin, environment, plugin.Request(network, valid), static () => { }, cancel);
        }
    }
}
