using Plumb.Linux.Native;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using static Plumb.Linux.Tests.Wire;

namespace Plumb.Linux.Tests.Netlink;

public sealed class NetlinkSocketTests : IDisposable
{
    private readonly NetworkNamespace _inside;
    private readonly NetlinkSocket _socket;

    public NetlinkSocketTests() => _inside = NetworkNamespace.Create(NetlinkFamily.Route, out _socket);

    public void Dispose()
    {
        _socket.Dispose();
        _inside.Dispose();
    }

    [Fact]
    public void One_send_makes_many_links()
    {
        using var batch = new NetlinkWriter();
        for (var i = 0; i < 50; i++)
        {
            WriteBridge(batch, $"br{i}");
        }

        _socket.Execute(batch);

        Assert.Equal(51, LinkNames(_socket).Count);
    }

    [Fact]
    public void Every_refused_message_is_named_with_errno_and_the_others_are_done()
    {
        using var batch = new NetlinkWriter();
        foreach (var name in new[] { "a", "b", "a", "c", "b", "d" })
        {
            WriteBridge(batch, name);
        }

        var errors = _socket.TryExecute(batch);

        Assert.Equal([(2, Errno.EEXIST), (4, Errno.EEXIST)], errors.Select(e => (e.Index, e.Errno)));
        Assert.All(errors, e => Assert.Equal(RTM_NEWLINK, e.MessageType));
        Assert.Equal(["a", "b", "c", "d"], LinkNames(_socket).Where(n => n != "lo" && n.Length == 1).Order());
    }

    [Fact]
    public void A_refused_last_message_is_reported_once()
    {
        using var batch = new NetlinkWriter();
        WriteBridge(batch, "a");
        WriteBridge(batch, "a");

        Assert.Equal(1, Assert.Single(_socket.TryExecute(batch)).Index);
    }

    [Fact]
    public void Thousands_of_refusals_all_arrive()
    {
        using var batch = new NetlinkWriter();
        WriteBridge(batch, "a");
        for (var i = 0; i < 2000; i++)
        {
            WriteBridge(batch, "a");
        }

        Assert.Equal(2000, _socket.TryExecute(batch).Count);
    }

    [Fact]
    public void The_exception_carries_the_kernels_own_words()
    {
        using var batch = new NetlinkWriter();
        using (batch.Message(RTM_NEWLINK, NetlinkFlags.Create))
        {
            batch.Structure(new LinkHeader());
            using (batch.Nest(IFLA_LINKINFO))
            {
                batch.Text(IFLA_INFO_KIND, "nosuchkind");
            }
        }

        var exception = Assert.Throws<NetlinkException>(() => _socket.Execute(batch));

        Assert.Equal(Errno.EOPNOTSUPP, exception.Errno);
        Assert.Equal("Unknown device type", exception.First.Text);
        Assert.Contains("Unknown device type", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_exception_says_which_byte_the_kernel_objects_to()
    {
        using var batch = new NetlinkWriter();
        using (batch.Message(RTM_NEWLINK, NetlinkFlags.Create))
        {
            batch.Structure(new LinkHeader());
            batch.Bytes(IFLA_IFNAME, "a name that is far too long\0"u8);
        }

        var error = Assert.Single(_socket.TryExecute(batch));

        Assert.Equal(Errno.ERANGE, error.Errno);
        Assert.Equal(32, error.OffsetBytes);
    }

    [Fact]
    public void Answers_of_gets_in_a_batch_are_told_apart()
    {
        using var batch = new NetlinkWriter();
        WriteBridge(batch, "a");
        foreach (var name in new[] { "a", "lo", "missing" })
        {
            using (batch.Message(RTM_GETLINK))
            {
                batch.Structure(new LinkHeader());
                batch.Text(IFLA_IFNAME, name);
            }
        }
        var answers = new List<(int, string?)>();

        var errors = _socket.TryExecute(batch, (message, index) => answers.Add((index, NameOf(message))));

        Assert.Equal([(1, "a"), (2, "lo")], answers);
        Assert.Equal((3, Errno.ENODEV), (Assert.Single(errors).Index, errors[0].Errno));
    }

    [Fact]
    public void A_batch_that_does_not_fit_is_a_typed_error_and_nothing_is_done()
    {
        using var small = _inside.OpenNetlink(NetlinkFamily.Route, sendBufferBytes: 8192);
        using var batch = new NetlinkWriter();
        for (var i = 0; batch.LengthBytes <= small.MaxBatchBytes; i++)
        {
            WriteBridge(batch, $"br{i}");
        }

        var exception = Assert.Throws<NetlinkBatchTooLargeException>(() => small.Execute(batch));

        Assert.Equal(batch.LengthBytes, exception.BatchBytes);
        Assert.Single(LinkNames(_socket));
    }

    [Fact]
    public void The_longest_batch_that_is_promised_is_taken()
    {
        using var small = _inside.OpenNetlink(NetlinkFamily.Route, sendBufferBytes: 8192);
        using var batch = new NetlinkWriter();
        WriteBridge(batch, "a");
        var one = batch.LengthBytes;
        for (var i = 0; batch.LengthBytes + one <= small.MaxBatchBytes; i++)
        {
            WriteBridge(batch, "a");
        }

        Assert.Equal(batch.MessageCount - 1, small.TryExecute(batch).Count);
    }

    [Fact]
    public void Sockets_of_one_namespace_have_different_ports()
    {
        using var other = _inside.OpenNetlink(NetlinkFamily.Route);

        Assert.NotEqual(0u, _socket.PortId);
        Assert.NotEqual(_socket.PortId, other.PortId);
    }

    [Fact]
    public void A_refused_dump_throws()
    {
        using var request = new NetlinkWriter();
        using (request.Message(RTM_GETLINK, NetlinkFlags.Dump))
        {
            request.Structure(new LinkHeader { Index = 7 }); // strict checking: a dump takes no index
        }

        Assert.Equal(Errno.EINVAL, Assert.Throws<NetlinkException>(() => _socket.Dump(request, NameOf)).Errno);
    }

    [Theory]
    [InlineData(NetlinkFamily.Netfilter)]
    [InlineData(NetlinkFamily.SocketDiagnosis)]
    [InlineData(NetlinkFamily.Generic)]
    public void Every_family_opens(NetlinkFamily family)
    {
        using var socket = _inside.OpenNetlink(family);

        Assert.Equal(family, socket.Family);
    }

    // nfnetlink frames: a batch whose third message is refused leaves nothing behind and names that message.
    [Fact]
    public void A_framed_netfilter_batch_attributes_its_error()
    {
        using var socket = _inside.OpenNetlink(NetlinkFamily.Netfilter);
        using var batch = new NetlinkWriter();
        Frame(batch, type: 0x10);
        Table(batch, "one");
        Chain(batch, "missing", "chain");
        Table(batch, "two");
        Frame(batch, type: 0x11);

        var error = Assert.Single(socket.TryExecute(batch, acknowledged: 3));

        Assert.Equal((2, Errno.ENOENT), (error.Index, error.Errno));
    }

    [Fact]
    public void A_framed_netfilter_batch_is_done_and_acknowledged()
    {
        using var socket = _inside.OpenNetlink(NetlinkFamily.Netfilter);
        using var batch = new NetlinkWriter();
        Frame(batch, type: 0x10);
        Table(batch, "one");
        Chain(batch, "one", "chain");
        Frame(batch, type: 0x11);

        Assert.Empty(socket.TryExecute(batch, acknowledged: 2));
    }

    private static void Frame(NetlinkWriter batch, ushort type)
    {
        using (batch.Message(type))
        {
            batch.Structure(0x0a00_0000); // struct nfgenmsg: res_id 10 (nf_tables), big-endian
        }
    }

    private static void Table(NetlinkWriter batch, string name)
    {
        using (batch.Message(0x0a00, NetlinkFlags.Create))
        {
            batch.Structure(1); // NFPROTO_INET
            batch.Text(1, name);
        }
    }

    private static void Chain(NetlinkWriter batch, string table, string name)
    {
        using (batch.Message(0x0a03, NetlinkFlags.Create))
        {
            batch.Structure(1);
            batch.Text(1, table);
            batch.Text(3, name);
        }
    }
}
