using Plumb.Diagnosis.Explain;
using Plumb.Diagnosis.Machines;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Machines;

/// <summary>Networks of others, found by /proc alone: who is there, whose everything is, and where packets go, compared with what really happens.</summary>
public sealed class ForeignLayoutTests
{
    private static readonly string[] NodeAndOutside = ["node", "outside", "a", "b"];
    private static readonly string[] TwoNodes = ["node", "other", "a", "b"];

    /// <summary>Script, hosts, and probes FROM>ADDRESS:PORT.</summary>
    public static TheoryData<string, string, string[], string[]> Cases => new()
    {
        {
            "bridge", Layouts.Bridge, NodeAndOutside,
            ["a>10.22.0.3:8080", "a>10.22.0.3:81", "a>10.22.0.1:8080", "a>192.0.2.2:8080", "b>192.0.2.2:8080", "outside>192.0.2.1:18080", "a>192.0.2.1:18080", "node>192.0.2.1:18080", "outside>10.22.0.3:8080"]
        },
        {
            "ptp", Layouts.Ptp, NodeAndOutside,
            ["a>10.20.0.3:8080", "b>10.20.0.2:81", "node>10.20.0.2:8080", "a>10.20.0.1:8080", "outside>10.20.0.3:8080", "a>192.0.2.2:8080", "a>10.20.0.77:80"]
        },
        {
            "docker", Layouts.Docker, NodeAndOutside,
            ["outside>192.0.2.1:18080", "outside>172.17.0.3:8080", "outside>172.17.0.2:8080", "a>172.17.0.3:8080", "a>192.0.2.2:8080", "a>192.0.2.1:18080", "node>192.0.2.1:18080", "node>127.0.0.1:18080"]
        },
        {
            "both variants of iptables", Layouts.BothVariants, NodeAndOutside,
            ["outside>192.0.2.1:18080", "a>192.0.2.2:8080", "b>192.0.2.2:8080", "node>172.17.0.3:8080"]
        },
        { "flannel", Layouts.Flannel, TwoNodes, ["a>10.244.2.2:8080", "b>10.244.1.2:8080", "a>10.244.2.2:81", "node>10.244.2.2:8080", "a>10.244.2.1:8080", "a>192.0.2.2:8080", "a>10.99.0.1:80"] },
        { "macvlan bridge", Layouts.Macvlan("bridge"), NodeAndOutside, ["a>192.0.2.12:8080", "a>192.0.2.12:81", "a>192.0.2.2:8080", "outside>192.0.2.11:8080", "a>192.0.2.1:8080", "node>192.0.2.11:8080", "outside>192.0.2.1:8080", "b>192.0.2.77:80"] },
        { "macvlan private", Layouts.Macvlan("private", reflects: true), NodeAndOutside, ["a>192.0.2.12:8080", "a>192.0.2.2:8080", "outside>192.0.2.12:8080", "a>192.0.2.1:8080"] },
        { "macvlan vepa", Layouts.Macvlan("vepa"), NodeAndOutside, ["a>192.0.2.12:8080", "a>192.0.2.2:8080", "outside>192.0.2.12:8080"] },
        { "macvlan vepa, and a switch that sends back", Layouts.Macvlan("vepa", reflects: true), NodeAndOutside, ["a>192.0.2.12:8080", "b>192.0.2.11:81", "a>192.0.2.2:8080", "a>192.0.2.1:8080", "node>192.0.2.12:8080"] },
        { "macvlan passthru", Layouts.Passthru, NodeAndOutside, ["a>192.0.2.2:8080", "outside>192.0.2.11:8080", "b>192.0.2.11:8080", "a>192.0.2.12:81", "outside>192.0.2.1:8080"] },
        { "macvlan on a bridge", Layouts.MacvlanOnBridge, NodeAndOutside, ["a>192.0.2.12:8080", "a>192.0.2.2:8080", "outside>192.0.2.11:8080", "node>192.0.2.12:8080", "b>192.0.2.1:8080"] },
        { "weave", Layouts.Weave, TwoNodes, ["a>10.32.0.12:8080", "b>10.32.0.11:8080", "a>10.32.0.12:81", "node>10.32.0.12:8080", "a>10.32.0.2:8080", "a>10.99.0.1:80"] },
    };

    [Theory, MemberData(nameof(Cases))]
    public async Task A_trace_says_what_a_connection_finds(string name, string script, string[] hosts, string[] probes)
    {
        using var layout = new ForeignLayout(script, hosts, ["a", "b"]);
        var trouble = await DisagreementsAsync(layout, probes);
        Assert.True(trouble.Count == 0, $"{name}\n{string.Join('\n', trouble)}");
    }

    [Theory, MemberData(nameof(Cases))]
    public void Nothing_that_these_tools_have_made_is_unexplained(string name, string script, string[] hosts, string[] probes)
    {
        Assert.NotEmpty(probes);
        using var layout = new ForeignLayout(script, hosts, ["a", "b"]);
        Assert.Empty(Unexplained(layout, hosts).Select(one => $"{name}: {one}"));
    }

    /// <summary>Where a connection and the walk over what the machine tells say different things.</summary>
    internal static async Task<List<string>> DisagreementsAsync(ForeignLayout layout, string[] probes)
    {
        var trouble = new List<string>();
        foreach (var probe in probes)
        {
            var (from, to, port) = Parse(probe);
            // After the connection: what it taught bridges and neighbours is known then, as in a network that is in use.
            var seen = await layout.ConnectAsync(from, to, port, TestContext.Current.CancellationToken);
            using var machine = Machine.Open(layout.CniFolder);
            var trace = new Walker(machine).Walk(
                new Packet(IpAddress.Unspecified(to.Family), to, Packet.Tcp) { SourcePort = 47_808, DestinationPort = port, Flags = TcpFlags.Syn },
                machine.Inhabited.Single(one => one.Held.Processes.Contains(layout.ProcessOf(from))).Id);
            var said = trace.Outcomes.Select(static outcome => outcome.Verdict switch { Verdict.Delivered => "answered", Verdict.Refused => "refused", Verdict.Lost => "silence", var other => other.ToString() }).Distinct().ToList();
            if (said is not [var only] || only != seen)
            {
                trouble.Add($"{probe}: {seen}, and the trace says {string.Join(" or ", trace.Outcomes.Select(static outcome => $"{outcome.Verdict}: {outcome.Reason}"))}");
            }
        }
        return trouble;
    }

    /// <summary>What of the hosts' state nobody can be named for.</summary>
    internal static IEnumerable<string> Unexplained(ForeignLayout layout, string[] hosts)
    {
        using var machine = Machine.Open(layout.CniFolder);
        var spaces = machine.Inhabited.Where(one => hosts.Any(host => one.Held.Processes.Contains(layout.ProcessOf(host)))).ToList();
        Assert.Equal(hosts.Length, spaces.Count);
        Assert.Equal(["shop/a", "shop/b"], spaces.Select(static one => one.Resident.FullName).Where(static full => full.Contains('/')).Order(StringComparer.Ordinal));
        var account = Account.Of(machine.Observe(spaces.Select(static one => one.Id).ToHashSet(), []), new Dictionary<EntryKey, PlannedReason>());
        // Cables between hosts, their addresses and what leads to them are an administrator's, as are rules that name a container by address: nobody has signed them.
        return [.. account.Where(static one => one.Standing == Standing.Unexplained && !one.Text.StartsWith("iptables-legacy", StringComparison.Ordinal)
            && !one.Text.Contains("eth0", StringComparison.Ordinal) && !one.Text.Contains("192.0.2.", StringComparison.Ordinal)).Select(static one => $"{one.Key}: {one.Text}")];
    }

    private static (string From, IpAddress To, ushort Port) Parse(string probe)
    {
        var (from, rest) = (probe[..probe.IndexOf('>')], probe[(probe.IndexOf('>') + 1)..]);
        var colon = rest.LastIndexOf(':');
        return (from, IpAddress.Parse(rest[..colon].Trim('[', ']')), ushort.Parse(rest[(colon + 1)..]));
    }
}
