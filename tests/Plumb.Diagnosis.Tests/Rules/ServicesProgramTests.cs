using System.Text;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Kubernetes.Manifests;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>What the rules that Plumb plans for Services do to packets, by running them.</summary>
public sealed class ServicesProgramTests
{
    private static readonly NamespaceId _node = new("node-1");
    private static readonly IpAddress _client = IpAddress.V4(10, 244, 1, 2);
    private static readonly IpAddress _website = IpAddress.V4(10, 96, 14, 7);

    [Fact]
    public void Three_endpoints_are_three_outcomes_each_as_likely_as_the_others()
    {
        var outcomes = ComeIn(Plan(), Syn(_client, _website, 80));
        Assert.Equal(
            ["10.244.1.3:8080", "10.244.2.2:8080", "10.244.2.3:8080"],
            outcomes.Select(static outcome => $"{outcome.Packet.Destination}:{outcome.Packet.DestinationPort}").Order(StringComparer.Ordinal));
        Assert.All(outcomes, static outcome =>
        {
            Assert.Equal(1.0 / 3, outcome.Probability, 9);
            Assert.Equal(Decision.Accept, outcome.Decision);
            Assert.True(outcome.Connection!.DestinationTranslated);
            Assert.Equal("plumb:Service default/website spec.ports[0]", outcome.Steps.Select(static step => step.Stamp?.Text).First(static stamp => stamp is not null));
            var last = outcome.Steps[^1];
            Assert.Equal($"dnat to {outcome.Packet.Destination}:8080", last.What);
            Assert.Equal(1.0 / 3, last.Chance, 9);
            Assert.Contains("backends", last.Element?.Name, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("10.96.14.9", 80, Packet.Tcp, true)] // a Service without endpoints
    [InlineData("10.96.14.7", 81, Packet.Tcp, true)] // no port of it
    [InlineData("10.96.14.7", 81, Packet.Udp, false)]
    [InlineData("10.96.99.99", 80, Packet.Tcp, true)]
    public void What_leads_nowhere_is_refused(string to, int port, byte protocol, bool byReset)
    {
        var packet = Syn(_client, IpAddress.Parse(to), (ushort)port) with { Protocol = protocol };
        var programs = Plan();
        var come = Assert.Single(ComeIn(programs, packet));
        var refused = come.Decision == Decision.Reject ? come : Assert.Single(Hooks.Run(programs, come.Packet, come.Connection, Place(ChainHook.Forward, "cni0", "eth0")));
        Assert.Equal(Decision.Reject, refused.Decision);
        Assert.Equal(new RejectAnswer(byReset, byReset ? null : new IcmpKind(3, 3)), refused.Answer);
    }

    [Fact]
    public void A_client_that_has_affinity_and_is_not_known_yet_may_go_anywhere()
    {
        var outcomes = ComeIn(Plan(), Syn(_client, IpAddress.V4(10, 96, 14, 8), 80));
        Assert.Equal(["10.244.1.3", "10.244.2.2"], outcomes.Select(static outcome => outcome.Packet.Destination.ToString()).Order(StringComparer.Ordinal));
        Assert.All(outcomes, static outcome => Assert.Equal(0.5, outcome.Probability, 9));
    }

    [Fact]
    public void From_outside_a_node_port_of_policy_Local_leads_to_this_node_s_endpoint_and_keeps_the_client_s_address()
    {
        var outside = IpAddress.V4(192, 168, 1, 100);
        var programs = Plan();
        var come = Assert.Single(Hooks.Run(programs, Syn(outside, IpAddress.V4(192, 168, 1, 11), 31101), null, Place(ChainHook.Prerouting, "eth0", null)));
        Assert.Equal("10.244.1.3", come.Packet.Destination.ToString());
        var gone = Assert.Single(Hooks.Run(programs, come.Packet, come.Connection, Place(ChainHook.Postrouting, "eth0", "cni0")));
        Assert.Equal(outside, gone.Packet.Source);
        Assert.False(gone.Connection!.SourceTranslated);
    }

    [Fact]
    public void From_outside_a_node_port_for_the_whole_cluster_is_answered_by_way_of_the_node()
    {
        var programs = Plan();
        var outside = Syn(IpAddress.V4(192, 168, 1, 100), IpAddress.V4(192, 168, 1, 11), 31100);
        var far = Hooks.Run(programs, outside, null, Place(ChainHook.Prerouting, "eth0", null)).Single(static come => come.Packet.Destination == IpAddress.V4(10, 244, 2, 2));
        var gone = Assert.Single(Hooks.Run(programs, far.Packet, far.Connection, Place(ChainHook.Postrouting, "eth0", "eth0")));
        Assert.Equal("192.168.1.11", gone.Packet.Source.ToString());
        Assert.True(gone.Connection!.HasRandomSourcePort);
    }

    [Fact]
    public void A_pod_that_reaches_itself_sees_its_node_as_the_client()
    {
        var programs = Plan();
        var itself = IpAddress.V4(10, 244, 1, 3);
        var come = ComeIn(programs, Syn(itself, _website, 80)).Single(outcome => outcome.Packet.Destination == itself);
        var gone = Assert.Single(Hooks.Run(programs, come.Packet, come.Connection, Place(ChainHook.Postrouting, "cni0", "cni0")));
        Assert.Equal("10.244.1.1", gone.Packet.Source.ToString());
        Assert.Contains(gone.Steps, static step => step.Text.Contains("@hairpin", StringComparison.Ordinal) && step.What.StartsWith("masquerade as 10.244.1.1", StringComparison.Ordinal));
    }

    [Fact]
    public void A_pod_of_this_node_keeps_its_address_on_the_way_to_another()
    {
        var programs = Plan();
        var come = ComeIn(programs, Syn(_client, _website, 80))[0];
        var gone = Assert.Single(Hooks.Run(programs, come.Packet, come.Connection, Place(ChainHook.Postrouting, "cni0", "eth0")));
        Assert.Equal(_client, gone.Packet.Source);
    }

    private static List<HookOutcome> ComeIn(HookPrograms programs, Packet packet) => Hooks.Run(programs, packet, null, Place(ChainHook.Prerouting, "cni0", null));

    private static HookPlace Place(ChainHook hook, string? incoming, string? outgoing) => new(_node, hook, incoming, outgoing);

    private static Packet Syn(IpAddress from, IpAddress to, ushort port) => new(from, to, Packet.Tcp) { SourcePort = 40000, DestinationPort = port, Flags = TcpFlags.Syn };

    private static HookPrograms Plan()
    {
        var manifests = ManifestReader.Parse("objects", Encoding.UTF8.GetBytes(Objects)).Select(static manifest => manifest.Object);
        var plan = OfflinePlan.Make(manifests, "node-1", NetworkOptions.Default, new AssumedMachine());
        // A node is given its own address by whoever set up the machine.
        Desired wire = new(new AddressEntry(_node, "eth0", IpPrefix.Parse("192.168.1.11/24")));
        return new HookPrograms(plan.Desired.Entries.Values.Append(wire).Select(static desired => new Observed(desired.Entry, Owner.Plumb, desired.Stamp, new KernelFacts())), _node);
    }

    private const string Objects =
        """
        apiVersion: v1
        kind: Node
        metadata: {name: node-1}
        spec: {podCIDRs: [10.244.1.0/24]}
        status: {addresses: [{type: InternalIP, address: 192.168.1.11}]}
        ---
        apiVersion: v1
        kind: Node
        metadata: {name: node-2}
        spec: {podCIDRs: [10.244.2.0/24]}
        status: {addresses: [{type: InternalIP, address: 192.168.1.12}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: client, namespace: default}
        spec: {nodeName: node-1, containers: [{name: c}]}
        status: {podIP: 10.244.1.2, podIPs: [{ip: 10.244.1.2}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: near, namespace: default}
        spec: {nodeName: node-1, containers: [{name: c}]}
        status: {podIP: 10.244.1.3, podIPs: [{ip: 10.244.1.3}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: website, namespace: default}
        spec: {type: NodePort, clusterIP: 10.96.14.7, clusterIPs: [10.96.14.7], ports: [{port: 80, nodePort: 31100}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: website-x7k2p, namespace: default, labels: {kubernetes.io/service-name: website}}
        addressType: IPv4
        ports: [{port: 8080}]
        endpoints:
        - {addresses: [10.244.1.3], nodeName: node-1}
        - {addresses: [10.244.2.2], nodeName: node-2}
        - {addresses: [10.244.2.3], nodeName: node-2}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: shop, namespace: default}
        spec:
          type: NodePort
          externalTrafficPolicy: Local
          sessionAffinity: ClientIP
          clusterIP: 10.96.14.8
          clusterIPs: [10.96.14.8]
          ports: [{port: 80, nodePort: 31101}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: shop-x7k2p, namespace: default, labels: {kubernetes.io/service-name: shop}}
        addressType: IPv4
        ports: [{port: 8080}]
        endpoints:
        - {addresses: [10.244.1.3], nodeName: node-1}
        - {addresses: [10.244.2.2], nodeName: node-2}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: empty, namespace: default}
        spec: {clusterIP: 10.96.14.9, clusterIPs: [10.96.14.9], ports: [{port: 80}]}
        """;
}
