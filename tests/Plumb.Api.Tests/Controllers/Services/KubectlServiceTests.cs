using System.Diagnostics;
using Plumb.Api.Controllers;

namespace Plumb.Api.Tests.Controllers.Services;

/// <summary>What a person does with Services and StatefulSets, by kubectl against the whole server with its controllers.</summary>
public sealed class KubectlServiceTests : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("plumb-services");
    private ApiServer server = null!;
    private Cluster cluster = null!;

    public async ValueTask InitializeAsync()
    {
        server = await ApiServer.StartAsync(new ApiServerOptions { Random = new Random(1), Time = TimeProvider.System }, TestContext.Current.CancellationToken);
        cluster = new Cluster(server.Registry);
        cluster.Start(new ControllerOptions { Time = TimeProvider.System });
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "config"), server.Kubeconfig("lab"));
    }

    public async ValueTask DisposeAsync()
    {
        await cluster.DisposeAsync();
        await server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Services_are_made_by_expose_and_by_create_service()
    {
        await KubectlAsync("create", "deployment", "web", "--image=httpd", "--replicas=2", "--port=8080");
        await KubectlAsync("rollout", "status", "deployment/web", "--timeout=60s");
        await KubectlAsync("expose", "deployment", "web", "--port=80", "--target-port=8080", "--type=NodePort", "--name=exposed");
        await KubectlAsync("create", "service", "clusterip", "plain", "--tcp=5678:8080");
        await KubectlAsync("create", "service", "clusterip", "headless", "--clusterip=None");
        await KubectlAsync("create", "service", "nodeport", "door", "--tcp=80:8080", "--node-port=31100");
        await KubectlAsync("create", "service", "loadbalancer", "balanced", "--tcp=80:8080");
        await KubectlAsync("create", "service", "externalname", "away", "--external-name=www.example.com");
        var rows = (await KubectlAsync("get", "services", "--no-headers")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToDictionary(cells => cells[0], cells => cells[1..5]);
        Assert.Equal(["ExternalName", "<none>", "www.example.com", "<none>"], rows["away"]);
        Assert.Equal(["ClusterIP", "None", "<none>", "<none>"], rows["headless"]);
        Assert.Equal("80:31100/TCP", rows["door"][3]);
        Assert.Equal(["LoadBalancer", "<pending>"], [rows["balanced"][0], rows["balanced"][2]]);
        Assert.Equal("5678/TCP", rows["plain"][3]);
        string described = await KubectlAsync("describe", "service", "exposed");
        Assert.Contains("Selector:                 app=web", described, StringComparison.Ordinal);
        Assert.Equal(2, described.Split('\n').Single(line => line.StartsWith("Endpoints:", StringComparison.Ordinal)).Split(',').Length);
        Assert.Contains("provided port is already allocated", await RefusedAsync("create", "service", "nodeport", "again", "--tcp=80:80", "--node-port=31100"), StringComparison.Ordinal);
        Assert.Contains("services/default/plain", await KubectlAsync("get", "ipaddresses"), StringComparison.Ordinal);
        Assert.Contains("10.96.0.0/12", await KubectlAsync("get", "servicecidrs"), StringComparison.Ordinal);
        await KubectlAsync("delete", "service", "exposed", "plain", "door");
        Assert.DoesNotContain("plain", await KubectlAsync("get", "ipaddresses"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_services_of_every_cluster_are_there()
    {
        Assert.Equal("10.96.0.1 443", await KubectlAsync("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP} {.spec.ports[0].port}"));
        Assert.Equal("10.96.0.10 dns/UDP dns-tcp/TCP ", await KubectlAsync("get", "service", "kube-dns", "-n", "kube-system", "-o", "jsonpath={.spec.clusterIP} {range .spec.ports[*]}{.name}/{.protocol} {end}"));
    }

    [Fact]
    public async Task A_StatefulSet_is_rolled_out_scaled_and_taken_back()
    {
        string manifest = Path.Combine(folder.FullName, "kafka.yaml");
        await File.WriteAllTextAsync(manifest, """
            apiVersion: apps/v1
            kind: StatefulSet
            metadata: {name: kafka}
            spec:
              serviceName: kafka
              replicas: 2
              selector: {matchLabels: {app: kafka}}
              template:
                metadata: {labels: {app: kafka}}
                spec: {containers: [{name: broker, image: "kafka:1"}]}
            """, TestContext.Current.CancellationToken);
        await KubectlAsync("apply", "-f", manifest);
        Assert.Contains("2 new pods have been updated", await RolledOutAsync(), StringComparison.Ordinal);
        await KubectlAsync("set", "image", "statefulset/kafka", "broker=kafka:2");
        await RolledOutAsync();
        Assert.Equal("kafka:2 kafka:2", await ImagesAsync());
        await KubectlAsync("rollout", "undo", "statefulset/kafka");
        await RolledOutAsync();
        Assert.Equal("kafka:1 kafka:1", await ImagesAsync());
        await KubectlAsync("scale", "statefulset", "kafka", "--replicas=3");
        await RolledOutAsync();
        Assert.StartsWith("kafka   3/3", (await KubectlAsync("get", "statefulset", "kafka", "--no-headers")).TrimEnd(), StringComparison.Ordinal);
        await KubectlAsync("rollout", "restart", "statefulset/kafka");
        await RolledOutAsync();
        Assert.Equal(["2", "3", "4"], (await KubectlAsync("rollout", "history", "statefulset/kafka")).Split('\n').Select(line => line.Split(' ')[0]).Where(word => int.TryParse(word, out _)));
        await KubectlAsync("delete", "statefulset", "kafka", "--cascade=foreground");
        Assert.Empty(cluster.Pods("kafka"));
    }

    private async Task<string> ImagesAsync() => await KubectlAsync("get", "pods", "-l", "app=kafka", "-o", "jsonpath={.items[*].spec.containers[0].image}");

    private Task<string> RolledOutAsync() => KubectlAsync("rollout", "status", "statefulset/kafka", "--timeout=60s");

    private async Task<string> KubectlAsync(params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.True(code == 0, $"kubectl {string.Join(' ', arguments)}: {error}");
        return output;
    }

    private async Task<string> RefusedAsync(params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);
        Assert.NotEqual(0, code);
        return error;
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(string[] arguments)
    {
        var start = new ProcessStartInfo("kubectl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = Path.Combine(folder.FullName, "config");
        start.Environment["HOME"] = folder.FullName;
        using var kubectl = Process.Start(start)!;
        var output = kubectl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = kubectl.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await kubectl.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (kubectl.ExitCode, await output, await error);
    }
}
