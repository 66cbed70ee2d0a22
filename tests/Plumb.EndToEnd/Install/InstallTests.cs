using System.Diagnostics;
using System.Text.Json;

namespace Plumb.EndToEnd.Install;

/// <summary>A machine of its own, no node of the lab: with an agent from the command line it becomes one, and without it is what it was.</summary>
public sealed class InstallTests : IAsyncDisposable
{
    // What a runtime does for a pod, by hand: a namespace that lives until it is told, and the plugin with the configuration that the agent wrote.
    private const string StartPod =
        """
        unshare --net sleep infinity >/dev/null 2>&1 & pod=$!
        until [ "$(readlink /proc/$pod/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
        echo $pod >"$1/pod"
        CNI_ARGS="K8S_POD_NAMESPACE=default;K8S_POD_NAME=$2" CNI_COMMAND=ADD CNI_CONTAINERID=$2-1 CNI_NETNS=/proc/$pod/ns/net CNI_IFNAME=eth0 CNI_PATH=$1/bin "$1/bin/plumb-cni" <"$1/conf" || exit

        """;

    private const string PingFromPod = StartPod +
        """
        nsenter --net=/proc/$pod/ns/net ping -c 1 -w 30 10.244.9.1 >&2 || exit
        kill $pod
        """;

    private const string Shop =
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: shop}
        spec:
          replicas: 2
          selector: {matchLabels: {app: shop}}
          template:
            metadata: {labels: {app: shop}}
            spec: {containers: [{name: main, image: httpd, ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: shop}
        spec: {selector: {app: shop}, ports: [{port: 80}]}
        """;

    // As container runtimes have it for whoever is not privileged.
    private const string ReadOnlyParameters = """mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && ! sysctl -qw net.ipv4.ip_forward=1 2>/dev/null && exec "$@" """;

    private const string Dump =
        """
        ip -d link; ip addr | sed 's/ tentative//'; ip route show table all; ip rule; ip neigh show nud permanent; bridge fdb; nft list ruleset
        sysctl -a --pattern '^net\.' 2>/dev/null | grep -v nf_conntrack_count
        """;

    private readonly LabUser _user = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task An_agent_with_the_rights_of_the_manifest_and_no_more_serves_a_machine_and_leaves_it_as_it_was()
    {
        var lab = await _user.UpAsync("--nodes", "1", "--agent-processes", "--dns-upstream", "none");
        var before = (await lab.ShellAsync("outside", "sh", "-c", Dump)).Succeeds().Output;
        await RegisterAsync(lab, "outside", "10.244.9.0/24", "192.168.1.100");
        var kubeconfig = await ServiceAccountAsync(lab);

        using (var agent = StartAgent(kubeconfig))
        {
            Assert.DoesNotContain("forbidden", await SaidAsync(agent, "outside serves pods"));
            (await lab.KubectlAsync("wait", "--for=condition=NetworkUnavailable=False", "node/outside", "--timeout=60s")).Succeeds();
            Assert.Equal("1", (await lab.ShellAsync("outside", "sysctl", "-n", "net.ipv4.ip_forward")).Succeeds().Output.Trim());
            Assert.Contains("10.244.9.0/24", (await lab.ShellAsync("node-1", "ip", "route")).Succeeds().Output);
            Assert.True(File.Exists(PathOf("net.d/10-plumb.conflist")) && File.Exists(PathOf("bin/plumb-cni")));
            Assert.Equal(await File.ReadAllBytesAsync(PathOf("bin/plumb-cni"), Cancel), await File.ReadAllBytesAsync(PathOf("bin/loopback"), Cancel));
            await EndAsync(agent);
        }
        Assert.NotEqual(before, (await lab.ShellAsync("outside", "sh", "-c", Dump)).Succeeds().Output);

        var removal = (await lab.ShellAsync("outside", [Commands.Plumb, "agent", "--uninstall", .. Places, "--kubeconfig", kubeconfig])).Succeeds();

        Assert.Contains("removed   condition NetworkUnavailable of Node outside", removal.Output);
        Assert.DoesNotContain("NetworkUnavailable", await lab.GetAsync("node", "outside", "-o", "jsonpath={.status.conditions[*].type}"), StringComparison.Ordinal);
        Assert.Contains("removed   table ip plumb", removal.Output);
        Assert.Equal(before, (await lab.ShellAsync("outside", "sh", "-c", Dump)).Succeeds().Output);
        Assert.Contains("nothing of Plumb is on outside", (await lab.ShellAsync("outside", [Commands.Plumb, "agent", "--uninstall", .. Places])).Succeeds().Output);
        Assert.Empty(Directory.EnumerateFiles(PathOf("net.d")).Concat(Directory.EnumerateFiles(PathOf("bin"))).Concat(Directory.EnumerateFiles(PathOf("state"))));

        (await lab.KubectlAsync("patch", "clusterrole", "plumb", "--type=json", "-p", """[{"op":"remove","path":"/rules/2"}]""")).Succeeds();
        using var unable = StartAgent(kubeconfig);
        await SaidAsync(unable, """cannot list resource "services" in API group "" at the cluster scope""");
        await EndAsync(unable);
    }

    [Fact]
    public async Task A_machine_that_is_cut_from_the_API_goes_on_and_catches_up()
    {
        var lab = await _user.UpAsync("--nodes", "1", "--agent-processes", "--dns-upstream", "none");
        await RegisterAsync(lab, "outside", "10.244.9.0/24", "192.168.1.100");
        var kubeconfig = await ServiceAccountAsync(lab);
        var server = new Uri((await lab.KubectlAsync("--kubeconfig", kubeconfig, "config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")).Succeeds().Output);
        using var agent = StartAgent(kubeconfig);
        await SaidAsync(agent, "outside serves pods");

        var well = (await lab.ShellAsync("outside", Commands.Plumb, "status", "--socket", PathOf("cni.sock"))).Succeeds().Output;
        Assert.Contains("wires pods", well, StringComparison.Ordinal);
        Assert.Contains("10.244.9.0/24: 0 of 253 addresses held", well, StringComparison.Ordinal);
        // Nothing that is sent to the API or by it arrives, and nobody is told.
        (await lab.ShellAsync(
            "outside", "nft", $"add table inet cut; add chain inet cut in {{ type filter hook input priority 0; }}; add rule inet cut in ip saddr {server.Host} tcp sport {server.Port} drop")).Succeeds();
        await RegisterAsync(lab, "late", "10.244.77.0/24", "192.168.1.77");
        await RouteAsync(lab, "node-1", "10.244.77.0/24", isThere: true);
        (await lab.ShellAsync("outside", "ip", "route", "delete", "10.244.1.0/24")).Succeeds();
        await RouteAsync(lab, "outside", "10.244.1.0/24", isThere: true);
        var added = (await InPodAsync(lab, PingFromPod, "cut-off")).Succeeds();
        Assert.Contains("10.244.9.", added.Output);
        await RouteAsync(lab, "outside", "10.244.77.0/24", isThere: false);
        var cut = JsonElement.Parse((await lab.ShellAsync("outside", Commands.Plumb, "status", "--socket", PathOf("cni.sock"), "-o", "json")).Succeeds().Output).GetProperty("node");
        Assert.Contains(cut.GetProperty("recentRepairs").EnumerateArray(), static repair => repair.GetProperty("what").GetString()!.Contains("10.244.1.0/24", StringComparison.Ordinal));
        Assert.Equal(1, cut.GetProperty("podRanges")[0].GetProperty("held").GetInt32());

        (await lab.ShellAsync("outside", "nft", "delete table inet cut")).Succeeds();
        await RouteAsync(lab, "outside", "10.244.77.0/24", isThere: true);
        (await lab.KubectlAsync("delete", "node", "late")).Succeeds();
        await RouteAsync(lab, "outside", "10.244.77.0/24", isThere: false);
        await EndAsync(agent);
    }

    [Fact]
    public async Task A_machine_whose_parameters_cannot_be_written_is_told_so_before_and_when_an_agent_starts()
    {
        var lab = await _user.UpAsync("--nodes", "1", "--agent-processes", "--dns-upstream", "none");
        await RegisterAsync(lab, "outside", "10.244.9.0/24", "192.168.1.100");
        var kubeconfig = await ServiceAccountAsync(lab);
        Assert.Contains("this kernel gives all", (await InsideAsync(lab, Commands.Plumb, "agent", "--check", "--services", "nftables")).Succeeds().Output, StringComparison.Ordinal);

        var check = await InsideAsync(lab, ["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c", ReadOnlyParameters, "sh", Commands.Plumb, "agent", "--check"]);
        Assert.Equal(1, check.ExitCode);
        var line = Assert.Single(check.Output.TrimEnd().Split('\n'));
        Assert.Contains("lacks kernel parameters that can be written", line, StringComparison.Ordinal);
        Assert.Contains("(EROFS); no pod can be wired here", line, StringComparison.Ordinal);

        using var agent = Commands.Start(
            _user.Environment, Commands.Plumb,
            ["shell", "outside", "--namespaces", "net,pid,mount", "--", "setpriv", "--pdeathsig", "TERM", "unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c", ReadOnlyParameters, "sh", Commands.Plumb, "agent", .. Places, "--kubeconfig", kubeconfig]);
        Assert.Contains("lacks kernel parameters that can be written", await SaidAsync(agent, "no pod can be wired here"), StringComparison.Ordinal);
        await EndAsync(agent);
    }

    [Fact]
    public async Task The_agent_of_a_machine_is_asked_why_and_where_to()
    {
        var lab = await _user.UpAsync("--nodes", "1", "--agent-processes", "--dns-upstream", "none");
        await RegisterAsync(lab, "outside", "10.244.9.0/24", "192.168.1.100");
        (await lab.KubectlWithInputAsync(Shop, "create", "-f", "-")).Succeeds();
        (await lab.KubectlAsync("rollout", "status", "deployment/shop", "--timeout=120s")).Succeeds();
        var address = (await lab.KubectlAsync("get", "service", "shop", "-o", "jsonpath={.spec.clusterIP}")).Succeeds().Output;
        using var agent = StartAgent(await ServiceAccountAsync(lab), "--services", "nftables");
        await SaidAsync(agent, "outside serves pods");
        (await InPodAsync(lab, StartPod, "client")).Succeeds();

        // The witness: a real request, and what the machine's connection tracking says of it.
        (await InsideAsync(lab, "sh", "-c", $"nsenter --net=/proc/$(cat {PathOf("pod")})/ns/net curl -sS --max-time 20 http://{address}/")).Succeeds();
        var flow = (await lab.ShellAsync("outside", "conntrack", "-L", "-p", "tcp", "-s", "10.244.9.2", "-d", address)).Succeeds().Output;

        var traced = JsonElement.Parse((await AskAsync(lab, "trace", "default/client", "http://shop", "-o", "json")).Output);
        Assert.Equal(address, traced.GetProperty("packet").GetProperty("destination").GetString());
        Assert.Equal("Service default/shop", traced.GetProperty("dns").GetProperty("tried").EnumerateArray().Last().GetProperty("records")[0].GetProperty("cause").GetString());
        var hops = traced.GetProperty("outcomes").EnumerateArray().SelectMany(static outcome => outcome.GetProperty("there").EnumerateArray()).ToList();
        Assert.Contains(hops, hop => hop.GetProperty("before").GetProperty("destination").GetString() == address && flow.Contains($" src={hop.GetProperty("after").GetProperty("destination").GetString()} ", StringComparison.Ordinal));
        Assert.Contains(hops, static hop => hop.GetProperty("causes").EnumerateArray().Any(static cause => cause.GetString()!.StartsWith("Service default/shop", StringComparison.Ordinal)));

        var all = (await AskAsync(lab, "explain", "--all")).Succeeds().Output;
        Assert.EndsWith("\n0 unexplained", all.TrimEnd());
        Assert.Contains("# default/client@", all, StringComparison.Ordinal);
        Assert.Contains("Service default/shop spec.ports[0]", (await AskAsync(lab, "explain", address)).Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains("Pod default/client", (await AskAsync(lab, "explain", "default/client")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains("Node node-1", (await AskAsync(lab, "explain", "10.244.1.0/24")).Succeeds().Output, StringComparison.Ordinal);
        var snapshot = PathOf("net.plumb");
        Assert.Contains("left out: objects other than nodes, services, endpointslices, so also Pods", (await AskAsync(lab, "snapshot", "-o", snapshot)).Succeeds().Error, StringComparison.Ordinal);
        var explained = (await _user.PlumbAsync("explain", "--from", snapshot, address)).Succeeds();
        Assert.Contains("Service default/shop", explained.Output, StringComparison.Ordinal);
        Assert.Contains($"left out of {snapshot}: objects other than", explained.Error, StringComparison.Ordinal);

        Assert.Contains("SRC: the network of node-1 cannot be seen from here: ask on node-1", (await AskAsync(lab, "trace", "node-1", "10.244.9.1")).Error, StringComparison.Ordinal);
        var beyond = await AskAsync(lab, "trace", "default/client", "http://shop");
        Assert.Matches("10\\.244\\.1\\.\\d+ is pod default/shop-\\S+ on node-1: what is seen from outside ends at its wire", beyond.Output);
        await EndAsync(agent);
    }

    private async Task RegisterAsync(RunningLab lab, string name, string range, string address)
    {
        (await lab.KubectlWithInputAsync((await _user.PlumbAsync("manifests")).Succeeds().Output, "apply", "-f", "-")).Succeeds();
        var node = $"apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\nspec: {{podCIDR: {range}, podCIDRs: [{range}]}}\n";
        (await lab.KubectlWithInputAsync(node, "create", "-f", "-")).Succeeds();
        (await lab.KubectlAsync("patch", "node", name, "--subresource=status", "-p", $$$"""{"status":{"addresses":[{"type":"InternalIP","address":"{{{address}}}"}]}}""")).Succeeds();
    }

    private static async Task RouteAsync(RunningLab lab, string where, string range, bool isThere)
    {
        var patience = Stopwatch.StartNew();
        while ((await lab.ShellAsync(where, "ip", "route", "show", range)).Succeeds().Output.Length == 0 == isThere)
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(120), $"{range} is {(isThere ? "not " : "")}in {where}'s routes");
        }
    }

    // In the agent's own namespace of processes, so that both mean the same by a path below /proc.
    private async Task<CommandResult> InPodAsync(RunningLab lab, string script, string container)
    {
        await File.WriteAllTextAsync(PathOf("conf"), $$"""{"cniVersion":"1.0.0","name":"plumb","type":"plumb-cni","socket":"{{PathOf("cni.sock")}}"}""", Cancel);
        return await InsideAsync(lab, "sh", "-c", script, "sh", PathOf(""), container);
    }

    private static Task<CommandResult> InsideAsync(RunningLab lab, params string[] command) => lab.PlumbAsync("shell", ["outside", "--namespaces", "net,pid,mount", "--", .. command]);

    // As somebody who knows of no lab.
    private Task<CommandResult> AskAsync(RunningLab lab, string verb, params string[] words) =>
        InsideAsync(lab, ["env", $"XDG_RUNTIME_DIR={PathOf("")}", Commands.Plumb, verb, .. words, "--socket", PathOf("cni.sock")]);

    private string[] Places => ["--node", "outside", "--state-dir", PathOf("state"), "--socket", PathOf("cni.sock"), "--cni-conf-dir", PathOf("net.d"), "--cni-bin-dir", PathOf("bin")];

    private string PathOf(string part) => Path.Combine(_user.RuntimeDirectory, "machine", part);

    /// <summary>A kubeconfig of the agent's own account, by which the API is reached from the wire.</summary>
    private async Task<string> ServiceAccountAsync(RunningLab lab)
    {
        Directory.CreateDirectory(PathOf(""));
        var token = (await lab.KubectlAsync("create", "token", "plumb", "--namespace", "kube-system")).Succeeds().Output.Trim();
        var file = PathOf("kubeconfig");
        File.Copy(Path.Combine(_user.RuntimeDirectory, "plumb", lab.Name, "kubeconfig.wire"), file);
        var user = (await lab.KubectlAsync("--kubeconfig", file, "config", "view", "-o", "jsonpath={.contexts[0].context.user}")).Succeeds().Output;
        (await lab.KubectlAsync("--kubeconfig", file, "config", "unset", $"users.{user}")).Succeeds();
        (await lab.KubectlAsync("--kubeconfig", file, "config", "set-credentials", "agent", $"--token={token}")).Succeeds();
        (await lab.KubectlAsync("--kubeconfig", file, "config", "set-context", "--current", "--user=agent")).Succeeds();
        return file;
    }

    private Process StartAgent(string kubeconfig, params string[] more) => Commands.Start(
        _user.Environment, Commands.Plumb,
        ["shell", "outside", "--namespaces", "net,pid,mount", "--", "setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "sh", "-c", ReadOnlyParameters, "sh", Commands.Plumb, "agent", .. Places, "--kubeconfig", kubeconfig, .. more]);

    /// <summary>All that a process said up to a line.</summary>
    private static async Task<string> SaidAsync(Process process, string line)
    {
        var said = new System.Text.StringBuilder();
        while (await process.StandardError.ReadLineAsync(Cancel) is { } next)
        {
            said.AppendLine(next);
            if (next.Contains(line, StringComparison.Ordinal))
            {
                return said.ToString();
            }
        }
        throw new Xunit.Sdk.XunitException($"it ended without '{line}':\n{said}");
    }

    // The shell ends of it, and the agent with the shell: it has ended when nobody has the other end of its output any more.
    private async Task EndAsync(Process agent)
    {
        (await Commands.RunAsync(_user.Environment, null, "kill", "-TERM", $"{agent.Id}")).Succeeds();
        await agent.StandardError.ReadToEndAsync(Cancel);
        await agent.WaitForExitAsync(Cancel);
    }
}
