using Plumb.Lab.Tests.Containers;
using Plumb.Linux.Addresses;

namespace Plumb.Agent.Tests.Running;

public sealed class LearnedMacTests : IDisposable
{
    private static readonly Dictionary<string, MacAddress> Own = new()
    {
        ["a"] = MacAddress.Parse("02:00:00:00:0a:0a"),
        ["b"] = MacAddress.Parse("02:00:00:00:0a:0b"),
        ["c"] = MacAddress.Parse("02:00:00:00:0a:0c"),
    };

    private readonly TestNode _node = new();
    private readonly HeldTime _time = new();

    public void Dispose() => _node.Dispose();

    public static TheoryData<Exception> Troubles => [new IOException("it is broken"), new UnauthorizedAccessException("it is broken")];

    [Theory, MemberData(nameof(Troubles), DisableDiscoveryEnumeration = true)]
    public async Task One_pods_trouble_is_not_that_of_those_who_were_connected_with_it(Exception trouble)
    {
        await using var agent = await _node.StartAsync(change: options => options with { Time = _time });
        await agent.Ready;
        await AddTogetherAsync(agent);
        var (looks, learnedAtFirst) = (0, new TaskCompletionSource<string>());
        _node.Kernel.Looking = name =>
        {
            if (name.Name.Contains("pod-a@", StringComparison.Ordinal))
            {
                if (++looks == 1)
                {
                    throw trouble;
                }
                learnedAtFirst.TrySetResult(Learned());
            }
        };

        while (await _time.FireAsync() != TimeSpan.FromSeconds(10))
        {
            // A second after all of them were connected it is read, and nine later once more.
        }
        Assert.Equal("b c", await learnedAtFirst.Task);
        Assert.Equal("whether a plugin behind this one gave container a another hardware address is not known: it is broken", await _node.Log.LineAsync("hardware address"));
        await _node.ObservedAsync(); // The loop is done with what it was at.
        Assert.Equal("a b c", Learned());
    }

    [Fact]
    public async Task Of_a_pod_whose_address_is_as_it_was_nothing_else_is_read()
    {
        await using var agent = await _node.StartAsync(change: options => options with { Time = _time });
        await agent.Ready;
        _node.Kernel.MakeNamespace("a");
        Assert.True((await agent.Cni.AnswerAsync(TestNode.Call("ADD", "a"), TestContext.Current.CancellationToken)).Succeeded);
        _node.Kernel.ReadWhole.Clear();
        var asked = 0;
        _node.Kernel.Looking = name => asked += name.Name.Contains("pod-a@", StringComparison.Ordinal) ? 1 : 0;

        while (await _time.FireAsync() != TimeSpan.FromSeconds(10))
        {
        }
        await _node.ObservedAsync(); // The loop is done with what it was at.
        Assert.Equal(2, asked);
        Assert.DoesNotContain(_node.Kernel.ReadWhole, static name => name.Name.Contains("pod-a@", StringComparison.Ordinal));
    }

    /// <summary>In one round of the agent's loop, which somebody keeps busy until it has been asked for all of them; then a plugin behind ours changes their addresses.</summary>
    private async Task AddTogetherAsync(NodeAgent agent)
    {
        using var all = new ManualResetEventSlim();
        var isBusy = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _node.Kernel.Looking = _ =>
        {
            isBusy.TrySetResult();
            all.Wait(TestContext.Current.CancellationToken);
        };
        var observing = _node.ObservedAsync();
        await isBusy.Task;
        var adding = new List<Task<Agent.Cni.CniAnswer>>();
        foreach (var container in Own.Keys)
        {
            _node.Kernel.MakeNamespace(container);
            adding.Add(agent.Cni.AnswerAsync(TestNode.Call("ADD", container), TestContext.Current.CancellationToken));
        }
        all.Set();
        await observing;
        Assert.All(await Task.WhenAll(adding), static answer => Assert.True(answer.Succeeded));
        foreach (var (container, mac) in Own)
        {
            _node.Kernel.SetMac(container, "eth0", mac);
        }
        Assert.Equal("", Learned());
    }

    /// <summary>Whose address the node's neighbour entries have.</summary>
    private string Learned()
    {
        var held = _node.Kernel.Dump().Where(static line => line.StartsWith("1 ", StringComparison.Ordinal)).ToList();
        return string.Join(' ', Own.Where(own => held.Exists(line => line.Contains($"{own.Value}", StringComparison.Ordinal))).Select(static own => own.Key));
    }
}
