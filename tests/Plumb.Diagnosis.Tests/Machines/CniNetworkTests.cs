namespace Plumb.Diagnosis.Tests.Machines;

/// <summary>Networks that the reference CNI plugins themselves have made: where packets go there, compared with what really happens.</summary>
public sealed class CniNetworkTests
{
    private const string Wire = """
        cable node eth0 outside eth0
        on node ip addr add 192.0.2.1/24 dev eth0
        on outside ip addr add 192.0.2.2/24 dev eth0
        on node ip link set lo up
        """;

    private const string Published = """{"portMappings": [{"hostPort": 18080, "containerPort": 8080, "protocol": "tcp"}]}""";

    private static readonly string[] Hosts = ["node", "outside", "a", "b"];

    /// <summary>A name, what the plugins are told, and probes FROM>ADDRESS:PORT.</summary>
    public static TheoryData<string, string, string[]> Cases => new()
    {
        {
            "bridge, host-local, portmap and firewall",
            Network("""{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true, "ipam": IPAM}""", Portmap, """{"type": "firewall", "backend": "iptables"}"""),
            ["a>10.22.0.3:8080", "a>10.22.0.3:81", "a>192.0.2.2:8080", "outside>192.0.2.1:18080", "a>192.0.2.1:18080", "b>192.0.2.1:18080", "node>192.0.2.1:18080", "node>10.22.0.2:8080", "a>10.22.0.1:8080", "node>127.0.0.1:18080"]
        },
        {
            "bridge without masquerading, with a limited rate",
            Network("""{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": IPAM}""", """{"type": "bandwidth", "ingressRate": 80000000, "ingressBurst": 80000000, "egressRate": 80000000, "egressBurst": 80000000}"""),
            ["a>10.22.0.3:8080", "a>192.0.2.2:8080", "node>10.22.0.2:81"]
        },
        {
            "ptp and portmap",
            Network("""{"type": "ptp", "ipMasq": true, "ipam": IPAM}""", Portmap),
            ["a>10.22.0.3:8080", "b>10.22.0.2:81", "node>10.22.0.2:8080", "a>10.22.0.1:8080", "a>192.0.2.2:8080", "outside>192.0.2.1:18080", "a>192.0.2.1:18080"]
        },
        {
            "macvlan",
            Network("""{"type": "macvlan", "master": "eth0", "mode": "bridge", "ipam": {"type": "host-local", "dataDir": "DATA", "ranges": [[{"subnet": "192.0.2.0/24", "rangeStart": "192.0.2.52", "gateway": "192.0.2.1"}]]}}"""),
            ["a>192.0.2.53:8080", "a>192.0.2.53:81", "a>192.0.2.2:8080", "outside>192.0.2.52:8080", "outside>192.0.2.1:8080"]
        },
    };

    private static string Portmap => """{"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}""";

    [Theory, MemberData(nameof(Cases))]
    public async Task A_trace_says_what_a_connection_finds(string name, string network, string[] probes)
    {
        using var layout = Open(network);
        var trouble = await ForeignLayoutTests.DisagreementsAsync(layout, probes);
        Assert.True(trouble.Count == 0, $"{name}\n{string.Join('\n', trouble)}");
    }

    [Theory, MemberData(nameof(Cases))]
    public void Nothing_that_the_plugins_have_made_is_unexplained(string name, string network, string[] probes)
    {
        Assert.NotEmpty(probes);
        using var layout = Open(network);
        Assert.Empty(ForeignLayoutTests.Unexplained(layout, Hosts).Select(one => $"{name}: {one}"));
    }

    private static ForeignLayout Open(string network)
    {
        var layout = new ForeignLayout(Wire, Hosts, ["a", "b"]);
        try
        {
            CniPlugins.Attach(layout, "node", "a", network);
            CniPlugins.Attach(layout, "node", "b", network, Published);
            return layout;
        }
        catch
        {
            layout.Dispose();
            throw;
        }
    }

    private static string Network(params string[] plugins) => $$"""{"cniVersion": "1.0.0", "name": "net", "plugins": [{{string.Join(", ", plugins)}}]}""".Replace(
        "IPAM",
        """{"type": "host-local", "dataDir": "DATA", "ranges": [[{"subnet": "10.22.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}""",
        StringComparison.Ordinal);
}
