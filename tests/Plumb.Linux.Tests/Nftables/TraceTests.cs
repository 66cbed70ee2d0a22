using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Tracing;

namespace Plumb.Linux.Tests.Nftables;

public sealed class TraceTests
{
    private const byte Udp = 17;

    private static readonly IpAddress Loopback = IpAddress.Parse("127.0.0.1");

    [Fact(Timeout = 60_000)]
    public async Task What_a_traced_packet_met_is_read_as_nft_reads_it()
    {
        using var space = new NftNamespace();
        await Witness.Shell(space.Namespace, "ip link set lo up");
        Assert.Equal("", space.Load(
            """
            table ip t {
                chain other { udp dport 7777 counter return; }
                chain out { type filter hook output priority 0; jump other; udp dport 7777 accept; }
                chain in { type filter hook input priority 0; policy drop; meta mark set 5; }
            }
            """));
        var token = "a token!"u8.ToArray();
        var sign = new PacketSign(Udp, [new HeaderTest(8, new Octets(token))]);
        using var table = TraceTable.Open(space.Namespace, NftNamespace.Id, IpFamily.V4, [sign]);
        using var monitor = Monitor(space.Namespace);
        using var socket = space.Namespace.OpenUdp(AddressFamily.InterNetwork);
        // nft says nothing of when it listens.
        var told = await UntilItTells(monitor, () =>
        {
            socket.SendTo("not it !"u8.ToArray(), new IPEndPoint(IPAddress.Loopback, 7777));
            socket.SendTo(token, new IPEndPoint(IPAddress.Loopback, 7777));
        });

        var events = new List<TraceEvent>();
        Assert.True(table.Drain(events.Add));
        var first = events[..(1 + events.FindIndex(static one => one is { Chain: "in", Kind: TraceKind.Policy }))];
        Assert.Equal(
            [
                ("first-output", TraceKind.Rule, Verdict.Continue), ("first-output", TraceKind.Policy, Verdict.Accept),
                ("out", TraceKind.Rule, Verdict.Jump("other")), ("other", TraceKind.Rule, Verdict.Return), ("out", TraceKind.Rule, Verdict.Accept),
                ("first-prerouting", TraceKind.Rule, Verdict.Continue), ("first-prerouting", TraceKind.Policy, Verdict.Accept),
                ("in", TraceKind.Rule, Verdict.Continue), ("in", TraceKind.Policy, Verdict.Drop),
            ],
            first.Select(static one => (one.Chain, one.Kind, one.Verdict)));
        Assert.Equal(5u, first[^1].Mark);
        Assert.Equal(1, first[5].InputIndex);
        Assert.Equal(1, first[0].OutputIndex);
        Assert.Equal(20, first[0].NetworkHeader.Length);
        Assert.Equal(7777, BinaryPrimitives.ReadUInt16BigEndian(first[2].TransportHeader.Span[2..]));
        // The witness: the same chains and verdicts in the same order.
        Assert.Contains("ip t out rule jump other (verdict jump other)", told, StringComparison.Ordinal);
        Assert.Contains("ip t other rule udp dport 7777 counter packets", told, StringComparison.Ordinal);
        Assert.Contains("ip t in policy drop", told, StringComparison.Ordinal);
        // Handles are those that nft shows.
        var listed = await Witness.Run(space.Namespace, "nft", "-a", "list", "chain", "ip", "t", "out");
        Assert.Contains($"udp dport 7777 accept # handle {first[4].Handle}", listed, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_answer_without_a_sign_is_traced_by_where_the_question_went()
    {
        using var space = new NftNamespace();
        await Witness.Shell(space.Namespace, "ip link set lo up");
        Assert.Equal("", space.Load("table ip t { chain pre { type filter hook output priority -350; accept; }; chain d { type nat hook output priority -100; udp dport 53 redirect to :7000; }; }"));
        var token = "question"u8.ToArray();
        using var table = TraceTable.Open(space.Namespace, NftNamespace.Id, IpFamily.V4, [new PacketSign(Udp, [new HeaderTest(8, new Octets(token))])], learnsAnswers: true);
        using var server = space.Namespace.OpenUdp(AddressFamily.InterNetwork);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 7000));
        using var client = space.Namespace.OpenUdp(AddressFamily.InterNetwork);
        client.SendTo(token, new IPEndPoint(IPAddress.Loopback, 53));
        var buffer = new byte[64];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        server.ReceiveFrom(buffer, ref from);
        server.SendTo("an answer that is nothing like it"u8.ToArray(), from);
        var length = client.ReceiveFrom(buffer, ref from);
        Assert.Equal(33, length);
        Assert.Equal(53, ((IPEndPoint)from).Port);

        var events = new List<TraceEvent>();
        table.Drain(events.Add);
        var sources = events.Where(static one => one.Chain == "pre" && one.TransportHeader.Length > 0).Select(static one => BinaryPrimitives.ReadUInt16BigEndian(one.TransportHeader.Span)).ToList();
        Assert.Equal(2, sources.Count);
        Assert.Equal(7000, sources[1]);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_table_goes_with_its_maker_and_nobody_else_may_touch_it()
    {
        using var space = new NftNamespace();
        var sign = new PacketSign(Udp, [new HeaderTest(4, Octets.From(1, 2, ByteOrder.Big), AnyOf: 6)]);
        using (var table = TraceTable.Open(space.Namespace, NftNamespace.Id, IpFamily.V6, [sign], learnsAnswers: true))
        {
            var listed = space.List();
            Assert.Contains($"table {table.Id} {{ # progname ", listed, StringComparison.Ordinal);
            Assert.Contains("flags owner", listed, StringComparison.Ordinal);
            Assert.NotEqual("", space.Load($"delete table {table.Id}"));
        }
        Assert.Equal("", (await Witness.Run(space.Namespace, "nft", "list", "ruleset")).Trim());
    }

    private static Process Monitor(NetworkNamespace inside) =>
        Process.Start(new ProcessStartInfo("nsenter", [$"--net={inside.ProcPath}", "stdbuf", "-oL", "nft", "monitor", "trace"]) { RedirectStandardOutput = true })!;

    private static async Task<string> UntilItTells(Process monitor, Action act)
    {
        var told = new System.Text.StringBuilder();
        Task<string?>? next = null;
        var silence = TimeSpan.FromMilliseconds(200);
        for (var hasBegun = false; ;)
        {
            if (!hasBegun)
            {
                act();
            }
            next ??= monitor.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
            if (await Task.WhenAny(next, Task.Delay(silence, TestContext.Current.CancellationToken)) == next)
            {
                hasBegun = true;
                told.AppendLine(await next);
                next = null;
                if (told.ToString().Contains("policy drop", StringComparison.Ordinal))
                {
                    monitor.Kill();
                    return told.ToString();
                }
            }
        }
    }
}
