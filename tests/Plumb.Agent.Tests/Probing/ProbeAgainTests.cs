using Plumb.Agent.Probing;
using Plumb.Lab.Tests.Containers;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.Probing;

public sealed class ProbeAgainTests : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(7);

    private readonly TestNode _node = new();
    private readonly HeldTime _time = new();
    private readonly ManualResetEventSlim _isWell = new();
    private readonly Dictionary<TimeSpan, int> _passed = [];
    private int _tries;

    public void Dispose()
    {
        _isWell.Dispose();
        _node.Dispose();
    }

    [Fact]
    public async Task A_node_whose_kernel_lost_what_pods_need_is_tried_again_until_it_is_well()
    {
        await using var agent = await _node.StartAsync(change: options => options with { Time = _time, TroublePatience = Patience, Probe = Probe });
        await PassAsync(pauses: 1, patience: 1);
        Assert.Contains("lacks bridges", await _node.Log.LineAsync("wires no pods"), StringComparison.Ordinal);
        var (succeeded, body) = await _node.CniAsync("STATUS", "");
        Assert.False(succeeded);
        Assert.Equal(50, (int)body!["code"]!);
        Assert.Contains("lacks bridges", (string)body["msg"]!, StringComparison.Ordinal);
        Assert.False(agent.Ready.IsCompleted);

        _isWell.Set();
        await PassAsync(pauses: 2, patience: 1);
        await agent.Ready;
        await _node.Log.LineAsync("the kernel gives all that pods need");
        Assert.True((await _node.CniAsync("STATUS", "")).Succeeded);
        Assert.Equal("10.244.1.2/32", await _node.AddAsync("a"));
        Assert.True(File.Exists(_node.Configuration));
    }

    private async Task PassAsync(int pauses, int patience)
    {
        while (_passed.GetValueOrDefault(Pause) < pauses || _passed.GetValueOrDefault(Patience) < patience)
        {
            var passed = await _time.FireAsync();
            _passed[passed] = _passed.GetValueOrDefault(passed) + 1;
        }
    }

    /// <summary>The second time it is in vain, too. At last only something is lost without which all pods are wired.</summary>
    private IReadOnlyList<LostFeature> Probe(NetworkOptions cluster)
    {
        var isWell = ++_tries > 2;
        if (isWell)
        {
            _isWell.Wait(TestContext.Current.CancellationToken);
        }
        var fake = new FakeKernel(ImaginaryNode.Home) { Refuses = isWell ? "type ifb" : "type bridge" };
        fake.MakeNamespace("pod");
        using var kernel = fake.Open(Linux.State.IWriteSeam.None);
        return KernelProbe.Run(cluster, kernel, FakeKernel.Path("pod"));
    }
}
