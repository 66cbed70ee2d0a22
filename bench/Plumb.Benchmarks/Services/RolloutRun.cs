using System.Diagnostics;
using System.Globalization;
using System.Text;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;
using Plumb.Kubernetes.Selectors;
using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Wire;
using Plumb.Linux.State;

namespace Plumb.Benchmarks.Services;

/// <summary>
/// How far a node's kernel is behind while a Deployment is rolled out: `Plumb.Benchmarks rollout KUBECONFIG NAME SECONDS`, inside of the node's network namespace,
/// for a Deployment and a Service of one port with that name. Every address that becomes an endpoint or ends to be one is timed from the watch's event to the
/// transaction that puts it into the kernel, or takes it out; one that the kernel had before the event came counts as 0.
/// </summary>
/// <remarks>Prints: seconds of the whole rollout, how many changes, and of the milliseconds from event to kernel the median, p99 and the longest.</remarks>
internal sealed class RolloutRun
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, Dictionary<IpAddress, string>> _slices = [];
    // What the node's map `backends` holds, by how many elements; when who has to be in it, or out of it, was heard.
    private readonly Dictionary<IpAddress, int> _backends = [];
    private readonly Dictionary<IpAddress, (bool IsIn, long Heard)> _awaited = [];
    private readonly List<double> _milliseconds = [];
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HashSet<string> _old = [];

    public static async Task<int> RunAsync(string[] arguments)
    {
        var (kubeconfig, name, limit) = (arguments[0], arguments[1], TimeSpan.FromSeconds(int.Parse(arguments[2], CultureInfo.InvariantCulture)));
        using var api = new KubernetesClient(Kubeconfig.Load(kubeconfig, "/").Connection(), TimeProvider.System, "plumb-bench");
        using var kernel = NetlinkSubscription.Open(NetlinkFamily.Netfilter, NftablesEvents.Groups);
        using var end = new CancellationTokenSource(limit);
        return await new RolloutRun().RunAsync(api, kernel, name, end);
    }

    private async Task<int> RunAsync(KubernetesClient api, NetlinkSubscription kernel, string name, CancellationTokenSource end)
    {
        var slices = new Informer<EndpointSlice>(api, new ListOptions { Namespace = "default", Labels = Selector.Parse($"{EndpointSlice.ServiceNameLabel}={name}") }, new Random(1));
        var watching = slices.RunAsync(end.Token);
        await slices.Synced;
        while (slices.Changes.TryRead(out var change))
        {
            Put(change);
        }
        // Nothing moves yet: what the slices say is in the kernel.
        foreach (var address in Endpoints())
        {
            _backends[address] = 1;
        }
        _old = Pods();
        var hearing = HearAsync(kernel, end.Token);
        var since = Stopwatch.GetTimestamp();
        var annotation = $"{{\"spec\":{{\"template\":{{\"metadata\":{{\"annotations\":{{\"rolled\":\"{since}\"}}}}}}}}}}";
        await api.PatchAsync<Deployment>("default", name, Patch.Parse(PatchKind.Merge, Encoding.UTF8.GetBytes(annotation)));
        var following = FollowAsync(slices, end.Token);
        await Task.WhenAny(_done.Task, hearing, following);
        var seconds = Stopwatch.GetElapsedTime(since).TotalSeconds;
        await end.CancelAsync();
        await Task.WhenAll(watching, following).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_done.Task.IsCompleted)
        {
            await hearing.ContinueWith(static ended => ended.IsFaulted ? ended : Task.CompletedTask, TaskScheduler.Default).Unwrap();
            Console.Error.WriteLine($"the rollout of {name} did not end in time: {Pods().Count(_old.Contains)} of {_old.Count} pods are old, {_awaited.Count} changes are not in the kernel");
            return 1;
        }
        _milliseconds.Sort();
        Console.WriteLine($"{seconds:0.0} {_milliseconds.Count} {Of(50):0.0} {Of(99):0.0} {_milliseconds[^1]:0.0}");
        return 0;
    }

    private double Of(int percent) => _milliseconds[_milliseconds.Count * percent / 100];

    private async Task FollowAsync(Informer<EndpointSlice> slices, CancellationToken cancel)
    {
        await foreach (var change in slices.Changes.ReadAllAsync(cancel))
        {
            Take(change);
        }
    }

    private void Look()
    {
        if (_awaited.Count == 0 && Pods() is var now && now.Count == _old.Count && !now.Overlaps(_old))
        {
            _done.TrySetResult();
        }
    }

    private HashSet<string> Pods() => [.. _slices.Values.SelectMany(static slice => slice.Values)];

    private HashSet<IpAddress> Endpoints() => [.. _slices.Values.SelectMany(static slice => slice.Keys)];

    private void Put(ObjectChange<EndpointSlice> change)
    {
        var ready = _slices[change.Key] = [];
        foreach (var endpoint in change.New?.Endpoints ?? [])
        {
            if (endpoint.Conditions.IsReady)
            {
                ready[IpAddress.Parse(endpoint.Addresses[0])] = endpoint.TargetRef?.Name ?? "";
            }
        }
    }

    private void Take(ObjectChange<EndpointSlice> change)
    {
        var heard = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            var before = Endpoints();
            Put(change);
            var after = Endpoints();
            Await(after.Except(before), isIn: true, heard);
            Await(before.Except(after), isIn: false, heard);
            Look();
        }
    }

    private void Await(IEnumerable<IpAddress> addresses, bool isIn, long heard)
    {
        foreach (var address in addresses)
        {
            if (IsIn(address) == isIn)
            {
                _awaited.Remove(address);
                _milliseconds.Add(0);
            }
            else
            {
                _awaited[address] = (isIn, heard);
            }
        }
    }

    private bool IsIn(IpAddress address) => _backends.GetValueOrDefault(address) > 0;

    private async Task HearAsync(NetlinkSubscription kernel, CancellationToken cancel)
    {
        var touched = new HashSet<IpAddress>();
        while (true)
        {
            if (await kernel.ReceiveAsync(Hear, cancel) == NotificationOutcome.StateLost)
            {
                throw new InvalidOperationException("the kernel had more to tell than was read in time");
            }
        }

        void Hear(NetlinkMessage message)
        {
            lock (_gate)
            {
                switch (NftablesEvents.Read(message))
                {
                    case NftablesEntryEvent { Kind: EntryKind.Element, Name: "backends", Table.IsPlumbs: true } entry:
                        foreach (var item in ElementMessage.Read(message))
                        {
                            var bytes = item.Element.Data.Span;
                            var address = IpAddress.V4(bytes[0], bytes[1], bytes[2], bytes[3]);
                            touched.Add(address);
                            _backends[address] = _backends.GetValueOrDefault(address) + (entry.Removed ? -1 : 1);
                        }
                        break;
                    case NftablesGenerationEvent:
                        Committed(touched);
                        touched.Clear();
                        break;
                    default:
                        break;
                }
            }
        }
    }

    private void Committed(HashSet<IpAddress> touched)
    {
        var now = Stopwatch.GetTimestamp();
        foreach (var address in touched)
        {
            if (_awaited.TryGetValue(address, out var awaited) && IsIn(address) == awaited.IsIn)
            {
                _awaited.Remove(address);
                _milliseconds.Add(Stopwatch.GetElapsedTime(awaited.Heard, now).TotalMilliseconds);
            }
        }
        Look();
    }
}
