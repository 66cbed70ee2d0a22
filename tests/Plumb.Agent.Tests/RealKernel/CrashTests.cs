using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Facts;

namespace Plumb.Agent.Tests.RealKernel;

public sealed class CrashTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_agent_cut_at_any_write_is_followed_by_one_that_comes_to_the_same_kernel_and_connections_live()
    {
        var (uncut, writes) = await LiveAsync(int.MaxValue);
        Assert.True(writes > 10, $"only {writes} writes pass the seam");
        Assert.Contains(uncut, static line => line.Contains("link plumb-vxlan", StringComparison.Ordinal));
        for (var cut = 0; cut < writes; cut++)
        {
            var (state, _) = await LiveAsync(cut);
            Assert.True(uncut.SequenceEqual(state), $"cut before write {cut + 1}:\n{Difference(uncut, state)}");
        }
    }

    /// <summary>
    /// While no agent is there, somebody removes the tunnel. The agent that may be cut finds that; two pods come and one goes. Whatever was not
    /// answered is asked again of an agent that is not cut.
    /// </summary>
    private static async Task<(IReadOnlyList<string> State, int Writes)> LiveAsync(int passes)
    {
        await using var machines = await Machines.StartAsync(OverlayKind.Vxlan);
        var client = await machines.AddAsync(1, "client");
        var server = await machines.AddAsync(2, "server");
        using var listener = server.Inside.ListenTcp(new IPEndPoint(server.Address, 80));
        using var connection = await client.Inside.ConnectTcpAsync(new IPEndPoint(server.Address, 80), Cancel);
        using var accepted = await listener.AcceptAsync(Cancel);
        await EchoAsync(connection, accepted);

        await machines.StopAgentAsync(1);
        using var eye = new Kernels();
        foreach (var (name, network) in new[] { ("node-1", machines.Nodes[1]), ("client", client.Inside), ("a", machines.MakeContainer("a")), ("b", machines.MakeContainer("b")) })
        {
            eye.Add(new NamespaceId(name), NetworkNamespace.Open(network.ProcPath));
        }
        eye.Apply([new DeltaItem(null, eye.Observe([new NamespaceId("node-1")]).Entries[new EntryKey(new NamespaceId("node-1"), EntryKind.Link, Devices.Vxlan)].Entry)]);

        var seam = new CuttingSeam(passes);
        (string Verb, string Container)[] calls = [("ADD", "a"), ("ADD", "b"), ("DEL", "a")];
        var done = 0;
        try
        {
            await machines.StartAgentAsync(1, seam);
            while (done < calls.Length && await machines.TryAsync(1, calls[done].Verb, calls[done].Container, AddressOf(calls[done].Container)))
            {
                done++;
            }
        }
        catch (Exception exception) when (exception is CutException or OperationCanceledException)
        {
            // This is where the process ended.
        }
        await machines.StopAgentAsync(1);
        await machines.StartAgentAsync(1);
        for (; done < calls.Length; done++)
        {
            // As a runtime does: what may be half made is ended first.
            Assert.True(await machines.TryAsync(1, "DEL", calls[done].Container));
            Assert.True(await machines.TryAsync(1, calls[done].Verb, calls[done].Container, AddressOf(calls[done].Container)), $"{calls[done]} after a cut at {passes}");
        }
        await EchoAsync(connection, accepted);
        await EchoAsync(accepted, connection);
        return (Print(eye), seam.Seen);
    }

    // Asked for: one that is given back would rest, and a second try get another.
    private static string AddressOf(string container) => $"10.244.1.{container[0] - 'a' + 3}";

    private static List<string> Print(Kernels eye)
    {
        var node = new NamespaceId("node-1");
        EntryKey[] parameters =
        [
            new(node, EntryKind.Sysctl, "net/ipv4/ip_forward"),
            new(node, EntryKind.Sysctl, $"net/ipv4/conf/{Devices.Vxlan}/rp_filter"),
            new(node, EntryKind.Sysctl, $"net/ipv4/conf/{Devices.Bridge}/send_redirects"),
        ];
        var observed = eye.Observe([node, new NamespaceId("client"), new NamespaceId("a"), new NamespaceId("b")], kinds: null, parameters);
        return
        [
            .. observed.Entries.Values
                .Where(static holds => holds.Owner == Owner.Plumb || holds.Entry.Kind == EntryKind.Sysctl)
                .Select(holds => $"{WithoutChance(holds.Entry, node)} {holds.Stamp}")
                .Order(StringComparer.Ordinal),
        ];
    }

    // The kernel makes up the hardware address of a pair's end on the node.
    private static Entry WithoutChance(Entry entry, NamespaceId node) =>
        entry is LinkEntry { Type: LinkType.Veth } link && link.Namespace == node ? link with { Mac = null } : entry;

    private static async Task EchoAsync(Socket one, Socket other)
    {
        var sent = new byte[] { 1, 2, 3 };
        var received = new byte[3];
        await one.SendAsync(sent, Cancel);
        await other.ReceiveAsync(received, Cancel);
        Assert.Equal(sent, received);
    }

    private static string Difference(IReadOnlyList<string> expected, IReadOnlyList<string> actual) =>
        string.Join('\n', expected.Except(actual).Select(line => "- " + line).Concat(actual.Except(expected).Select(line => "+ " + line)));
}
