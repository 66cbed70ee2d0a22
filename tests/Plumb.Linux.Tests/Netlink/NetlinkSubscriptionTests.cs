using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using static Plumb.Linux.Tests.Wire;

namespace Plumb.Linux.Tests.Netlink;

public sealed class NetlinkSubscriptionTests : IDisposable
{
    private readonly NetworkNamespace _inside;
    private readonly NetlinkSocket _socket;

    public NetlinkSubscriptionTests() => _inside = NetworkNamespace.Create(NetlinkFamily.Route, out _socket);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _socket.Dispose();
        _inside.Dispose();
    }

    [Fact]
    public async Task A_change_is_heard_with_the_port_of_who_made_it()
    {
        using var subscription = _inside.Subscribe(NetlinkFamily.Route, [RTNLGRP_IPV4_IFADDR]);
        var heard = new List<(ushort, uint)>();
        var waiting = subscription.ReceiveAsync(message => heard.Add((message.Type, message.PortId)), Cancel);
        Assert.False(waiting.IsCompleted);

        AddAddressToLoopback(_socket, [10, 0, 0, 1]);

        Assert.Equal(NotificationOutcome.Delivered, await waiting);
        Assert.Equal([(RTM_NEWADDR, _socket.PortId)], heard);
    }

    [Fact]
    public async Task Changes_between_two_waits_are_not_missed()
    {
        using var subscription = _inside.Subscribe(NetlinkFamily.Route, [RTNLGRP_LINK]);
        var heard = new List<string?>();
        Make("br0");
        await subscription.ReceiveAsync(message => heard.Add(NameOf(message)), Cancel);
        Make("br1");

        await subscription.ReceiveAsync(message => heard.Add(NameOf(message)), Cancel);

        Assert.Contains("br0", heard);
        Assert.Contains("br1", heard);
    }

    [Fact]
    public async Task What_does_not_fit_the_buffer_is_reported_as_lost_and_listening_goes_on()
    {
        using var subscription = _inside.Subscribe(NetlinkFamily.Route, [RTNLGRP_LINK], receiveBufferBytes: 4096);
        for (var i = 0; i < 100; i++)
        {
            Make($"br{i}");
        }
        var outcomes = new List<NotificationOutcome>();
        while (subscription.TryReceive(static _ => { }) is { } outcome)
        {
            outcomes.Add(outcome);
        }
        Assert.Contains(NotificationOutcome.StateLost, outcomes);

        Make("after");
        var heard = new List<string?>();

        Assert.Equal(NotificationOutcome.Delivered, await subscription.ReceiveAsync(message => heard.Add(NameOf(message)), Cancel));
        Assert.Contains("after", heard);
    }

    [Fact]
    public async Task A_wait_can_be_cancelled_and_begun_again()
    {
        using var subscription = _inside.Subscribe(NetlinkFamily.Route, [RTNLGRP_LINK]);
        using var cancel = new CancellationTokenSource();
        var waiting = subscription.ReceiveAsync(static _ => { }, cancel.Token).AsTask();

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        Make("br0");
        Assert.Equal(NotificationOutcome.Delivered, await subscription.ReceiveAsync(static _ => { }, Cancel));
    }

    [Fact]
    public async Task Hundreds_of_subscriptions_wait_without_a_thread_each()
    {
        var subscriptions = Enumerable.Range(0, 300).Select(_ => _inside.Subscribe(NetlinkFamily.Route, [RTNLGRP_LINK])).ToList();
        try
        {
            var waiting = subscriptions.Select(s => s.ReceiveAsync(static _ => { }, Cancel).AsTask()).ToList();
            var threads = Directory.GetDirectories("/proc/self/task").Length;

            Make("br0");

            Assert.All(await Task.WhenAll(waiting), outcome => Assert.Equal(NotificationOutcome.Delivered, outcome));
            Assert.True(threads < 150, $"{threads} threads");
        }
        finally
        {
            subscriptions.ForEach(s => s.Dispose());
        }
    }

    private void Make(string name)
    {
        using var batch = new NetlinkWriter();
        WriteBridge(batch, name);
        _socket.Execute(batch);
    }
}
