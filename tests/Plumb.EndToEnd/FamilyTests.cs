using System.Net;
using System.Net.Sockets;

namespace Plumb.EndToEnd;

/// <summary>Whole labs of each choice of address families, over each overlay: every packet that a person would send, in each family that there is.</summary>
public sealed class FamilyTests
{
    private const string Manifests = Pods.Client +
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: near, labels: {app: web}}
        spec: {nodeName: node-1, containers: [{name: main, image: httpd, ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: far, labels: {app: web}}
        spec: {nodeName: node-2, containers: [{name: main, image: httpd, ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {type: NodePort, ipFamilyPolicy: PreferDualStack, selector: {app: web}, ports: [{name: http, port: 80, nodePort: 31200}]}
        """;

    [Theory]
    [InlineData("ipv4", "vxlan", "nftables")]
    [InlineData("ipv6", "vxlan", "nftables")]
    [InlineData("dual", "vxlan", "nftables")]
    [InlineData("ipv6", "routed", "nftables")]
    [InlineData("dual", "routed", "nftables")]
    [InlineData("dual", "vxlan", "iptables")]
    public async Task Pods_Services_names_and_node_ports_answer_in_every_family_of_the_cluster(string families, string overlay, string services)
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Manifests, "--ip-family", families, "--overlay", overlay, "--services", services, "--nodes", "2");

        await AddressesAreToldAsync(lab, families);
        foreach (var pod in (string[])["near", "far"])
        {
            foreach (var address in await AddressesAsync(lab, pod))
            {
                // The pod's own address arrives: nothing translates on the way.
                Assert.Equal(await OfSameFamilyAsync(lab, "client", address), (await CurlAsync(lab, $"http://{InUrl(address)}/clientip")).Address);
            }
        }
        await ServiceAnswersAsync(lab, families);
        foreach (var node in (string[])["node-1", "node-2"])
        {
            Assert.EndsWith("0 unexplained", (await lab.PlumbAsync("explain", "--all", "--node", node)).Succeeds().Output.TrimEnd(), StringComparison.Ordinal);
            // An address that is looked for elsewhere first (DAD) would be of no use for a second.
            Assert.DoesNotContain("tentative", (await lab.ShellAsync(node, "ip", "-6", "addr")).Succeeds().Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--ip-family dual --pod-cidr 10.96.0.0/16", "10.96.0.0/16")]
    [InlineData("--ip-family dual --pod-cidr fd00:10:96::/64", "fd00:10:96::/112")]
    [InlineData("--ip-family ipv6 --pod-cidr fd00:1::/64", "/62")]
    [InlineData("--ip-family ipv6 --pod-cidr 10.1.0.0/16", "--ip-family dual")]
    [InlineData("--service-cidr fd00:10:96::/112", "--ip-family dual")]
    [InlineData("--ip-family dual --pod-cidr fd00:1::/56,fd00:2::/56", "one family")]
    [InlineData("--ip-family both", "ipv4, dual, ipv6")]
    public async Task Families_and_ranges_that_do_not_go_together_are_refused_in_one_line(string options, string says)
    {
        await using var user = new LabUser();
        var refused = await user.PlumbAsync(["up", "--detach", .. options.Split(' ')]);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains(says, refused.Error.Split('\n')[0], StringComparison.Ordinal);
    }

    private static async Task AddressesAreToldAsync(RunningLab lab, string families)
    {
        var expected = families switch { "ipv4" => "192.168.1.11", "ipv6" => "fd00:192:168:1::11", _ => "192.168.1.11 fd00:192:168:1::11" };
        Assert.Equal(expected, await lab.GetAsync("node", "node-1", "-o", "jsonpath={.status.addresses[?(@.type=='InternalIP')].address}"));
        Assert.Equal(expected, await lab.GetAsync("pod", "client", "-o", "jsonpath={.status.hostIPs[*].ip}"));
        var servers = families switch { "ipv4" => "10.96.0.10", "ipv6" => "fd00:10:96::a", _ => "10.96.0.10 fd00:10:96::a" };
        Assert.Equal(servers, await lab.GetAsync("service", "kube-dns", "-n", "kube-system", "-o", "jsonpath={.spec.clusterIPs[*]}"));
        var resolver = (await lab.KubectlAsync("exec", "client", "--", "cat", "/etc/resolv.conf")).Succeeds().Lines;
        Assert.Equal(servers.Split(' ').Select(static server => $"nameserver {server}"), resolver.Where(static line => line.StartsWith("nameserver", StringComparison.Ordinal)));
        foreach (var address in await AddressesAsync(lab, "client"))
        {
            Assert.Contains($"{address}\tclient", (await lab.KubectlAsync("exec", "client", "--", "cat", "/etc/hosts")).Succeeds().Output, StringComparison.Ordinal);
        }
    }

    private static async Task ServiceAnswersAsync(RunningLab lab, string families)
    {
        foreach (var (family, option, type, node) in ((string, string, string, string)[])[("ipv4", "-4", "A", "192.168.1.12"), ("ipv6", "-6", "AAAA", "[fd00:192:168:1::12]")])
        {
            var names = (await lab.KubectlAsync("exec", "client", "--", "dig", "+short", "+time=5", "web.default.svc.cluster.local", type)).Succeeds().Lines;
            var addresses = (await lab.GetAsync("service", "web", "-o", "jsonpath={.spec.clusterIPs[*]}")).Split(' ');
            if (families != "dual" && families != family)
            {
                Assert.Empty(names);
                const int NotFound = 2;
                Assert.Equal(NotFound, (await lab.KubectlAsync("exec", "client", "--", "getent", family == "ipv6" ? "ahostsv6" : "ahostsv4", "web")).ExitCode);
                continue;
            }
            // Pods are Ready a moment before every node knows it.
            var answer = await CurlAsync(lab, "http://web/hostname", option, "--retry", "100", "--retry-connrefused", "--retry-delay", "1", "--retry-max-time", "20");
            Assert.Equal(addresses.Where(address => address.Contains(':') == (family == "ipv6")), names);
            Assert.Contains(answer.Result.Output, (string[])["near", "far"]);
            var servers = await lab.GetAsync("service", "kube-dns", "-n", "kube-system", "-o", "jsonpath={.spec.clusterIPs[*]}");
            foreach (var server in servers.Split(' '))
            {
                Assert.Equal(names, (await lab.KubectlAsync("exec", "client", "--", "dig", $"@{server}", "+tcp", "+short", "+time=5", "web.default.svc.cluster.local", type)).Succeeds().Lines);
            }
            Assert.Contains(
                (await lab.ShellAsync("outside", "curl", "-s", "-g", "--max-time", "20", $"http://{node}:31200/hostname")).Succeeds().Output, (string[])["near", "far"]);
            Assert.Contains(
                (await lab.ShellAsync("node-1", "curl", "-s", "-g", "--max-time", "20", $"http://{InUrl(names[0])}/hostname")).Succeeds().Output, (string[])["near", "far"]);
        }
    }

    private static async Task<(CommandResult Result, string Address)> CurlAsync(RunningLab lab, string url, params string[] options)
    {
        var result = await lab.KubectlAsync(["exec", "client", "--", "curl", "-s", "-g", "--max-time", "20", .. options, url]);
        return (result, IPEndPoint.TryParse(result.Output, out var client) ? client.Address.ToString() : result.ToString());
    }

    private static async Task<string[]> AddressesAsync(RunningLab lab, string pod) => (await lab.GetAsync("pod", pod, "-o", "jsonpath={.status.podIPs[*].ip}")).Split(' ');

    private static async Task<string> OfSameFamilyAsync(RunningLab lab, string pod, string address) =>
        Assert.Single(await AddressesAsync(lab, pod), own => IPAddress.Parse(own).AddressFamily == IPAddress.Parse(address).AddressFamily);

    private static string InUrl(string address) => IPAddress.Parse(address).AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address;
}
