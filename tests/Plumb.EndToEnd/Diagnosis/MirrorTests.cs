using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Plumb.EndToEnd.Diagnosis;

/// <summary>`plumb mirror`: what a pod sends and gets, as tshark sees it on another node; and nothing of it left behind.</summary>
public sealed class MirrorTests
{
    private const string Manifests = Pods.Client +
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web}
        spec: {nodeName: node-2, containers: [{name: main, image: agnhost, args: [netexec]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: host}
        spec: {nodeName: node-1, hostNetwork: true, containers: [{name: main, image: busybox, command: [sleep, infinity]}]}
        """;

    private const string Syn = "\\[SYN\\]";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("both", true, true, "vxlan")]
    [InlineData("both", true, true, "routed")]
    [InlineData("egress", true, false, "routed")]
    [InlineData("ingress", false, true, "vxlan")]
    public async Task Another_node_sees_the_packets_of_a_pod(string direction, bool sent, bool received, string overlay)
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Manifests, "--overlay", overlay, "--ip-family", "dual");
        var before = await StateAsync(lab);
        foreach (var address in (await lab.JsonAsync("pod", "web")).GetProperty("status").GetProperty("podIPs").EnumerateArray().Select(static one => one.GetProperty("ip").GetString()!))
        {
            using var mirror = await MirrorOf(lab, "client", "--to", "node-3", "--direction", direction, "-o", "json");
            using var shark = await SharkOf(lab, "node-3", "plumb-mir0", "icmp or icmp6");

            (await lab.ShellAsync("client", "ping", "-c", "3", "-i", "0.2", "-s", "1400", address)).Succeeds();
            Assert.EndsWith("0 unexplained", (await lab.PlumbAsync("explain", "--all", "--node", "node-1")).Succeeds().Output.TrimEnd(), StringComparison.Ordinal);
            Assert.Contains("for Mirror plumb-mir0 of default/client to node-3", (await lab.PlumbAsync("explain", "plumb-mir0", "--node", "node-1")).Succeeds().Output, StringComparison.Ordinal);

            // Before its device goes: what it has not read by then it may never read.
            var seen = await SeenAsync(shark, "Echo \\(ping\\)", (sent ? 3 : 0) + (received ? 3 : 0));
            var result = JsonElement.Parse(await EndedAsync(mirror, "-INT"));
            // It ends with its device.
            seen += await shark.StandardOutput.ReadToEndAsync(Cancel);
            Assert.Equal((sent ? 3 : 0, received ? 3 : 0), (Regex.Count(seen, "Echo \\(ping\\) request"), Regex.Count(seen, "Echo \\(ping\\) reply")));
            Assert.Equal((0, direction), (result.GetProperty("lost").GetInt32(), result.GetProperty("direction").GetString()));
            Assert.InRange(result.GetProperty("mirrored").GetInt32(), sent && received ? 6 : 3, 100);
            Assert.Equal(before, await StateAsync(lab));
        }
    }

    [Fact]
    public async Task Two_mirrors_do_not_disturb_one_another_nor_the_pod_and_a_killed_one_leaves_nothing()
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Manifests);
        var web = await lab.GetAsync("pod", "web", "-o", "jsonpath={.status.podIP}");
        var before = await StateAsync(lab);
        using (var first = await MirrorOf(lab, "client", "--to", "node-3"))
        using (var second = await MirrorOf(lab, "client", "--to", "node-2", "--vxlan-id", "77"))
        {
            using var here = await SharkOf(lab, "node-3", "plumb-mir0", "tcp[tcpflags] == tcp-syn");
            using var there = await SharkOf(lab, "node-2", "plumb-mir1", "tcp[tcpflags] == tcp-syn");
            // As large as the wire allows, and larger with the tunnel around them.
            Assert.Equal("1000000", (await lab.ShellAsync("client", "curl", "-s", "-o", "/dev/null", "-w", "%{size_upload}", "--data-binary", $"@{await BodyAsync(user)}", $"http://{web}:8080/echo")).Output.Trim());
            Assert.Contains("--vxlan-id: 77 is another mirror's", (await lab.PlumbAsync("mirror", "client", "--to", "node-3", "--vxlan-id", "77")).Error, StringComparison.Ordinal);
            Assert.EndsWith("0 unexplained", (await lab.PlumbAsync("explain", "--all")).Succeeds().Output.TrimEnd(), StringComparison.Ordinal);

            var (seenHere, seenThere) = (await SeenAsync(here, Syn, 1), await SeenAsync(there, Syn, 1));
            first.Kill();
            await first.WaitForExitAsync(Cancel);
            Assert.Equal(1, Regex.Count(seenHere + await EndedAsync(here, "-INT"), Syn));
            Assert.Equal(1, Regex.Count(seenThere + await EndedAsync(there, "-INT"), Syn));
            Assert.Matches("[1-9][0-9]* packets mirrored, 0 lost", await EndedAsync(second, "-TERM"));
        }
        await BecomesAsync(before, lab);
    }

    [Fact]
    public async Task An_agent_that_is_killed_takes_the_mirror_out_when_it_comes_back()
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Manifests, "--agent-processes");
        var before = await StateAsync(lab);
        using var mirror = await MirrorOf(lab, "client", "--to", "node-3");
        Assert.NotEqual(before, await StateAsync(lab));
        var agent = JsonElement.Parse((await user.PlumbAsync("status", "-o", "json")).Succeeds().Output).GetProperty("labs")[0].GetProperty("machines").EnumerateArray()
            .First(static machine => machine.GetProperty("name").GetString() == "node-1").GetProperty("agentProcessId").GetInt32();
        Process.GetProcessById(agent).Kill();

        Assert.Contains("the agent of node-1 has ended", await mirror.StandardOutput.ReadToEndAsync(Cancel) + await mirror.StandardError.ReadToEndAsync(Cancel), StringComparison.Ordinal);
        await mirror.WaitForExitAsync(Cancel);
        Assert.Equal(1, mirror.ExitCode);
        await BecomesAsync(before, lab);
    }

    [Fact]
    public async Task A_mirror_ends_with_its_time_and_with_its_pod()
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Manifests);
        Assert.Contains("0 lost", (await lab.PlumbAsync("mirror", "client", "--to", "node-3", "--timeout", "0.3")).Succeeds().Output, StringComparison.Ordinal);
        using var mirror = await MirrorOf(lab, "client", "--to", "node-3");
        (await lab.KubectlAsync("delete", "pod", "client", "--grace-period", "0")).Succeeds();
        Assert.Contains("default/client has ended", await mirror.StandardOutput.ReadToEndAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_mirrored_is_one_line()
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Manifests);
        foreach (var (arguments, line) in ((string[], string)[])
            [
                (["cliant", "--to", "node-3"], "did you mean client?"),
                (["client", "--to", "node-4"], "has no node 'node-4'; did you mean node-"),
                (["client", "--to", "node-1"], "default/client is on node-1 itself"),
                (["node-1", "--to", "node-3"], "node-1 is a machine: on its wire the copies would pass too"),
                (["host", "--to", "node-3"], "default/host uses the network of node-1 itself (hostNetwork)"),
                (["client", "--to", "node-3", "--vxlan-id", "16777216"], "--vxlan-id: '16777216' is no number from 1 to 16777215"),
                (["client"], "to which node? --to NODE"),
            ])
        {
            var said = await lab.PlumbAsync("mirror", arguments);
            Assert.NotEqual(0, said.ExitCode);
            Assert.Contains(line, said.Error, StringComparison.Ordinal);
            Assert.Single(said.Error.Trim().Split('\n'));
        }
    }

    private static async Task<Process> MirrorOf(RunningLab lab, params string[] arguments)
    {
        var mirror = Commands.Start(lab.User.Environment, Commands.Plumb, ["mirror", "--name", lab.Name, .. arguments]);
        var said = await mirror.StandardError.ReadLineAsync(Cancel);
        Assert.StartsWith("mirroring ", said, StringComparison.Ordinal);
        return mirror;
    }

    private static async Task<Process> SharkOf(RunningLab lab, string node, string device, string filter)
    {
        var shark = Commands.Start(lab.User.Environment, Commands.Plumb, "shell", "--name", lab.Name, node, "--", "tshark", "-lni", device, "-f", filter);
        string? line;
        do
        {
            line = await shark.StandardError.ReadLineAsync(Cancel);
            Assert.NotNull(line);
        }
        // "Capturing on" comes before it does.
        while (!line.EndsWith("Capture started.", StringComparison.Ordinal));
        return shark;
    }

    /// <summary>What has come by when so many lines are like that.</summary>
    private static async Task<string> SeenAsync(Process shark, string pattern, int count)
    {
        var seen = "";
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        try
        {
            while (Regex.Count(seen, pattern) < count)
            {
                var line = await shark.StandardOutput.ReadLineAsync(patience.Token);
                Assert.NotNull(line);
                seen += line + "\n";
            }
        }
        catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
        {
            Assert.Fail($"not {count} of {pattern} came by:\n{seen}");
        }
        return seen;
    }

    /// <summary>What a process has written when it ends of a signal.</summary>
    private static async Task<string> EndedAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{process.Id}"]);
        var output = process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return await output;
    }

    private static async Task<string> BodyAsync(LabUser user)
    {
        var file = Path.Combine(user.RuntimeDirectory, "body");
        await File.WriteAllBytesAsync(file, new byte[1_000_000], Cancel);
        return file;
    }

    /// <summary>Links, stations, queues and filters of the nodes, as iproute2 shows them.</summary>
    private static async Task<string> StateAsync(RunningLab lab)
    {
        var all = new List<string>();
        foreach (var node in (string[])["node-1", "node-2", "node-3"])
        {
            all.AddRange((await lab.ShellAsync(node, "sh", "-ec", "ip -br link; bridge fdb; tc qdisc")).Succeeds().Lines.Select(line => $"{node}: {line}").Order());
        }
        return string.Join('\n', all);
    }

    private static async Task BecomesAsync(string before, RunningLab lab)
    {
        for (var left = 100; left > 0 && await StateAsync(lab) != before; left--)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), Cancel);
        }
        Assert.Equal(before, await StateAsync(lab));
    }
}
