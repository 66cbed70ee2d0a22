using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.EndToEnd.Cni;

/// <summary>Labs that are wired by the reference plugins (Debian's <c>containernetworking-plugins</c>), which nobody here wrote.</summary>
public sealed class ReferencePluginTests : IAsyncDisposable
{
    private const string Pods =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: client}
        spec: {nodeName: node-1, containers: [{name: main, image: busybox, command: [sleep, infinity]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: website, labels: {app: website}}
        spec: {nodeName: node-2, containers: [{name: main, image: httpd, ports: [{containerPort: 80, hostPort: 8080}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: website}
        spec: {selector: {app: website}, ports: [{port: 80}]}
        """;

    private readonly LabUser _user = new();

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task Bridge_host_local_and_portmap_connect_pods_Services_and_ports_of_the_node()
    {
        var lab = await UpAsync(
            """
            {"cniVersion": "1.0.0", "name": "lan", "plugins": [
              {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
               "ipam": {"type": "host-local", "ranges": [[{"subnet": "{{.PodCIDR}}"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
              {"type": "portmap", "capabilities": {"portMappings": true}}]}
            """);
        var address = await lab.GetAsync("pod", "website", "-o", "jsonpath={.status.podIP}");
        Assert.StartsWith("10.244.2.", address, StringComparison.Ordinal);
        // The plugin's own name for the node's end: the first 8 hexadecimal digits are not of the sandbox's id, as Plumb's are.
        Assert.Contains("cni0", (await lab.ShellAsync("node-2", "ip", "-o", "link", "show", "type", "veth")).Succeeds().Output, StringComparison.Ordinal);
        await AnswersAsync(lab, "client", $"http://{address}/");
        await AnswersAsync(lab, "client", $"http://{await lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}")}/");
        await AnswersAsync(lab, "outside", "http://192.168.1.12:8080/");

        var held = Path.Combine(_user.RuntimeDirectory, "plumb", "default", "node-2", "var-lib", "cni", "networks", "lan", address);
        Assert.True(File.Exists(held), "host-local keeps its leases in the node's own /var/lib");
        (await lab.KubectlAsync("delete", "pod", "website", "--timeout=60s")).Succeeds();
        Assert.False(File.Exists(held));
        Assert.DoesNotContain("8080", (await lab.ShellAsync("node-2", "iptables-save")).Succeeds().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ptp_connects_pods_across_nodes()
    {
        var lab = await UpAsync(
            """
            {"cniVersion": "0.4.0", "name": "lines", "type": "ptp", "ipMasq": true,
             "ipam": {"type": "host-local", "subnet": "{{.PodCIDR}}", "routes": [{"dst": "0.0.0.0/0"}]}}
            """,
            "10-lines.conf");
        await AnswersAsync(lab, "client", $"http://{await lab.GetAsync("pod", "website", "-o", "jsonpath={.status.podIP}")}/");
    }

    [Fact]
    public async Task Macvlan_puts_pods_on_the_nodes_wire()
    {
        var lab = await UpAsync(
            """
            {"cniVersion": "1.0.0", "name": "wire", "plugins": [
              {"type": "macvlan", "master": "eth0", "mode": "bridge", "ipam": {"type": "static", "addresses": [{"address": "192.168.1.77/24"}]}}]}
            """);
        // Both have one address, on one wire: one of them is enough to show whom it reaches.
        (await lab.KubectlAsync("delete", "pod", "client", "--timeout=60s")).Succeeds();
        await AnswersAsync(lab, "outside", "http://192.168.1.77/");
    }

    [Fact]
    public async Task A_chain_that_begins_with_Plumbs_own_goes_on_with_others()
    {
        var lab = await UpAsync(
            """
            {"cniVersion": "1.0.0", "name": "chain", "plugins": [
              {"type": "plumb"},
              {"type": "tuning", "sysctl": {"net.core.somaxconn": "77"}, "mac": "c2:11:22:33:44:55"},
              {"type": "portmap", "capabilities": {"portMappings": true}}]}
            """);
        Assert.Equal("77", (await lab.ShellAsync("client", "cat", "/proc/sys/net/core/somaxconn")).Succeeds().Output.Trim());
        await AnswersAsync(lab, "outside", "http://192.168.1.12:8080/");
        // What Plumb made of the pod is planned, though others were behind it in the chain; with the hardware address that one of them gave.
        var explained = JsonElement.Parse((await lab.PlumbAsync("explain", "pod/website", "-o", "json")).Succeeds().Output);
        var address = await lab.GetAsync("pod", "website", "-o", "jsonpath={.status.podIP}");
        Assert.Contains(
            explained.GetProperty("nodes").EnumerateArray().SelectMany(static node => node.GetProperty("entries").EnumerateArray()),
            entry => entry.GetProperty("standing").GetString() == "Planned" && entry.ToString().Contains($"neigh {address} dev cni0 lladdr c2:11:22:33:44:55", StringComparison.Ordinal));
        Assert.Contains("c2:11:22:33:44:55 PERMANENT", (await lab.ShellAsync("node-2", "ip", "neigh", "show", address)).Succeeds().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DEL_of_a_namespace_that_is_gone_succeeds_and_gives_the_address_back()
    {
        var lab = await UpAsync(
            """
            {"cniVersion": "1.0.0", "name": "lan", "plugins": [
              {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "{{.PodCIDR}}"}]]}}]}
            """);
        var cached = Assert.Single(Directory.EnumerateFiles(Path.Combine(_user.RuntimeDirectory, "plumb", "default", "node-2", "cni-results")));
        var input = JsonNode.Parse(await File.ReadAllTextAsync(cached, TestContext.Current.CancellationToken))!;
        var plugin = JsonNode.Parse(Convert.FromBase64String((string)input["config"]!))!["plugins"]![0]!;
        (plugin["cniVersion"], plugin["name"], plugin["prevResult"]) = ("1.0.0", "lan", input["result"]!.DeepClone());
        var address = await lab.GetAsync("pod", "website", "-o", "jsonpath={.status.podIP}");
        var held = Path.Combine(_user.RuntimeDirectory, "plumb", "default", "node-2", "var-lib", "cni", "networks", "lan", address);
        Assert.True(File.Exists(held));
        var script = $"mount --bind {Path.Combine(_user.RuntimeDirectory, "plumb", "default", "node-2", "var-lib")} /var/lib && CNI_COMMAND=DEL CNI_CONTAINERID={input["containerId"]} CNI_NETNS=/run/netns/gone CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni /usr/lib/cni/bridge <<'END'\n{plugin.ToJsonString()}\nEND";
        (await lab.ShellAsync("node-2", "unshare", "--mount", "sh", "-ec", script)).Succeeds();
        Assert.False(File.Exists(held));
        (await lab.KubectlAsync("delete", "pod", "website", "--timeout=60s")).Succeeds();
        Assert.False(File.Exists(cached));
    }

    private async Task<RunningLab> UpAsync(string configuration, string name = "10-net.conflist")
    {
        var path = Path.Combine(_user.RuntimeDirectory, name);
        await File.WriteAllTextAsync(path, configuration, TestContext.Current.CancellationToken);
        return await _user.UpWithAsync(Pods, "--nodes", "2", "--cni-conf", path);
    }

    private static async Task AnswersAsync(RunningLab lab, string from, string url) =>
        Assert.Equal("200", (await lab.ShellAsync(from, "curl", "-s", "-m", "20", "--retry", "5", "--retry-all-errors", "-o", "/dev/null", "-w", "%{http_code}", url)).Succeeds().Output);
}
