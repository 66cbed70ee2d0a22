using System.Security.Cryptography;
using Plumb.Agent.Cni;
using Plumb.Lab.Cni;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Sysctls;
using Plumb.Network.Facts;

namespace Plumb.Lab.Node;

/// <summary>A pod's network namespace with what the plugin put into it.</summary>
internal sealed class PodSandbox
{
    private readonly NodeContext _node;
    private readonly PodName _pod;
    private readonly Attachment? _attachment;
    private readonly Lock _gate = new();
    private Task _followed = Task.CompletedTask;
    private IReadOnlyList<Task> _left = []; // attempts before this one that are still being taken back

    /// <param name="attachment">Null: the pod has its node's network.</param>
    private PodSandbox(NodeContext node, PodName pod, string id, NetworkNamespace network, Attachment? attachment)
    {
        _node = node;
        _pod = pod;
        _attachment = attachment;
        Id = id;
        Network = network;
        Addresses = node.Report.Addresses;
    }

    /// <summary>64 hexadecimal digits (CNI_CONTAINERID).</summary>
    public string Id { get; }

    public NetworkNamespace Network { get; }

    /// <summary>Whether the pod has its node's network and none of its own.</summary>
    public bool IsOfNode => _attachment is null;

    /// <summary>At least one, the main one first.</summary>
    public IReadOnlyList<IpAddress> Addresses { get; private set; }

    /// <summary>How fast the pod may be.</summary>
    public Bandwidth Bandwidth { get; private set; }

    /// <summary>Of a hostNetwork pod: nothing is made.</summary>
    public static PodSandbox OfNode(NodeContext node, PodName pod) => new(node, pod, NewId(), node.Network, attachment: null);

    /// <summary>Makes a namespace and has the plugin connect it. What fails is undone, said in an event, and tried again until it succeeds.</summary>
    /// <param name="parameters">Of the namespace, written before anything runs there.</param>
    /// <param name="annotations">As they are when it is tried.</param>
    /// <param name="cancel">The pod is not wanted any more: what was made is still taken back.</param>
    /// <param name="shutdown">The node ends, and with it everything.</param>
    public static async Task<PodSandbox> CreateAsync(
        NodeContext node, PodName pod, IReadOnlyList<PortMapping> ports, IReadOnlyList<KernelParameter> parameters, Func<IReadOnlyDictionary<string, string>> annotations, Action failed, CancellationToken cancel, CancellationToken shutdown)
    {
        var left = new List<Task>();
        try
        {
            for (var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)); ; backOff.Next())
            {
                if (!node.Signals.NetworkReady.IsCompleted)
                {
                    failed();
                    node.Events.Add(PodEvent.NetworkNotReady(pod));
                    await node.Signals.NetworkReady.WaitAsync(cancel);
                }
                var (freed, replaced) = (node.Signals.AddressFreed, node.Cni.Replaced);
                var id = NewId();
                var (sandbox, takenBack) = await TryCreateAsync(node, pod, ports, parameters, annotations(), id, Tell, cancel, shutdown);
                if (sandbox is not null)
                {
                    sandbox._left = left;
                    return sandbox;
                }
                void Tell(Exception why)
                {
                    failed();
                    node.Events.Add(PodEvent.FailedCreatePodSandBox(pod, id, why.Message));
                }

                // What was half made is taken back before the next attempt; by a plugin that cannot, as long as it is the node's.
                left.Add(takenBack);
                await Task.WhenAny(takenBack, replaced).WaitAsync(cancel);
                // An address that another pod gives back is worth trying for at once, and so is another configuration.
                using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                await Task.WhenAny(freed, replaced, Task.Delay(backOff.Delay, node.Time, waiting.Token));
                await waiting.CancelAsync();
                cancel.ThrowIfCancellationRequested();
                left.RemoveAll(static task => task.IsCompletedSuccessfully);
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(left);
            throw;
        }
    }

    /// <summary>Keeps the pod as fast as its annotations say now. A kubelet looks at them once.</summary>
    /// <param name="annotations">As they are when the turn has come: one change is made after the other.</param>
    public void Follow(Func<IReadOnlyDictionary<string, string>> annotations, CancellationToken cancel)
    {
        lock (_gate)
        {
            // Of most pods there is nothing to follow.
            if (!_followed.IsCompleted || Bandwidth != default || annotations() is var now && (now.ContainsKey(Bandwidth.IngressAnnotation) || now.ContainsKey(Bandwidth.EgressAnnotation)))
            {
                _followed = FollowAsync(_followed, annotations, cancel);
            }
        }
    }

    /// <summary>Has the plugin take everything back and lets the namespace go; again until the plugin has done so.</summary>
    public async Task RemoveAsync(CancellationToken cancel)
    {
        if (IsOfNode)
        {
            return;
        }
        try
        {
            await Task.WhenAll([TakeBackAsync(cancel), .. _left]);
        }
        finally
        {
            _node.Signals.FreeAddress();
        }
    }

    private async Task FollowAsync(Task before, Func<IReadOnlyDictionary<string, string>> annotations, CancellationToken cancel)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            for (var backOff = new BackOff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10)); ; backOff.Next())
            {
                try
                {
                    await LimitAsync(Bandwidth.Of(annotations()), cancel);
                    return;
                }
                catch (CniException away) when (away.Code == CniErrorCode.TryAgainLater)
                {
                    _node.Events.Add(PodEvent.FailedBandwidth(_pod, away.Message));
                    await Task.Delay(backOff.Delay, _node.Time, cancel);
                }
            }
        }
        catch (Exception refused) when (refused is FormatException or CniException)
        {
            _node.Events.Add(PodEvent.FailedBandwidth(_pod, refused.Message));
        }
        catch (OperationCanceledException)
        {
            // It goes.
        }
    }

    private async Task LimitAsync(Bandwidth bandwidth, CancellationToken cancel)
    {
        if (bandwidth != Bandwidth)
        {
            await _attachment!.LimitAsync(bandwidth, cancel);
            Bandwidth = bandwidth;
        }
    }

    private async Task TakeBackAsync(CancellationToken cancel)
    {
        try
        {
            for (var backOff = new BackOff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10)); ; backOff.Next())
            {
                try
                {
                    await _attachment!.DeleteAsync(cancel);
                    _node.Cni.Forget(_attachment);
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
        }
    }

    /// <returns>The sandbox; or none, and the end of what was begun. Why was told.</returns>
    private static async Task<(PodSandbox? Made, Task TakenBack)> TryCreateAsync(
        NodeContext node, PodName pod, IReadOnlyList<PortMapping> ports, IReadOnlyList<KernelParameter> parameters, IReadOnlyDictionary<string, string> annotations, string id, Action<Exception> tell, CancellationToken cancel, CancellationToken shutdown)
    {
        Bandwidth bandwidth;
        try
        {
            bandwidth = Bandwidth.Of(annotations);
        }
        catch (FormatException wrong)
        {
            // containerd's words; it has not called a plugin yet.
            tell(new FormatException($"get cni namespace options: reading pod bandwidth annotations: {wrong.Message}", wrong));
            return (null, Task.CompletedTask);
        }
        NetworkNamespace? network = null;
        await node.KernelTurn.WaitAsync(cancel);
        try
        {
            network = NetworkNamespace.Create();
            KernelParameter.Write(network, parameters);
        }
        catch (SystemCallException refused)
        {
            network?.Dispose();
            tell(refused);
            return (null, Task.CompletedTask);
        }
        finally
        {
            node.KernelTurn.Release();
        }
        Attachment attachment;
        try
        {
            attachment = node.Cni.Attach(new PodAttachment(id, network.ProcPath, pod, ports) { Bandwidth = bandwidth });
        }
        catch (CniException refused)
        {
            network.Dispose();
            tell(refused);
            return (null, Task.CompletedTask);
        }
        var sandbox = new PodSandbox(node, pod, id, network, attachment) { Bandwidth = bandwidth };
        try
        {
            sandbox.Addresses = await attachment.AddAsync(cancel);
            return (sandbox, Task.CompletedTask);
        }
        catch (OperationCanceledException)
        {
            // The plugin may have done its part.
            await sandbox.RemoveAsync(shutdown);
            throw;
        }
        catch (CniException refused)
        {
            // Before it is taken back, which a plugin may refuse as well.
            tell(refused);
            // A plugin that failed, or ended before it could answer, may have done a part of it, and an address is a part.
            return (null, sandbox.TakeBackAsync(shutdown));
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static string NewId() => RandomNumberGenerator.GetHexString(64, lowercase: true);
}
