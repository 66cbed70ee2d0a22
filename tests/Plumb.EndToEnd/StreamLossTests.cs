using System.Text.Json;
using System.Text.RegularExpressions;

namespace Plumb.EndToEnd;

/// <summary>Agents are not in the way of packets: none is lost while they end, are killed, and come back.</summary>
public sealed partial class StreamLossTests : IAsyncDisposable
{
    private const string Server =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: server, labels: {app: server}}
        spec:
          nodeName: node-2
          containers:
          - {name: tcp, image: busybox, command: [iperf3, -s, -p, "5201"]}
          - {name: udp, image: busybox, command: [iperf3, -s, -p, "5202"]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: server}
        spec:
          selector: {app: server}
          ports: [{name: tcp, port: 5201}, {name: control, port: 5202}, {name: udp, port: 5202, protocol: UDP}]
        """;

    private readonly LabUser _user = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task No_packet_is_lost_while_agents_are_killed_and_asked_to_end_and_come_back()
    {
        var lab = await _user.UpWithAsync(Pods.Client + Server, "--nodes", "2", "--agent-processes", "--overlay", "vxlan");
        var pod = await lab.GetAsync("pod", "server", "-o", "jsonpath={.status.podIP}");
        var service = await lab.GetAsync("service", "server", "-o", "jsonpath={.spec.clusterIP}");
        // Until the node knows of the Service. The server minds nobody who comes and goes.
        (await InClientAsync(lab, $"timeout 60 bash -c 'until : >/dev/tcp/{service}/5201 && : >/dev/tcp/{service}/5202; do sleep 0.1; done'")).Succeeds();
        // Small and slow: what a machine at its limit loses in its sockets' buffers is not ours.
        var tcp = InClientAsync(lab, $"iperf3 -J -c {service} -p 5201 -t 20 -b 2M -l 1000");
        var udp = InClientAsync(lab, $"iperf3 -J -u -c {service} -p 5202 -t 20 -b 80k -l 200");
        var ping = InClientAsync(lab, $"ping -q -i 0.05 -c 400 -W 20 {pod}");
        var all = Task.WhenAll(tcp, udp, ping);
        var rounds = 0;
        while (!all.IsCompleted)
        {
            foreach (var node in (string[])["node-1", "node-2"])
            {
                await EndAgentAsync(lab, node, rounds % 2 == 0 ? "-KILL" : "-TERM");
            }
            rounds++;
        }

        Assert.True(rounds >= 1, "the streams ended before an agent of each node had come back");
        // Of TCP a loss is no more than a pause; a connection that had ended would be an error.
        Assert.NotEqual(0, JsonElement.Parse((await tcp).Succeeds().Output).GetProperty("end").GetProperty("sum_received").GetProperty("bytes").GetInt64());
        var datagrams = JsonElement.Parse((await udp).Succeeds().Output).GetProperty("end").GetProperty("sum");
        Assert.Equal(0, datagrams.GetProperty("lost_packets").GetInt32());
        Assert.NotEqual(0, datagrams.GetProperty("packets").GetInt32());
        Assert.Matches(NothingLost(), (await ping).Succeeds().Output);
        // And the node serves new pods after all that.
        (await lab.KubectlAsync("run", "after", "--image=httpd")).Succeeds();
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/after", "--timeout=60s")).Succeeds();
    }

    private static Task<CommandResult> InClientAsync(RunningLab lab, string command) => lab.KubectlAsync("exec", "client", "--", "sh", "-c", command);

    private static async Task EndAgentAsync(RunningLab lab, string node, string signal)
    {
        var before = await AgentAsync(lab, node);
        (await Commands.RunAsync(lab.Environment, null, "kill", signal, $"{before}")).Succeeds();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(120));
        while (await AgentAsync(lab, node) is not { } now || now == before)
        {
            await Task.Delay(100, patience.Token);
        }
    }

    private static async Task<int?> AgentAsync(RunningLab lab, string node)
    {
        var status = JsonElement.Parse((await lab.PlumbAsync("status", "-o", "json")).Succeeds().Output);
        var machine = status.GetProperty("labs")[0].GetProperty("machines").EnumerateArray().First(one => one.GetProperty("name").GetString() == node);
        return machine.TryGetProperty("agentProcessId", out var id) && id.ValueKind == JsonValueKind.Number ? id.GetInt32() : null;
    }

    [GeneratedRegex("400 packets transmitted, 400 received")]
    private static partial Regex NothingLost();
}
