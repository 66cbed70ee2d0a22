using System.Text.Json;

namespace Plumb.EndToEnd;

/// <summary>Pods that may be only so fast (<c>kubernetes.io/ingress-bandwidth</c>, <c>egress-bandwidth</c>): tc says what the kernel was told, iperf3 what it makes of it.</summary>
public sealed class BandwidthTests : IAsyncDisposable
{
    private const string Ingress = "kubernetes.io/ingress-bandwidth";
    private const string Egress = "kubernetes.io/egress-bandwidth";

    private readonly LabUser _user = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task A_pod_is_as_fast_as_its_annotations_say_and_as_they_say_later()
    {
        var lab = await _user.UpWithAsync(Pod("slow", $"{Ingress}: 1M, {Egress}: 2M") + "\n---\n" + Pod("free", "note: none"), "--nodes", "2", "--dns-upstream", "none");
        Assert.Equal([125_000, 250_000], await RatesAsync(lab));

        var over = Path.Combine(_user.RuntimeDirectory, "over");
        var server = lab.ShellAsync("node-2", "sh", "-c", "iperf3 -s & until [ -e \"$0\" ]; do sleep 0.2; done; kill $!", over);
        // A machine that is slow makes it slower, none faster. What may pass at once is 15 KB.
        Assert.InRange(await TalkAsync(lab, fromNode: true), 1, 1.2 * 1_000_000);
        Assert.InRange(await TalkAsync(lab, fromNode: false), 1, 1.2 * 2_000_000);
        await File.WriteAllTextAsync(over, "", Cancel);
        await server;

        var explained = (await lab.PlumbAsync("explain", "pod/slow")).Succeeds().Output;
        Assert.Contains($"metadata.annotations[{Ingress}]", explained, StringComparison.Ordinal);
        Assert.Contains($"metadata.annotations[{Egress}]", explained, StringComparison.Ordinal);
        Assert.Contains("0 unexplained", (await lab.PlumbAsync("explain", "--all", "--node", "node-1")).Succeeds().Output, StringComparison.Ordinal);
        var sent = (await lab.PlumbAsync("trace", "slow", "free", "--proto", "icmp", "--observe")).Succeeds().Output;
        Assert.Contains("sends at most 2Mbit", sent, StringComparison.Ordinal);
        Assert.Contains("sends at most 1Mbit", (await lab.PlumbAsync("trace", "free", "slow", "--proto", "icmp")).Succeeds().Output, StringComparison.Ordinal);

        await AnnotateAsync(lab, "slow", $"{Ingress}=3M", $"{Egress}-");
        await RatesAsync(lab, 375_000);
        Assert.DoesNotContain("ifb", (await lab.ShellAsync("node-1", "ip", "-o", "link")).Succeeds().Output, StringComparison.Ordinal);
        await AnnotateAsync(lab, "slow", $"{Ingress}=10X");
        Assert.Contains($"stays as it was: {Ingress} '10X': quantities must match", await lab.EventAsync("FailedBandwidth", "slow"), StringComparison.Ordinal);
        Assert.Equal([375_000], await RatesAsync(lab));

        // Somebody takes the queue away.
        var cable = (await lab.ShellAsync("node-1", "sh", "-c", "tc qdisc show | sed -n 's/^qdisc tbf 706c: dev \\([^ ]*\\) .*/\\1/p'")).Succeeds().Output.Trim();
        (await lab.ShellAsync("node-1", "tc", "qdisc", "del", "dev", cable, "root")).Succeeds();
        await RatesAsync(lab, 375_000);

        await AnnotateAsync(lab, "slow", $"{Ingress}=1G", $"{Egress}=1G");
        await RatesAsync(lab, 125_000_000, 125_000_000);
        (await lab.KubectlAsync("delete", "pod", "slow", "--timeout=60s")).Succeeds();
        await RatesAsync(lab);
        Assert.DoesNotContain("ifb", (await lab.ShellAsync("node-1", "ip", "-o", "link")).Succeeds().Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10X", "quantities must match the regular expression")]
    [InlineData("-1M", "resource is unreasonably small (< 1kbit)")]
    [InlineData("999", "resource is unreasonably small (< 1kbit)")]
    [InlineData("2P", "resource is unreasonably large (> 1Pbit)")]
    public async Task A_pod_whose_bandwidth_is_none_does_not_start_until_it_is_one(string bandwidth, string said)
    {
        var lab = await _user.UpAsync("--nodes", "1", "--dns-upstream", "none");
        (await lab.KubectlWithInputAsync(Pod("wrong", $"{Egress}: \"{bandwidth}\""), "apply", "-f", "-")).Succeeds();
        var told = await lab.EventAsync("FailedCreatePodSandBox", "wrong");
        Assert.Contains($"reading pod bandwidth annotations: {Egress} '{bandwidth}': {said}", told, StringComparison.Ordinal);
        await AnnotateAsync(lab, "wrong", $"{Egress}=1k");
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/wrong", "--timeout=120s")).Succeeds();
        Assert.Equal([125], await RatesAsync(lab));
    }

    private static string Pod(string name, string annotations) =>
        $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}, annotations: { {{annotations}} } }
        spec:
          nodeName: node-1
          terminationGracePeriodSeconds: 1
          containers: [{name: main, image: busybox, command: [sleep, infinity]}]
        """;

    private static async Task AnnotateAsync(RunningLab lab, string pod, params string[] annotations) =>
        (await lab.KubectlAsync(["annotate", "--overwrite", "pod", pod, .. annotations])).Succeeds();

    /// <summary>Of all of the node's buckets, in bytes each second.</summary>
    private static async Task<IReadOnlyList<long>> RatesAsync(RunningLab lab)
    {
        using var seen = JsonDocument.Parse((await lab.ShellAsync("node-1", "tc", "-j", "qdisc", "show")).Succeeds().Output);
        return [.. seen.RootElement.EnumerateArray().Where(static one => one.GetProperty("kind").GetString() == "tbf").Select(static one => one.GetProperty("options").GetProperty("rate").GetInt64()).Order()];
    }

    /// <summary>Until they are as expected.</summary>
    private static async Task RatesAsync(RunningLab lab, params long[] expected)
    {
        for (var patience = 300; !(await RatesAsync(lab)).SequenceEqual(expected) && patience > 0; patience--)
        {
            await Task.Delay(100, Cancel);
        }
        Assert.Equal(expected, await RatesAsync(lab));
    }

    /// <summary>A stream between the pod and the other node, where a server listens.</summary>
    /// <returns>Bits each second, without headers.</returns>
    private static async Task<double> TalkAsync(RunningLab lab, bool fromNode)
    {
        // Until the server listens; and again when the stream has left its own control connection no room to tell what arrived.
        const string client = "for try in $(seq 100); do iperf3 -c 192.168.1.12 -t 4 -J $0 > \"$1\" && sed -n '/\"sum_received\"/,/}/p' \"$1\" | grep -q '\"bytes\":[[:space:]]*[1-9]' && break; sleep 0.2; done; cat \"$1\"";
        var said = (await lab.ShellAsync("slow", "sh", "-c", client, fromNode ? "-R" : "-4", Path.Combine(lab.User.RuntimeDirectory, "iperf3.json"))).Succeeds().Output;
        using var result = JsonDocument.Parse(said);
        Assert.False(result.RootElement.TryGetProperty("error", out var error), error.ToString());
        return result.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble();
    }
}
