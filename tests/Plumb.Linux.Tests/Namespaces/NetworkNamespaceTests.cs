using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Native;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Tests.Namespaces;

public sealed class NetworkNamespaceTests
{
    [Fact]
    public void A_new_namespace_is_neither_home_nor_another_new_one()
    {
        using var home = NetworkNamespace.OpenHome();
        using var first = NetworkNamespace.Create();
        using var second = NetworkNamespace.Create();

        Assert.NotEqual(home.Identity, first.Identity);
        Assert.NotEqual(first.Identity, second.Identity);
    }

    [Fact]
    public void The_same_namespace_opened_by_its_path_has_the_same_identity()
    {
        using var made = NetworkNamespace.Create();
        using var opened = NetworkNamespace.Open(made.ProcPath);

        Assert.Equal(made.Identity, opened.Identity);
    }

    [Fact]
    public void A_process_is_found_in_its_namespace()
    {
        using var home = NetworkNamespace.OpenHome();
        using var ofSelf = NetworkNamespace.OpenOfProcess(Environment.ProcessId);

        Assert.Equal(home.Identity, ofSelf.Identity);
    }

    [Theory]
    [InlineData("/etc/passwd", Errno.EINVAL)]
    [InlineData("/proc/self/ns/mnt", Errno.EINVAL)]
    [InlineData("/run/netns/no such thing", Errno.ENOENT)]
    public void What_is_no_network_namespace_is_refused_by_name(string path, Errno errno)
    {
        var exception = Assert.Throws<SystemCallException>(() => NetworkNamespace.Open(path));

        Assert.Equal(errno, exception.Errno);
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_function_runs_inside_and_home_is_still_home()
    {
        using var made = NetworkNamespace.Create();
        using var home = NetworkNamespace.OpenHome();

        Assert.Equal(made.Identity, made.Run(ThreadNamespace));
        Assert.Equal(home.Identity, home.Run(ThreadNamespace));
        Assert.Equal(home.Identity, ThreadNamespace());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_namespace_that_was_visited_ends_with_its_last_descriptor()
    {
        using var other = NetworkNamespace.Create(NetlinkFamily.Route, out var netlink);
        using var _ = netlink;
        using (var made = NetworkNamespace.Create())
        {
            Wire.MakeVeth(netlink, "a", made);
            made.Run(ThreadNamespace);
        }

        // This end of the pair goes when the namespace of the other does.
        using var subscription = other.Subscribe(NetlinkFamily.Route, [Wire.RTNLGRP_LINK]);
        while (Wire.LinkNames(netlink).Contains("a"))
        {
            await subscription.ReceiveAsync(static _ => { }, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void An_exception_inside_reaches_the_caller_and_leaves_the_thread_usable()
    {
        using var made = NetworkNamespace.Create();

        var thrown = Assert.Throws<InvalidDataException>(() => made.Run<int>(() => throw new InvalidDataException("from inside")));

        Assert.Equal("from inside", thrown.Message);
        Assert.Equal(made.Identity, made.Run(ThreadNamespace));
    }

    [Fact]
    public void Entering_a_namespace_from_inside_another_is_refused()
    {
        using var outer = NetworkNamespace.Create();
        using var inner = NetworkNamespace.Create();

        Assert.Throws<InvalidOperationException>(() => outer.Run(() => inner.Run(() => 1)));
    }

    // Breaks the rule for functions inside on purpose: work is queued from there until the pool has grown well beyond what it had.
    [Fact]
    public async Task Pool_threads_stay_at_home_even_when_the_pool_is_filled_while_threads_are_inside()
    {
        using var home = NetworkNamespace.OpenHome();
        using var made = NetworkNamespace.Create();
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, 32), completions);
        using var together = new Barrier(24);
        var identities = new Task<FileIdentity>[24];

        for (var visit = 0; visit < 100; visit++)
        {
            made.Run(ThreadNamespace);
        }
        for (var i = 0; i < identities.Length; i++)
        {
            identities[i] = Task.Run(() =>
            {
                together.SignalAndWait(TestContext.Current.CancellationToken);
                return ThreadNamespace();
            });
            made.Run(ThreadNamespace);
        }

        Assert.All(await Task.WhenAll(identities), identity => Assert.Equal(home.Identity, identity));
    }

    [Fact]
    public void Hundreds_of_namespaces_come_with_a_netlink_socket_each()
    {
        var made = new List<NetworkNamespace>();
        var sockets = new List<NetlinkSocket>();
        try
        {
            for (var i = 0; i < 200; i++)
            {
                made.Add(NetworkNamespace.Create(NetlinkFamily.Route, out var socket));
                sockets.Add(socket);
            }
            Assert.Equal(made.Count, made.Select(n => n.Identity).Distinct().Count());
        }
        finally
        {
            sockets.ForEach(s => s.Dispose());
            made.ForEach(n => n.Dispose());
        }
    }

    [Fact]
    public async Task Sockets_made_inside_work_from_outside()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var made = NetworkNamespace.Create(NetlinkFamily.Route, out var netlink);
        using var _ = netlink;
        Wire.SetLoopbackUp(netlink);
        using var listener = made.ListenTcp(new IPEndPoint(IPAddress.Any, 80));

        using var client = await made.ConnectTcpAsync(new IPEndPoint(IPAddress.Loopback, 80), cancel);
        using var served = await listener.AcceptAsync(cancel);
        await client.SendAsync("hello"u8.ToArray(), cancel);
        var buffer = new byte[16];
        var length = await served.ReceiveAsync(buffer, cancel);

        Assert.Equal("hello"u8, buffer.AsSpan(0, length));
    }

    [Fact]
    public void Sockets_of_other_families_open_inside()
    {
        using var made = NetworkNamespace.Create();

        using var udp = made.OpenUdp(AddressFamily.InterNetwork);
        using var packet = made.OpenPacket(etherType: 3);

        udp.Bind(new IPEndPoint(IPAddress.Any, 53));
        Assert.True(udp.IsBound);
        Assert.False(packet.SafeHandle.IsInvalid);
    }

    private static FileIdentity ThreadNamespace()
    {
        using var file = FileDescriptor.Open("/proc/thread-self/ns/net", OpenFlags.ReadOnly);
        return FileIdentity.Of(file);
    }
}
