using Plumb.Agent;
using Plumb.Lab.Agents;
using Plumb.Lab.Running;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;

namespace Plumb.Lab.Tests.Agents;

public sealed class AgentInProcessTests : IDisposable
{
    private static readonly IpPrefix _address = new(IpAddress.Parse("192.168.1.11"), 24);

    private readonly string _directory = Directory.CreateTempSubdirectory("p-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task An_agent_that_fails_is_named_in_the_log_and_another_takes_its_place()
    {
        using var node = MachineOnAWire();
        var log = new LabLog(Path.Combine(_directory, "log"), TimeProvider.System);
        var served = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = 0;
        await using (await AgentInProcess.StartAsync("node-1", ServicesKind.Nftables, StartAsync, log, TimeProvider.System, Cancel))
        {
            await served.Task.WaitAsync(Cancel);
        }
        log.Dispose();

        Assert.Equal(2, started);
        Assert.Contains("node-1: the agent has ended (a fault of its own) and is started again", await File.ReadAllTextAsync(Path.Combine(_directory, "log"), Cancel), StringComparison.Ordinal);

        async Task<NodeAgent> StartAsync(ServicesKind services, CancellationToken cancel)
        {
            var agent = await NodeAgent.StartAsync(
                new NodeAgentOptions
                {
                    NodeName = "node-1",
                    Network = node,
                    StateDirectory = Path.Combine(_directory, "state"),
                    SocketPath = Path.Combine(_directory, "s"),
                    Cluster = NetworkOptions.Default with { Overlay = OverlayKind.Routed, Services = services },
                    Nodes = [new ClusterNode("node-1") { Addresses = [_address.Address], PodRanges = [IpPrefix.Parse("10.244.1.0/24")] }],
                    Writes = started++ == 0 ? new Faulty() : IWriteSeam.None,
                },
                cancel);
            _ = agent.Ready.ContinueWith(_ => served.TrySetResult(), cancel, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            return agent;
        }
    }

    private static NetworkNamespace MachineOnAWire()
    {
        var machine = NetworkNamespace.Create();
        var name = new NamespaceId("node-1");
        using var kernels = new Kernels();
        kernels.Add(name, NetworkNamespace.Open(machine.ProcPath));
        var wire = new DesiredState();
        wire.Set(new LinkEntry(name, "eth0", new LinkType.Bridge()) { Up = true });
        wire.Set(new AddressEntry(name, "eth0", _address));
        kernels.Apply([.. wire.Entries.Values.Select(static want => new DeltaItem(want, null))]);
        return machine;
    }

    /// <summary>Writes to the kernel fail in a way that no agent expects.</summary>
    private sealed class Faulty : IWriteSeam
    {
        public void BeforeWrite(string what)
        {
            if (what.StartsWith("nf_tables:", StringComparison.Ordinal))
            {
                throw new InvalidOperationException("a fault of its own");
            }
        }
    }
}
