using System.Text.Json;

namespace Plumb.EndToEnd;

/// <summary>A lab with Services of each kind that has names, and clients of each place. Nobody outside is asked for anything.</summary>
public sealed class DnsLab : IAsyncLifetime
{
    private const string Manifests = Pods.Client +
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: host-client}
        spec: {nodeName: node-2, hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet, containers: [{name: main, image: busybox, command: [sleep, infinity]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: own-ways}
        spec:
          nodeName: node-3
          dnsPolicy: None
          dnsConfig: {nameservers: [10.96.0.10], searches: [svc.cluster.local], options: [{name: ndots, value: "2"}]}
          containers: [{name: main, image: busybox, command: [sleep, infinity]}]
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: kafka-0, labels: {app: kafka}}
        spec: {nodeName: node-2, hostname: kafka-0, subdomain: kafka, containers: [{name: main, image: nginx, ports: [{name: http, containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: website}}
        spec: {nodeName: node-3, containers: [{name: main, image: nginx, ports: [{name: http, containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: website}
        spec: {selector: {app: website}, ports: [{name: http, port: 80, targetPort: http}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: kafka}
        spec: {clusterIP: None, selector: {app: kafka}, ports: [{name: broker, port: 80}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: everybody}
        spec: {clusterIP: None}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: everybody, labels: {kubernetes.io/service-name: everybody}}
        addressType: IPv4
        endpoints: [{addresses: [192.0.2.1]}, {addresses: [192.0.2.2]}, {addresses: [192.0.2.3]}, {addresses: [192.0.2.4]}, {addresses: [192.0.2.5]}, {addresses: [192.0.2.6]}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: alias}
        spec: {type: ExternalName, externalName: website.default.svc.cluster.local}
        """;

    public LabUser User { get; } = new();

    public RunningLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Lab = await User.UpWithAsync(Manifests);

    public ValueTask DisposeAsync() => User.DisposeAsync();
}

/// <summary>Names in a lab, as clients use them.</summary>
public sealed class DnsTests(DnsLab fixture) : IClassFixture<DnsLab>
{
    private RunningLab Lab => fixture.Lab;

    [Theory]
    [InlineData("client", "website")]
    [InlineData("client", "website.default")]
    [InlineData("client", "website.default.svc.cluster.local")]
    [InlineData("client", "website.default.svc.cluster.local.")]
    [InlineData("client", "alias")]
    [InlineData("host-client", "website")]
    [InlineData("own-ways", "website.default")]
    public async Task A_pod_reaches_a_Service_by_its_name(string pod, string name)
    {
        var page = (await ExecAsync(pod, "curl", "-s", "--max-time", "20", $"http://{name}/")).Succeeds().Output;
        Assert.Contains("From pod web.", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dig_in_a_pod_finds_Services_endpoints_ports_and_names_of_addresses()
    {
        var address = await Lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}");
        var kafka = await Lab.GetAsync("pod", "kafka-0", "-o", "jsonpath={.status.podIP}");
        Assert.Equal(address, await DigAsync("client", "website.default.svc.cluster.local"));
        Assert.Equal(address, await DigAsync("host-client", "+tcp", "website.default.svc.cluster.local"));
        Assert.Equal(kafka, await DigAsync("client", "kafka.default.svc.cluster.local"));
        Assert.Equal(kafka, await DigAsync("client", "kafka-0.kafka.default.svc.cluster.local"));
        Assert.Equal("0 100 80 kafka-0.kafka.default.svc.cluster.local.", await DigAsync("client", "_broker._tcp.kafka.default.svc.cluster.local", "SRV"));
        Assert.Equal("website.default.svc.cluster.local.", await DigAsync("client", "-x", address));
        Assert.Equal("kafka-0.kafka.default.svc.cluster.local.", await DigAsync("client", "-x", kafka));
        Assert.Equal("10.96.0.10", await DigAsync("client", "kube-dns.kube-system.svc.cluster.local"));
        Assert.Equal("", await DigAsync("client", "nothing.default.svc.cluster.local"));
    }

    [Fact]
    public async Task Getent_finds_the_true_name_at_the_first_try()
    {
        var address = await Lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}");
        var said = (await ExecAsync("client", "getent", "ahostsv4", "website.default")).Succeeds().Output;
        Assert.StartsWith(address, said, StringComparison.Ordinal);
        Assert.Contains("website.default.svc.cluster.local", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_question_is_not_translated_and_does_not_leave_its_node()
    {
        var client = await Lab.GetAsync("pod", "client", "-o", "jsonpath={.status.podIP}");
        await DigAsync("client", "website.default.svc.cluster.local");
        var flows = (await Lab.ShellAsync("node-1", "conntrack", "-L", "-p", "udp", "--dport", "53")).Lines.Where(line => line.Contains($"src={client} dst=10.96.0.10", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(flows);
        Assert.All(flows, flow => Assert.Contains($"src=10.96.0.10 dst={client}", flow, StringComparison.Ordinal));
        Assert.Contains("inet 10.96.0.10/32 ", (await Lab.ShellAsync("node-1", "ip", "addr", "show", "dev", "lo")).Succeeds().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_but_the_nodes_has_the_address_on_the_wire()
    {
        // From outside, the wire's router has no route there, and no node answers for it.
        var asked = await Lab.ShellAsync("outside", "dig", "+time=1", "+tries=1", "+short", "@10.96.0.10", "website.default.svc.cluster.local");
        // dig's own code for "no reply from server".
        Assert.Equal(9, asked.ExitCode);
    }

    [Fact]
    public async Task A_new_Service_and_a_new_endpoint_have_names_at_once()
    {
        (await Lab.KubectlAsync("create", "service", "externalname", "late", "--external-name", "website.default.svc.cluster.local")).Succeeds();
        Assert.Equal(await DigAsync("client", "website.default.svc.cluster.local"), (await DigAsync("client", "late.default.svc.cluster.local")).Split('\n')[^1]);
        (await Lab.KubectlAsync("delete", "service", "late")).Succeeds();
        Assert.Equal("", await DigAsync("client", "late.default.svc.cluster.local"));
    }

    [Fact]
    public async Task Explain_tells_each_try_the_record_and_the_object()
    {
        var text = (await Lab.PlumbAsync("explain", "dns", "website.default", "--pod", "client")).Succeeds().Output;
        Assert.Contains("website.default.default.svc.cluster.local. 5 IN CNAME website.default.svc.cluster.local.", text, StringComparison.Ordinal);
        Assert.Contains("Service default/website", text, StringComparison.Ordinal);
        // Several answers are one set at the end of the way, not a way of their own.
        var nodes = (await Lab.PlumbAsync("explain", "dns", "everybody", "--pod", "client")).Succeeds().Lines[0];
        Assert.Matches("^everybody → (192\\.0\\.2\\.\\d, ){3}192\\.0\\.2\\.\\d and 2 more    EndpointSlice default/everybody$", nodes);
        var json = JsonElement.Parse((await Lab.PlumbAsync("explain", "dns", "kafka", "--pod", "default/client", "-o", "json")).Succeeds().Output);
        var record = json.GetProperty("tried")[0].GetProperty("records")[0];
        Assert.Equal(await Lab.GetAsync("pod", "kafka-0", "-o", "jsonpath={.status.podIP}"), record.GetProperty("data").GetString());
        Assert.StartsWith("EndpointSlice default/kafka-", record.GetProperty("cause").GetString(), StringComparison.Ordinal);
        Assert.EndsWith("Pod default/kafka-0", record.GetProperty("cause").GetString(), StringComparison.Ordinal);
        var missing = await Lab.PlumbAsync("explain", "dns", "nothing.default.svc.cluster.local.", "--pod", "client");
        Assert.Equal(1, missing.ExitCode);
        Assert.Contains("no Service nothing in namespace default", missing.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_of_it_is_unexplained()
    {
        Assert.EndsWith("0 unexplained", (await Lab.PlumbAsync("explain", "--all", "--node", "node-1")).Succeeds().Output.TrimEnd(), StringComparison.Ordinal);
    }

    private Task<CommandResult> ExecAsync(string pod, params string[] command) => Lab.KubectlAsync(["exec", pod, "--", .. command]);

    private async Task<string> DigAsync(string pod, params string[] arguments) =>
        (await ExecAsync(pod, ["dig", "+short", "+time=20", "+tries=1", .. arguments])).Succeeds().Output.Trim();
}
