using System.Security.Cryptography;
using Plumb.Agent.Cni;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Lab.Node;

/// <summary>A pod's network namespace with what the plugin put into it.</summary>
internal sealed class PodSandbox
{
    private readonly NodeContext _node;
    private readonly PodName _pod;
    private readonly bool _ownsNetwork;

    private PodSandbox(NodeContext node, PodName pod, string id, NetworkNamespace network, bool ownsNetwork)
    {
        _node = node;
        _pod = pod;
        _ownsNetwork = ownsNetwork;
        Id = id;
        Network = network;
        Address = node.Report.Address;
    }

    /// <summary>64 hexadecimal digits (CNI_CONTAINERID).</summary>
    public string Id { get; }

    public NetworkNamespace Network { get; }

    public IpAddress Address { get; private set; }

    /// <summary>Of a hostNetwork pod: nothing is made.</summary>
    public static PodSandbox OfNode(NodeContext node, PodName pod) => new(node, pod, NewId(), node.Network, ownsNetwork: false);

    /// <summary>Makes a namespace and has the plugin connect it. What fails is undone, said in an event, and tried again until it succeeds.</summary>
    public static async Task<PodSandbox> CreateAsync(NodeContext node, PodName pod, Action failed, CancellationToken cancel)
    {
        for (var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)); ; backOff.Next())
        {
            if (!node.Signals.NetworkReady.IsCompleted)
            {
                failed();
                node.Events.Add(PodEvent.NetworkNotReady(pod));
                await node.Signals.NetworkReady.WaitAsync(cancel);
            }
            var freed = node.Signals.AddressFreed;
            var id = NewId();
            try
            {
                return await TryCreateAsync(node, pod, id, cancel);
            }
            catch (Exception refused) when (refused is CniException or SystemCallException)
            {
                failed();
                node.Events.Add(PodEvent.FailedCreatePodSandBox(pod, id, refused.Message));
            }
            // An address that another pod gives back is worth trying for at once.
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            await Task.WhenAny(freed, Task.Delay(backOff.Delay, node.Time, waiting.Token));
            await waiting.CancelAsync();
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Has the plugin take everything back and lets the namespace go; again until the plugin has done so.</summary>
    public async Task RemoveAsync(CancellationToken cancel)
    {
        if (!_ownsNetwork)
        {
            return;
        }
        try
        {
            for (var backOff = new BackOff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10)); ; backOff.Next())
            {
                try
                {
                    await _node.Cni.DeleteAsync(Id, _pod, Network, cancel);
                    return;
                }
                catch (CniException refused)
                {
                    _node.Events.Add(PodEvent.FailedKillPod(_pod, Id, refused.Message));
                    await Task.Delay(backOff.Delay, _node.Time, cancel);
                }
            }
        }
        finally
        {
            Network.Dispose();
            _node.Signals.FreeAddress();
        }
    }

    private static async Task<PodSandbox> TryCreateAsync(NodeContext node, PodName pod, string id, CancellationToken cancel)
    {
        NetworkNamespace network;
        await node.KernelTurn.WaitAsync(cancel);
        try
        {
            network = NetworkNamespace.Create();
        }
        finally
        {
            node.KernelTurn.Release();
        }
        var sandbox = new PodSandbox(node, pod, id, network, ownsNetwork: true);
        try
        {
            sandbox.Address = await node.Cni.AddAsync(id, pod, network, cancel);
            return sandbox;
        }
        catch (OperationCanceledException)
        {
            // The plugin may have done its part; the pod is going, and so is the node or nobody.
            await sandbox.RemoveAsync(CancellationToken.None);
            throw;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static string NewId() => RandomNumberGenerator.GetHexString(64, lowercase: true);
}
