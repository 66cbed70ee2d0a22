using System.Globalization;
using System.Text.RegularExpressions;

namespace Plumb.EndToEnd.Store;

/// <summary>A cluster whose store is replaced by an older copy of it while nodes, agents and clients run on.</summary>
public sealed class StoreTests : IAsyncDisposable
{
    private const string Cluster =
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: main, image: httpd}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 31180}]}
        ---
        """ + "\n" + Lone + "\n---\n" +
        """
        apiVersion: v1
        kind: Service
        metadata: {name: lone}
        spec: {selector: {app: lone}, ports: [{port: 80}]}
        """;

    private const string Lone =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: lone, labels: {app: lone}}
        spec: {nodeName: node-2, containers: [{name: main, image: httpd}]}
        """;

    private const string Later =
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: later}
        spec:
          replicas: 2
          selector: {matchLabels: {app: later}}
          template:
            metadata: {labels: {app: later}}
            spec: {containers: [{name: main, image: httpd}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: later}
        spec: {selector: {app: later}, ports: [{port: 80}]}
        """;

    private static readonly string[] _nodes = ["node-1", "node-2"];

    private readonly LabUser _user = new();

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task Nodes_and_agents_follow_a_store_that_goes_back()
    {
        var lab = await _user.UpWithAsync(Pods.Client + Cluster, "--nodes", "2", "--agent-processes");
        var service = await lab.GetAsync("service", "web", "-o", "jsonpath={.spec.clusterIP}");
        var lone = await lab.GetAsync("service", "lone", "-o", "jsonpath={.spec.clusterIP}");
        var uid = await lab.GetAsync("pod", "lone", "-o", "jsonpath={.metadata.uid}");
        var token = (await lab.KubectlAsync("create", "token", "default")).Succeeds().Output.Trim();
        await ReachesAsync(lab, service);
        var file = Path.Combine(_user.RuntimeDirectory, "monday.store");
        (await lab.PlumbAsync("store", "save", file)).Succeeds();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));

        // What comes after: others, fewer, more, and another pod under an old name.
        (await lab.KubectlAsync("delete", "service", "web")).Succeeds();
        (await lab.KubectlAsync("delete", "pod", "lone")).Succeeds();
        (await lab.KubectlAsync("scale", "deployment", "web", "--replicas=4")).Succeeds();
        (await lab.KubectlWithInputAsync(Later, "apply", "-f", "-")).Succeeds();
        (await lab.KubectlWithInputAsync(Lone, "apply", "-f", "-")).Succeeds();
        (await lab.KubectlAsync("rollout", "status", "deployment", "web", "--timeout=120s")).Succeeds();
        (await lab.KubectlAsync("rollout", "status", "deployment", "later", "--timeout=120s")).Succeeds();
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/lone", "--timeout=120s")).Succeeds();
        var later = await lab.GetAsync("service", "later", "-o", "jsonpath={.spec.clusterIP}");
        await ReachesAsync(lab, later);
        Assert.Contains(later, await RulesAsync(lab), StringComparison.Ordinal);
        Assert.NotEqual(uid, await lab.GetAsync("pod", "lone", "-o", "jsonpath={.metadata.uid}"));
        using var watch = Commands.Start(lab.Environment, lab.Kubectl, "get", "pods", "--watch");
        var heard = watch.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.NotNull(await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        var said = (await lab.PlumbAsync("store", "restore", file)).Succeeds().Output;
        var versions = Regex.Match(said, @"resourceVersion is (\d+) again, it was (\d+)");
        Assert.True(long.Parse(versions.Groups[1].Value, CultureInfo.InvariantCulture) < long.Parse(versions.Groups[2].Value, CultureInfo.InvariantCulture), said);

        // As with a real server that is started again: kubectl does not watch on.
        await watch.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
        await heard;
        // Before anything could count as lost.
        Assert.Equal("True True", await lab.GetAsync("nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}"));
        Assert.Equal(uid, await lab.GetAsync("pod", "lone", "-o", "jsonpath={.metadata.uid}"));
        Assert.Equal(service, await lab.GetAsync("service", "web", "-o", "jsonpath={.spec.clusterIP}"));
        await ReachesAsync(lab, service);
        await ReachesAsync(lab, lone);
        (await lab.ShellAsync("outside", "curl", "-sf", "--retry", "60", "--retry-all-errors", "--retry-delay", "1", "--max-time", "5", "http://192.168.1.12:31180/")).Succeeds();
        await lab.UntilAsync("2 2", "deployment", "web", "-o", "jsonpath={.status.replicas} {.status.readyReplicas}");
        await KernelsFollowAsync(lab);
        Assert.Equal("", await lab.GetAsync("deployments,replicasets,services,pods,endpointslices", "-l", "app=later", "-o", "name"));
        Assert.DoesNotContain(later, await RulesAsync(lab), StringComparison.Ordinal);

        // Its key is the server's, not the store's.
        var whoami = await lab.KubectlAsync("get", "secrets", "--token", token);
        Assert.Contains("system:serviceaccount:default:default", whoami.Error, StringComparison.Ordinal);
        // And it goes on from there.
        (await lab.KubectlWithInputAsync(Later, "apply", "-f", "-")).Succeeds();
        await ReachesAsync(lab, await lab.GetAsync("service", "later", "-o", "jsonpath={.spec.clusterIP}"));
    }

    [Fact]
    public async Task What_is_no_copy_of_this_labs_store_is_refused_and_everything_stays()
    {
        var lab = await _user.UpWithAsync(Pods.Client, "--nodes", "1");
        var file = Path.Combine(_user.RuntimeDirectory, "a.store");
        (await lab.PlumbAsync("store", "save", file)).Succeeds();
        Assert.Contains("is there already", await RefusedAsync(2, "save", file), StringComparison.Ordinal);
        (await lab.PlumbAsync("store", "save", file, "--force")).Succeeds();
        var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        var uid = await lab.GetAsync("namespace", "kube-system", "-o", "jsonpath={.metadata.uid}");
        var names = await lab.GetAsync("all", "-A", "-o", "name");
        foreach (var (content, why) in ((string, string)[])
                 [("", "cut off"), (text[..(text.Length / 2)], "cut off"), ("kind: Pod\n", "no copy of a store"), (text.Replace(uid, Guid.NewGuid().ToString(), StringComparison.Ordinal), "another cluster")])
        {
            var bad = Path.Combine(_user.RuntimeDirectory, "bad.store");
            await File.WriteAllTextAsync(bad, content, TestContext.Current.CancellationToken);
            Assert.Contains(why, await RefusedAsync(1, "restore", bad), StringComparison.Ordinal);
        }
        Assert.Contains("is not there", await RefusedAsync(1, "restore", Path.Combine(_user.RuntimeDirectory, "none")), StringComparison.Ordinal);
        Assert.Contains("is a directory", await RefusedAsync(1, "restore", _user.RuntimeDirectory), StringComparison.Ordinal);
        Assert.Contains("none of save and restore", await RefusedAsync(2, "keep", file), StringComparison.Ordinal);
        Assert.Equal(names, await lab.GetAsync("all", "-A", "-o", "name"));

        async Task<string> RefusedAsync(int code, params string[] arguments)
        {
            var refused = await lab.PlumbAsync("store", arguments);
            Assert.Equal(code, refused.ExitCode);
            Assert.Single(refused.Error.TrimEnd().Split('\n'));
            return refused.Error;
        }
    }

    private static async Task ReachesAsync(RunningLab lab, string address) =>
        (await lab.KubectlAsync("exec", "client", "--", "curl", "-sf", "--retry", "60", "--retry-all-errors", "--retry-delay", "1", "--max-time", "5", $"http://{address}/")).Succeeds();

    private static async Task<string> RulesAsync(RunningLab lab) =>
        string.Join('\n', (await Task.WhenAll(_nodes.Select(node => lab.ShellAsync(node, "nft", "list", "table", "ip", "plumb")))).Select(static one => one.Succeeds().Output));

    /// <summary>Waits until each node has the pods that the API says, and no others.</summary>
    private static async Task KernelsFollowAsync(RunningLab lab)
    {
        var (wanted, there) = ("", "");
        for (var left = 300; left > 0; left--)
        {
            (wanted, there) = ("", "");
            foreach (var node in _nodes)
            {
                wanted += $"{node}: {Sorted(await lab.GetAsync("pods", "-A", "--field-selector", $"spec.nodeName={node}", "-o", "jsonpath={.items[*].status.podIP}"))}\n";
                there += $"{node}: {Sorted((await lab.ShellAsync(node, "sh", "-c", "ip neigh show dev cni0 nud permanent | cut -d ' ' -f 1")).Succeeds().Output)}\n";
            }
            if (wanted == there)
            {
                return;
            }
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
        Assert.Equal(wanted, there);
    }

    private static string Sorted(string addresses) => string.Join(' ', addresses.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
}
