using System.Text;

namespace Plumb.EndToEnd.Cni;

/// <summary>Nodes without a plugin, and plugins that fail in every way there is.</summary>
public sealed class FailingPluginTests : IAsyncDisposable
{
    private const string NotReady =
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";

    // What it does is in the name of the pod; what it was asked for in a file that is the node's own.
    private const string Moody =
        """
        #!/bin/sh
        cat >/dev/null
        name=$(expr "$CNI_ARGS" : '.*K8S_POD_NAME=\([^;]*\)')
        echo "$CNI_COMMAND $name" >>/var/lib/moody
        case $name.$CNI_COMMAND in
            stuck.DEL) echo '{"cniVersion":"1.0.0","code":11,"msg":"the switch does not let go"}'; exit 1 ;;
            *.ADD) ;;
            *) exit 0 ;;
        esac
        case $name in
            stuck) echo '{"cniVersion":"1.0.0","code":7,"msg":"the switch is on fire"}'; exit 1 ;;
            garbage) echo 'link is up' ;;
            nothing) ;;
            hangs) sleep 98765 ;;
            killed) kill -SEGV $$ ;;
            error) echo '{"cniVersion":"1.0.0","code":7,"msg":"the switch is on fire","details":"rack 3"}'; exit 1 ;;
            silent) exit 3 ;;
            words) echo 'panic: nil map' >&2; exit 2 ;;
            noips) echo '{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/x"}]}' ;;
            *) echo '{"cniVersion":"1.0.0","ips":[{"address":"10.244.1.77/24"}]}' ;;
        esac
        """;

    private readonly LabUser _user = new();

    private string Directory => Path.Combine(_user.RuntimeDirectory, "plumb", "default", "cni", "node-1");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task Each_way_to_fail_is_told_in_the_plugins_own_words_and_ended_by_DEL()
    {
        var lab = await UpMoodyAsync();
        var said = new Dictionary<string, string>
        {
            ["garbage"] = "plugin type=\"moody\" name=\"net\" failed (add): what it printed is no result of CNI: link is up",
            ["nothing"] = "failed (add): it printed no result",
            ["killed"] = "failed (add): it failed without a word: ended by signal 11 (SegmentationFault)",
            ["error"] = "failed (add): the switch is on fire; rack 3",
            ["silent"] = "failed (add): it failed without a word: exit code 3",
            ["words"] = "failed (add): it failed: exit code 2: panic: nil map",
            ["noips"] = "the result of network \"net\" has no address in the pod",
        };
        await ApplyAsync(lab, [.. said.Keys]);
        foreach (var (pod, message) in said)
        {
            var told = await lab.EventAsync("FailedCreatePodSandBox", pod);
            Assert.Contains("Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"", told, StringComparison.Ordinal);
            Assert.True(told.Contains(message, StringComparison.Ordinal), $"{pod}: {told}");
            Assert.Equal("ContainerCreating", await lab.GetAsync("pod", pod, "-o", "jsonpath={.status.containerStatuses[0].state.waiting.reason}"));
            (await lab.KubectlAsync("delete", "pod", pod, "--timeout=60s")).Succeeds();
            var asked = await AskedAsync(pod);
            Assert.Equal("ADD", asked[0]);
            var (begun, ended) = (asked.Count(static verb => verb == "ADD"), asked.Count(static verb => verb == "DEL"));
            // The last ADD may have been ended by the deletion before the plugin could write down that it was asked.
            Assert.True(ended == begun || (ended == begun + 1 && asked[^1] == "DEL"), string.Join(' ', asked));
        }
    }

    [Fact]
    public async Task A_pod_that_is_deleted_while_its_plugin_hangs_goes_and_the_plugin_with_it()
    {
        var lab = await UpMoodyAsync();
        await ApplyAsync(lab, "hangs");
        while (!(await AskedAsync("hangs")).Contains("ADD"))
        {
            await Task.Delay(50, Cancel);
        }
        (await lab.KubectlAsync("delete", "pod", "hangs", "--timeout=60s")).Succeeds();
        Assert.Equal(["ADD", "DEL"], await AskedAsync("hangs"));
        Assert.NotEqual(0, (await Commands.RunAsync(_user.Environment, null, "pgrep", "-f", "^sleep 98765$")).ExitCode);
    }

    [Fact]
    public async Task A_pod_whose_failed_start_cannot_be_taken_back_goes_by_the_next_configuration()
    {
        var lab = await UpMoodyAsync();
        await ApplyAsync(lab, "stuck");
        Assert.Contains("the switch does not let go", await lab.EventAsync("FailedKillPod", "stuck"), StringComparison.Ordinal);
        Assert.Equal(1, (await AskedAsync("stuck")).Count(static verb => verb == "ADD"));
        await WriteAsync("05-own.conf", """{"cniVersion": "1.1.0", "name": "own", "type": "plumb"}""");
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/stuck", "--timeout=60s")).Succeeds();
    }

    [Fact]
    public async Task A_dead_network_is_an_unready_pod()
    {
        var lab = await UpMoodyAsync();
        (await lab.KubectlWithInputAsync(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: dead}
            spec: {nodeName: node-1, containers: [{name: main, image: httpd, readinessProbe: {httpGet: {port: 80}, periodSeconds: 1, timeoutSeconds: 9}}]}
            """,
            "apply", "-f", "-")).Succeeds();
        var told = await lab.EventAsync("Unhealthy", "dead");
        Assert.StartsWith("Readiness probe failed: Get \"http://10.244.1.77", told, StringComparison.Ordinal);
        Assert.Contains("dial tcp 10.244.1.77:80: connect: no route to host", told, StringComparison.Ordinal);
        Assert.Equal("10.244.1.77 False", await lab.GetAsync("pod", "dead", "-o", "jsonpath={.status.podIP} {.status.conditions[?(@.type=='Ready')].status}"));
    }

    [Fact]
    public async Task A_node_is_Ready_while_it_has_a_configuration_that_can_be_read()
    {
        var lab = await _user.UpAsync("--nodes", "1", "--dns-upstream", "none", "--cni-conf", "none");
        await SaysAsync(lab, "False", NotReady);
        await ApplyAsync(lab, "waits");
        (await lab.KubectlWithInputAsync(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: host}\nspec: {nodeName: node-1, hostNetwork: true, containers: [{name: main, image: busybox, command: [sleep, infinity]}]}", "apply", "-f", "-")).Succeeds();
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/host", "--timeout=60s")).Succeeds();
        Assert.Equal($"network is not ready: {NotReady}", await lab.EventAsync("NetworkNotReady", "waits"));
        Assert.Equal("Pending", await lab.GetAsync("pod", "waits", "-o", "jsonpath={.status.phase}"));

        await WriteAsync("10-a.conflist", "{\n\"name\": \"net\",\n\"plugins\": [}");
        await SaysAsync(lab, "False", $"{NotReady}: {Directory}/10-a.conflist, line 3: no CNI configuration: this is not JSON, or a key is twice in one object");
        await WriteAsync("10-a.conflist", """{"cniVersion": "9.0.0", "name": "net", "plugins": [{"type": "plumb"}]}""");
        await SaysAsync(lab, "False", $"{NotReady}: {Directory}/10-a.conflist: no CNI configuration: cniVersion 9.0.0 is not spoken here; spoken are 0.3.1, 0.4.0, 1.0.0, 1.1.0");
        // Before it in the order of names: the broken one counts no more.
        await WriteAsync("05-missing.json", """{"cniVersion": "1.0.0", "name": "net", "type": "nowhere"}""");
        await SaysAsync(lab, "True", "kubelet is posting ready status");
        Assert.Contains("plugin type=\"nowhere\" name=\"net\" failed (add): failed to find plugin \"nowhere\" in path [", await lab.EventAsync("FailedCreatePodSandBox", "waits"), StringComparison.Ordinal);

        // Replaced while a pod starts: the next attempt goes by the new one.
        await WriteAsync("05-missing.json", """{"cniVersion": "1.1.0", "name": "net", "type": "plumb"}""");
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/waits", "--timeout=60s")).Succeeds();
        File.Delete(Path.Combine(Directory, "05-missing.json"));
        File.Delete(Path.Combine(Directory, "10-a.conflist"));
        await SaysAsync(lab, "False", NotReady);
        // As a package that is installed anew does.
        System.IO.Directory.Delete(Directory, recursive: true);
        System.IO.Directory.CreateDirectory(Directory);
        await WriteAsync("10-again.conf", """{"cniVersion": "1.1.0", "name": "net", "type": "plumb"}""");
        await SaysAsync(lab, "True", "kubelet is posting ready status");
        // A pod goes by the configuration that it came with.
        (await lab.KubectlAsync("delete", "pod", "waits", "--timeout=60s")).Succeeds();
        Assert.Empty(System.IO.Directory.EnumerateFiles(Path.Combine(_user.RuntimeDirectory, "plumb", "default", "node-1", "agent", "leases")));
    }

    [Theory]
    [InlineData("10-x.conflist", "{", "line 1: no CNI configuration: this is not JSON")]
    [InlineData("10-x.conflist", """{"cniVersion":"1.0.0","name":"x","plugins":[{}]}""", "a plugin has no type")]
    [InlineData("10-x.yaml", "", "runtimes read .conf, .conflist and .json")]
    public async Task A_broken_file_is_one_clear_line_and_no_lab(string name, string content, string said)
    {
        var path = Path.Combine(_user.RuntimeDirectory, name);
        await File.WriteAllTextAsync(path, content, Cancel);
        var refused = await _user.PlumbAsync("up", "--detach", "--cni-conf", path);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("--cni-conf", refused.Error, StringComparison.Ordinal);
        Assert.Contains(said, refused.Error, StringComparison.Ordinal);
    }

    private async Task<RunningLab> UpMoodyAsync()
    {
        var plugins = System.IO.Directory.CreateDirectory(Path.Combine(_user.RuntimeDirectory, "bin")).FullName;
        var plugin = Path.Combine(plugins, "moody");
        await File.WriteAllTextAsync(plugin, Moody, Cancel);
        File.SetUnixFileMode(plugin, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var configuration = Path.Combine(_user.RuntimeDirectory, "10-net.conf");
        await File.WriteAllTextAsync(configuration, """{"cniVersion": "1.0.0", "name": "net", "type": "moody"}""", Cancel);
        _user.Set("CNI_PATH", plugins);
        return await _user.UpAsync("--nodes", "1", "--dns-upstream", "none", "--cni-conf", configuration);
    }

    private static async Task ApplyAsync(RunningLab lab, params string[] pods)
    {
        var manifest = new StringBuilder();
        foreach (var pod in pods)
        {
            manifest.Append($"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {pod}}}\nspec: {{nodeName: node-1, containers: [{{name: main, image: pause}}]}}\n");
        }
        (await lab.KubectlWithInputAsync(manifest.ToString(), "apply", "-f", "-")).Succeeds();
    }

    /// <summary>The verbs that the plugin was called with for a pod.</summary>
    private async Task<IReadOnlyList<string>> AskedAsync(string pod)
    {
        var path = Path.Combine(_user.RuntimeDirectory, "plumb", "default", "node-1", "var-lib", "moody");
        return File.Exists(path)
            ? [.. (await File.ReadAllLinesAsync(path, Cancel)).Select(static line => line.Split(' ')).Where(words => words[1] == pod).Select(static words => words[0])]
            : [];
    }

    // As tools write it: a reader sees the old file or the new one.
    private async Task WriteAsync(string name, string content)
    {
        var path = Path.Combine(Directory, name);
        await File.WriteAllTextAsync(path + ".new", content, Cancel);
        File.Move(path + ".new", path, overwrite: true);
    }

    private static async Task SaysAsync(RunningLab lab, string ready, string message)
    {
        var now = "";
        for (var left = 100; left > 0; left--)
        {
            now = await lab.GetAsync("node", "node-1", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status} {.status.conditions[?(@.type=='Ready')].message}");
            if (now == $"{ready} {message}")
            {
                return;
            }
            await Task.Delay(100, Cancel);
        }
        Assert.Equal($"{ready} {message}", now);
    }
}
