using System.IO.Compression;

namespace Plumb.EndToEnd.Diagnosis;

/// <summary>What is said of a snapshot is what was said of the lab: under both back ends and both overlays.</summary>
public sealed class SnapshotTests
{
    private const string Objects = Pods.Client +
        """
        apiVersion: v1
        kind: Secret
        metadata: {name: token}
        stringData: {password: open-sesame}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: website}
        spec:
          replicas: 3
          selector: {matchLabels: {app: website}}
          template:
            metadata: {labels: {app: website}}
            spec: {containers: [{name: main, image: httpd, ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: website}
        spec: {type: NodePort, selector: {app: website}, ports: [{port: 80, nodePort: 31100}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: nobody}
        spec: {selector: {app: nobody}, ports: [{port: 80}]}
        """;

    [Theory]
    [InlineData("nftables", "vxlan")]
    [InlineData("nftables", "routed")]
    [InlineData("iptables", "vxlan")]
    [InlineData("iptables", "routed")]
    public async Task A_snapshot_says_what_the_lab_says(string services, string overlay)
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Objects, "--services", services, "--overlay", overlay);
        (await lab.ShellAsync("outside", "curl", "-s", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", "-o", "/dev/null", "http://192.168.1.12:31100/")).Succeeds();
        var file = Path.Combine(user.RuntimeDirectory, "net.plumb");

        (await lab.PlumbAsync("snapshot", "-o", file)).Succeeds();

        Assert.Equal(2, (await lab.PlumbAsync("snapshot", "-o", file)).ExitCode);
        Assert.DoesNotContain(user.Files, static left => Path.GetFileName(left).StartsWith(".net.plumb", StringComparison.Ordinal));
        foreach (var words in (string[][])
            [["trace", "client", "http://website"], ["trace", "client", "nobody:80"], ["trace", "outside", "192.168.1.12:31100"], ["trace", "client", "node-2", "--proto", "icmp"],
             ["explain", "service/website"], ["explain", "cni0"], ["explain", "dns", "website", "--pod", "client"]])
        {
            var live = await lab.PlumbAsync(words[0], [.. words[1..], "-o", "json"]);
            var later = await user.PlumbAsync([.. words, "-o", "json", "--from", file]);
            Assert.Equal((live.ExitCode, live.Error), (later.ExitCode, later.Error));
            Assert.Equal(live.Output, later.Output);
        }
        Assert.EndsWith("\n0 unexplained\n", (await user.PlumbAsync("explain", "--all", "--from", file)).Succeeds().Output, StringComparison.Ordinal);
        foreach (var node in (string[])["node-1", "node-2", "node-3"])
        {
            var plan = (await user.PlumbAsync("plan", "--from", file, "--node", node)).Succeeds();
            Assert.Contains("Service default/website", plan.Output, StringComparison.Ordinal);
        }
        await using var packed = File.OpenRead(file);
        using var unpacked = new StreamReader(new GZipStream(packed, CompressionMode.Decompress));
        var text = await unpacked.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Contains("\"token\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("open-sesame", text, StringComparison.Ordinal);
        Assert.DoesNotContain("b3Blbi1zZXNhbWU", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lab_is_made_of_a_snapshot_and_a_change_of_it_told_before_it_is_made()
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Objects, "--overlay", "routed");
        var file = Path.Combine(user.RuntimeDirectory, "net.plumb");
        (await lab.PlumbAsync("snapshot", "-o", file)).Succeeds();
        var address = await lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}");

        var again = await user.UpAsync("--name", "again", "--from", file, "--dns-upstream", "none");

        Assert.Equal(address, await again.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}"));
        Assert.Equal("node-1 node-2 node-3", await again.GetAsync("nodes", "-o", "jsonpath={.items[*].metadata.name}"));
        Assert.Equal(await lab.GetAsync("pod", "client", "-o", "jsonpath={.spec.nodeName}"), await again.GetAsync("pod", "client", "-o", "jsonpath={.spec.nodeName}"));
        (await again.ShellAsync("client", "curl", "-s", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", "-o", "/dev/null", $"http://{address}/")).Succeeds();

        var before = await again.PlumbAsync("whatif", "--delete", "service/website");
        Assert.Equal(1, before.ExitCode);
        Assert.Contains("Service default/website:80", before.Output, StringComparison.Ordinal);
        (await again.KubectlAsync("delete", "service", "website")).Succeeds();
        Assert.NotEqual(0, (await again.ShellAsync("client", "curl", "-s", "--max-time", "5", "-o", "/dev/null", $"http://{address}/")).ExitCode);
    }
}
