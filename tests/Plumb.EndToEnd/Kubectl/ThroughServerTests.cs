using System.Text.Json;

namespace Plumb.EndToEnd.Kubectl;

/// <summary>What pods and nodes serve, reached through the API server by kubectl.</summary>
public sealed class ThroughServerTests : IAsyncLifetime
{
    // It answers whoever wants to change the protocol, hears one line, says it back and ends.
    private const string Objects =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: talker}
        spec:
          containers:
          - name: main
            image: socat
            command: [bash, -c, 'exec socat TCP-LISTEN:8000,fork,reuseaddr EXEC:"bash /tmp/talk"']
            lifecycle: {postStart: {exec: {command: [bash, -c, 'printf %s "$TALK" > /tmp/talk']}}}
            env: [{name: TALK, value: "while read -r head && [ \"$head\" != $'\\r' ]; do :; done; printf 'HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: talk\\r\\n\\r\\n'; read -r line; echo \"heard $line\""}]
            readinessProbe: {tcpSocket: {port: 8000}, periodSeconds: 1}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: tools}
        spec: {hostNetwork: true, containers: [{name: main, image: agnhost, args: [netexec, --http-port=8088, --udp-port=-1]}]}
        """;

    private readonly LabUser _user = new();
    private RunningLab _lab = null!;

    public async ValueTask InitializeAsync()
    {
        _lab = await _user.UpWithAsync(Objects, "--nodes", "1", "--dns-upstream", "none");
        (await _lab.KubectlAsync("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")).Succeeds();
    }

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task A_node_tells_of_itself_and_leads_to_its_ports()
    {
        Assert.Equal("ok", await RawAsync("nodes/node-1/proxy/healthz"));
        var pods = JsonElement.Parse(await RawAsync("nodes/node-1/proxy/pods")).GetProperty("items").EnumerateArray().Select(static pod => pod.GetProperty("metadata").GetProperty("name").GetString());
        Assert.Superset(new HashSet<string?> { "talker", "tools" }, pods.ToHashSet());
        Assert.Equal("node-1", await RawAsync("nodes/node-1:8088/proxy/hostname"));
        var refused = await _lab.KubectlAsync("get", "--raw", "/api/v1/nodes/node-1/proxy/metrics");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("it tells healthz and pods, and has no \"metrics\"", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_runs_where_the_lab_is_not_seen()
    {
        Assert.Equal("""{"output":"node-1\n"}""", await RawAsync("namespaces/default/pods/tools:8088/proxy/shell?cmd=hostname"));
        foreach (var place in new[] { _user.RuntimeDirectory, _lab.Kubeconfig, Path.GetDirectoryName(Commands.Plumb)! })
        {
            Assert.True(Path.Exists(place));
            Assert.Equal("""{"error":"exit status 1"}""", await RawAsync($"namespaces/default/pods/tools:8088/proxy/shell?cmd=test+-e+{place}"));
        }
    }

    /// <summary>kubectl's own proxy stands between: the code of kube-apiserver's.</summary>
    [Fact]
    public async Task Another_protocol_goes_both_ways_until_one_side_ends()
    {
        const string talk =
            """
            exec 4< <(exec "$0" proxy --port=0); trap "kill $!" EXIT
            read -r -u 4 said; exec 3<>"/dev/tcp/127.0.0.1/${said##*:}"
            printf 'GET /api/v1/namespaces/default/pods/talker:8000/proxy/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: talk\r\n\r\n' >&3
            while read -r -u 3 head && [ "$head" != $'\r' ]; do echo "$head"; done
            echo hello >&3; cat <&3
            """;
        var said = (await Commands.RunAsync(_lab.Environment, null, "bash", "-c", talk, _lab.Kubectl)).Succeeds().Output;
        Assert.StartsWith("HTTP/1.1 101 Switching Protocols", said, StringComparison.Ordinal);
        Assert.Contains("Upgrade: talk", said, StringComparison.Ordinal);
        Assert.EndsWith("\nheard hello\n", said, StringComparison.Ordinal);
    }

    private async Task<string> RawAsync(string path) => (await _lab.KubectlAsync("get", "--raw", "/api/v1/" + path)).Succeeds().Output;
}
