using System.Diagnostics;
using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests;

/// <summary>The machine's own kubectl, driven against the server over TLS.</summary>
public sealed class KubectlTests : IAsyncLifetime
{
    private const string Website = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: website, labels: {app: website}}
        spec:
          replicas: 3
          selector: {matchLabels: {app: website}}
          template:
            metadata: {labels: {app: website}}
            spec:
              containers:
              - name: web
                image: httpd
                ports: [{containerPort: 80}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: website}
        spec: {selector: {app: website}, ports: [{port: 80}]}
        """;

    private readonly string _home = Directory.CreateTempSubdirectory("plumb-api-").FullName;
    private TestServer _server = null!;

    private string Manifest => Path.Combine(_home, "website.yaml");

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(_home, "kubeconfig"), _server.Api.Kubeconfig("test"), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Manifest, Website, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    [Fact]
    public async Task Apply_creates_then_changes_nothing_then_changes_what_changed()
    {
        Assert.Contains("deployment.apps/website created\nservice/website created", await KubectlAsync("apply", "-f", Manifest), StringComparison.Ordinal);
        Assert.Contains("deployment.apps/website unchanged\nservice/website unchanged", await KubectlAsync("apply", "-f", Manifest), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Manifest, Website.Replace("replicas: 3", "replicas: 4", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.Contains("deployment.apps/website configured\nservice/website unchanged", await KubectlAsync("apply", "-f", Manifest), StringComparison.Ordinal);
        var wide = await KubectlAsync("get", "deployment", "website", "-o", "wide");
        Assert.Matches(@"website\s+0/4\s+0\s+0\s+\d+s\s+web\s+httpd\s+app=website", wide);
        Assert.Contains("deployment.apps \"website\" deleted", await KubectlAsync("delete", "-f", Manifest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_side_apply_owns_its_fields_and_names_the_manager_it_conflicts_with()
    {
        await KubectlAsync("apply", "--server-side", "--field-manager=one", "-f", Manifest);
        await File.WriteAllTextAsync(Manifest, Website.Replace("replicas: 3", "replicas: 4", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var refused = await KubectlAsync(["apply", "--server-side", "--field-manager=two", "-f", Manifest], fails: true);
        Assert.Contains("conflict with \"one\"", refused, StringComparison.Ordinal);
        await KubectlAsync("apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", Manifest);
        Assert.Equal("4", await KubectlAsync("get", "deployment", "website", "-o", "jsonpath={.spec.replicas}"));
    }

    [Fact]
    public async Task Scale_label_annotate_patch_and_set_change_objects()
    {
        await KubectlAsync("apply", "-f", Manifest);
        Assert.Contains("deployment.apps/website scaled", await KubectlAsync("scale", "deployment", "website", "--replicas=5"), StringComparison.Ordinal);
        Assert.Contains("labeled", await KubectlAsync("label", "deployment", "website", "x=y"), StringComparison.Ordinal);
        Assert.Contains("annotated", await KubectlAsync("annotate", "deployment", "website", "note=here"), StringComparison.Ordinal);
        Assert.Contains("image updated", await KubectlAsync("set", "image", "deployment/website", "web=httpd:2"), StringComparison.Ordinal);
        Assert.Contains("patched", await KubectlAsync("patch", "service", "website", "-p", "{\"spec\":{\"type\":\"NodePort\"}}"), StringComparison.Ordinal);
        Assert.Equal("5 y here httpd:2", await KubectlAsync("get", "deployment", "website", "-o",
            "jsonpath={.spec.replicas} {.metadata.labels.x} {.metadata.annotations.note} {.spec.template.spec.containers[0].image}"));
        Assert.Matches(@"website\s+NodePort\s+10\.\d+\.\d+\.\d+\s+<none>\s+80:3\d{4}/TCP", await KubectlAsync("get", "service", "website"));
    }

    [Fact]
    public async Task What_create_makes_can_be_read_back()
    {
        await KubectlAsync("create", "namespace", "made");
        await KubectlAsync("create", "configmap", "settings", "--from-literal=a=b", "-n", "made");
        await KubectlAsync("create", "secret", "generic", "key", "--from-literal=k=v", "-n", "made");
        await KubectlAsync("create", "deployment", "d", "--image=httpd", "--port=80", "--replicas=2", "-n", "made");
        await KubectlAsync("create", "service", "clusterip", "s", "--tcp=80:8080", "-n", "made");
        Assert.Equal("b", await KubectlAsync("get", "configmap", "settings", "-n", "made", "-o", "jsonpath={.data.a}"));
        Assert.Equal("dg==", await KubectlAsync("get", "secret", "key", "-n", "made", "-o", "jsonpath={.data.k}"));
        Assert.Equal("2 d 80", await KubectlAsync("get", "deployment", "d", "-n", "made", "-o",
            "jsonpath={.spec.replicas} {.spec.template.metadata.labels.app} {.spec.template.spec.containers[0].ports[0].containerPort}"));
        Assert.Equal("8080", await KubectlAsync("get", "service", "s", "-n", "made", "-o", "jsonpath={.spec.ports[0].targetPort}"));
    }

    [Fact]
    public async Task A_pod_is_run_described_and_deleted()
    {
        await KubectlAsync("run", "client", "--image=busybox", "--command", "--", "sleep", "1000");
        var described = await KubectlAsync("describe", "pod", "client");
        Assert.Matches(@"Status:\s+Pending", described);
        Assert.Matches(@"QoS Class:\s+BestEffort", described);
        Assert.Matches(@"client\s+0/1\s+Pending\s+0\s+\d+s\s+<none>\s+<none>\s+<none>\s+<none>", await KubectlAsync("get", "pod", "client", "-o", "wide"));
        Assert.Contains("kind: Pod", await KubectlAsync("get", "pod", "client", "-o", "yaml"), StringComparison.Ordinal);
        Assert.Contains("pod \"client\" deleted", await KubectlAsync("delete", "pod", "client"), StringComparison.Ordinal);
        Assert.Contains("NotFound", await KubectlAsync(["get", "pod", "client"], fails: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bound_pod_stays_until_its_node_confirms_the_deletion()
    {
        await KubectlAsync("run", "client", "--image=busybox");
        var key = new StoreKey(GroupResource.Pods, "default", "client");
        _server.Api.Registry.Bind(key, "node-1");
        await KubectlAsync("delete", "pod", "client", "--wait=false");
        Assert.Matches(@"client\s+0/1\s+Terminating", await KubectlAsync("get", "pod", "client"));
        _server.Api.Registry.Delete(key, Resources.DeleteOptions.Now);
        Assert.Contains("NotFound", await KubectlAsync(["get", "pod", "client"], fails: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rollout_status_waits_for_the_deployment_s_status()
    {
        await KubectlAsync("apply", "-f", Manifest);
        var status = KubectlAsync("rollout", "status", "deployment", "website", "--timeout=60s");
        _server.Api.Registry.Update(new StoreKey(GroupResource.Deployments, "default", "website"), static root =>
        {
            root["status"] = new JsonObject { ["observedGeneration"] = 1, ["replicas"] = 3, ["updatedReplicas"] = 3, ["readyReplicas"] = 3, ["availableReplicas"] = 3 };
            return true;
        }, Resources.Part.Status);
        Assert.Contains("successfully rolled out", await status, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_field_and_a_wrong_one_are_refused_by_name()
    {
        await File.WriteAllTextAsync(Manifest, Website.Replace("replicas: 3", "replicaz: 3", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.Contains("unknown field \"spec.replicaz\"", await KubectlAsync(["apply", "-f", Manifest, "--validate=strict"], fails: true), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Manifest, Website.Replace("containerPort: 80", "containerPort: 80000", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.Contains("containerPort: Invalid value: 80000: must be between 1 and 65535, inclusive", await KubectlAsync(["apply", "-f", Manifest], fails: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Discovery_tells_kubectl_what_there_is()
    {
        var resources = await KubectlAsync("api-resources");
        Assert.Matches(@"deployments\s+deploy\s+apps/v1\s+true\s+Deployment", resources);
        Assert.Matches(@"nodes\s+no\s+v1\s+false\s+Node", resources);
        Assert.Contains("Server Version: v1.34.0+plumb", await KubectlAsync("version"), StringComparison.Ordinal);
        Assert.Contains("containerPort", await KubectlAsync("explain", "pod.spec.containers.ports"), StringComparison.Ordinal);
        Assert.Contains("No events found", await KubectlAsync("events"), StringComparison.Ordinal);
    }

    private Task<string> KubectlAsync(params string[] arguments) => KubectlAsync(arguments, fails: false);

    private async Task<string> KubectlAsync(string[] arguments, bool fails)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(static folder => File.Exists(Path.Combine(folder, "kubectl"))), "there is no kubectl on this machine");
        var start = new ProcessStartInfo("kubectl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = Path.Combine(_home, "kubeconfig");
        start.Environment["HOME"] = _home;
        using var kubectl = Process.Start(start)!;
        var output = kubectl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = kubectl.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await kubectl.WaitForExitAsync(TestContext.Current.CancellationToken);
        var said = await output + await errors;
        Assert.True(kubectl.ExitCode != 0 == fails, $"kubectl {string.Join(' ', arguments)} ended with {kubectl.ExitCode}:\n{said}");
        return said;
    }
}
