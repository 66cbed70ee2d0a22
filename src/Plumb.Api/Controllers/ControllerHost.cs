using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Plumb.Api.Controllers.Nodes;
using Plumb.Api.Controllers.Scheduling;
using Plumb.Api.Controllers.Services;
using Plumb.Api.Controllers.Workloads;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Controllers;

public sealed record ControllerOptions
{
    public required TimeProvider Time { get; init; }

    /// <summary>Nodes get their pod ranges from here.</summary>
    public IPNetwork ClusterNetwork { get; init; } = new(new IPAddress([10, 244, 0, 0]), 16);

    /// <summary>The prefix length of a node's IPv4 range; that of an IPv6 range is always 64.</summary>
    public int NodePrefixLength { get; init; } = 24;

    /// <summary>The IPv6 range of a dual-stack cluster, with a /64 for each node; null: there is none.</summary>
    public IPNetwork? ClusterNetworkV6 { get; init; }

    /// <summary>After so long without a renewal of its lease a node counts as lost.</summary>
    public TimeSpan NodeGrace { get; init; } = TimeSpan.FromSeconds(40);

    public ILoggerFactory? Loggers { get; init; }
}

/// <summary>
/// The controllers, over the store itself. One loop: 1. takes the changes that have come in, parses each once and shows it to every controller; 2. lets each
/// controller do a bounded piece of its work, but those that count what is theirs only when nothing has yet to find its owner; 3. waits only when no change and no work is left.
/// </summary>
public sealed class ControllerHost : IAsyncDisposable
{
    private const int ChangesAtOnce = 512;

    private readonly Channel<Change?> signals = Channel.CreateUnbounded<Change?>(new() { SingleReader = true });
    private readonly List<Subscription> subscriptions = [];
    private readonly List<Task> running = [];
    private readonly CancellationTokenSource stop = new();
    private readonly ControllerContext context;
    private readonly Controller[] controllers;
    private readonly Adoption adoption;
    private readonly Controller[] counting;

    private ControllerHost(Registry registry, ControllerOptions options)
    {
        var log = options.Loggers?.CreateLogger("Plumb.Api.Controllers") ?? NullLogger.Instance;
        context = new ControllerContext(registry, new ClusterView(), new EventRecorder(registry, options.Time), options.Time, log, () => signals.Writer.TryWrite(null));
        context.Tell = change => Observe(change);
        adoption = new Adoption(context);
        counting =
        [
            new DeploymentController(context),
            new ReplicaSetController(context, GroupResource.ReplicaSets),
            new ReplicaSetController(context, GroupResource.ReplicationControllers),
            new StatefulSetController(context),
            new DaemonSetController(context),
            new JobController(context),
        ];
        controllers =
        [
            new NamespaceController(context),
            new NodeRangeController(context, options),
            new NodeLifecycleController(context, options.NodeGrace),
            adoption,
            .. counting,
            new CronJobController(context),
            new DisruptionController(context),
            new ClaimProtection(context),
            new Scheduler(context),
            new ServiceAddressController(context),
            new EndpointSliceController(context),
            new EndpointsController(context),
            new EndpointMirroringController(context),
            new GarbageCollector(context),
        ];
    }

    public static ControllerHost Start(Registry registry, ControllerOptions options)
    {
        var host = new ControllerHost(registry, options);
        foreach (var definition in registry.Catalog.All)
        {
            // Another group's view of the same objects would show each change twice.
            if (definition.StoredIn == definition.Resource && definition.Resource != GroupResource.Events)
                host.subscriptions.Add(registry.Store.Subscribe(definition.Resource));
        }
        foreach (var subscription in host.subscriptions)
        {
            foreach (var present in subscription.Initial)
                host.signals.Writer.TryWrite(new Change(ChangeKind.Added, null, present));
            host.running.Add(host.PumpAsync(subscription));
        }
        host.running.Add(Task.Run(host.RunAsync));
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        foreach (var subscription in subscriptions)
            subscription.Dispose();
        await Task.WhenAll(running).ConfigureAwait(false);
        foreach (var controller in controllers)
            controller.Stop();
        stop.Dispose();
    }

    private async Task PumpAsync(Subscription subscription)
    {
        await foreach (var change in subscription.Changes.ReadAllAsync().ConfigureAwait(false))
            signals.Writer.TryWrite(change);
    }

    private async Task RunAsync()
    {
        bool more = false;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                if (!more)
                    await signals.Reader.WaitToReadAsync(stop.Token).ConfigureAwait(false);
                for (int i = 0; i < ChangesAtOnce && signals.Reader.TryRead(out var signal); i++)
                {
                    if (signal is { } change && context.View.Apply(change) is { } observed)
                        Observe(observed);
                }
                more = false;
                foreach (var controller in controllers)
                    more |= (adoption.IsBehind && counting.Contains(controller)) || Work(controller);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private void Observe(in ObservedChange change)
    {
        foreach (var controller in controllers)
        {
            try
            {
                controller.Observe(change);
            }
#pragma warning disable CA1031 // One controller's fault on one object must not end the others.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                ControllerLog.Failed(context.Log, fault);
            }
        }
    }

    private bool Work(Controller controller)
    {
        try
        {
            return controller.Work();
        }
#pragma warning disable CA1031 // As above.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            ControllerLog.Failed(context.Log, fault);
            return true;
        }
    }
}
