namespace Plumb.EndToEnd.Diagnosis;

/// <summary>One request seen at every place that it passes, as tshark reads it from the file.</summary>
public sealed class CaptureTests
{
    private const string Manifests =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: client}
        spec: {nodeName: node-1, containers: [{name: main, image: none, command: [sleep, infinity]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: web}}
        spec: {nodeName: node-2, containers: [{name: main, image: agnhost, args: [netexec]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: website}
        spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_to_a_Service_is_in_one_file_from_the_client_to_the_server_with_names_and_rewrites()
    {
        await using var user = new LabUser();
        var manifests = Path.Combine(user.RuntimeDirectory, "web.yaml");
        await File.WriteAllTextAsync(manifests, Manifests, Cancel);
        var lab = await user.UpAsync("--nodes", "2", "--dns-upstream", "none", "-f", manifests);
        var address = await lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}");
        var (client, web) = (await lab.GetAsync("pod", "client", "-o", "jsonpath={.status.podIP}"), await lab.GetAsync("pod", "web", "-o", "jsonpath={.status.podIP}"));
        var file = Path.Combine(user.RuntimeDirectory, "f.pcapng");

        using (var capture = Commands.Start(user.Environment, Commands.Plumb, "capture", "client", "website", "--count", "9", "-w", file, "--", "tcp", "dst", "port", "80", "or", "tcp", "dst", "port", "8080"))
        {
            // It says so when it listens.
            Assert.Contains("capturing in", await capture.StandardError.ReadLineAsync(Cancel), StringComparison.Ordinal);
            (await lab.KubectlAsync("exec", "client", "--", "curl", "-s", "--retry", "20", "--retry-connrefused", "--max-time", "20", $"http://{address}/hostname")).Succeeds();
            Assert.Contains("9 frames in", await capture.StandardError.ReadToEndAsync(Cancel), StringComparison.Ordinal);
            await capture.WaitForExitAsync(Cancel);
            Assert.Equal(0, capture.ExitCode);
        }

        var frames = (await Commands.RunAsync(
            user.Environment, null, "tshark", "-r", file, "-d", "udp.port==8472,vxlan", "-T", "fields", "-e", "frame.interface_name", "-e", "tcp.flags.str", "-e", "frame.comment", "-E", "occurrence=l")).Succeeds().Lines
            .Select(static line => line.Split('\t')).ToList();
        // The first segment, at each place on its way; the wire's bridge may show it to nobody else, as there are only two nodes.
        Assert.Equal(
            ["client/eth0", "node-1/veth", "node-1/cni0", "node-1/plumb-vxlan", "node-1/eth0", "node-2/eth0", "node-2/plumb-vxlan", "node-2/cni0", "node-2/veth"],
            frames.Select(static frame => frame[0].Contains("/veth", StringComparison.Ordinal) ? frame[0][..(frame[0].IndexOf('/', StringComparison.Ordinal) + 5)] : frame[0]));
        Assert.All(frames, static frame => Assert.Contains('S', frame[1]));
        Assert.Equal($"since node-1/cni0: destination {address}:80 → {web}:8080", frames[3][2]);
        Assert.Equal("client → website.default.svc", frames[0][2]);
        Assert.Equal("client → web", frames[8][2]);
        Assert.NotEqual(client, web);

        Assert.Equal(2, (await lab.PlumbAsync("capture", "client", "-w", file)).ExitCode);
        Assert.Contains("website?", (await lab.PlumbAsync("capture", "client", "websit")).Error, StringComparison.Ordinal);
        var wrong = await lab.PlumbAsync("capture", "--", "port http and and");
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("'port http and and'", wrong.Error, StringComparison.Ordinal);
    }
}
