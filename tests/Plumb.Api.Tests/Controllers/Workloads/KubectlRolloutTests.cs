using System.Diagnostics;
using Plumb.Api.Controllers;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers.Workloads;

/// <summary>What a person does with a Deployment, by kubectl against the whole server; and the same seen by our own client.</summary>
public sealed class KubectlRolloutTests
{
    [Fact]
    public async Task Kubectl_follows_a_roll_out_and_takes_it_back()
    {
        await using var server = await ApiServer.StartAsync(new ApiServerOptions { Random = new Random(1), Time = TimeProvider.System }, TestContext.Current.CancellationToken);
        await using var cluster = new Cluster(server.Registry);
        cluster.Start(new ControllerOptions { Time = TimeProvider.System });
        var folder = Directory.CreateTempSubdirectory("plumb-rollout");
        try
        {
            string config = Path.Combine(folder.FullName, "config");
            await File.WriteAllTextAsync(config, server.Kubeconfig("lab"), TestContext.Current.CancellationToken);
            await KubectlAsync(config, "create", "deployment", "web", "--image=httpd", "--replicas=3");
            Assert.Contains("successfully rolled out", await KubectlAsync(config, "rollout", "status", "deployment/web", "--timeout=60s"), StringComparison.Ordinal);
            await KubectlAsync(config, "set", "image", "deployment/web", "httpd=httpd:2");
            Assert.Contains("successfully rolled out", await KubectlAsync(config, "rollout", "status", "deployment/web", "--timeout=60s"), StringComparison.Ordinal);
            await KubectlAsync(config, "rollout", "undo", "deployment/web");
            Assert.Contains("successfully rolled out", await KubectlAsync(config, "rollout", "status", "deployment/web", "--timeout=60s"), StringComparison.Ordinal);
            Assert.Equal(["2", "3"], (await KubectlAsync(config, "rollout", "history", "deployment/web")).Split('\n').Select(line => line.Split(' ')[0]).Where(word => int.TryParse(word, out _)));
            await KubectlAsync(config, "scale", "deployment", "web", "--replicas=5");
            Assert.Contains("successfully rolled out", await KubectlAsync(config, "rollout", "status", "deployment/web", "--timeout=60s"), StringComparison.Ordinal);
            Assert.Contains("NewReplicaSetAvailable", await KubectlAsync(config, "describe", "deployment", "web"), StringComparison.Ordinal);
            await KubectlAsync(config, "delete", "deployment", "web", "--cascade=foreground");
            Assert.DoesNotContain(cluster.Pods("web"), pod => !pod.IsDeleting);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task An_informer_of_our_client_sees_what_the_controllers_do()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var server = await ApiServer.StartAsync(new ApiServerOptions { Random = new Random(1), Time = TimeProvider.System }, cancel);
        await using var cluster = new Cluster(server.Registry);
        cluster.Start(new ControllerOptions { Time = TimeProvider.System });
        using var client = new KubernetesClient(
            new() { Server = new Uri("http://api"), Connect = _ => new ValueTask<Stream>(server.Connect()) }, TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var informer = new Informer<Pod>(client, new ListOptions { Namespace = "default" }, new Random(1));
        var running = informer.RunAsync(stop.Token);
        await informer.Synced;
        cluster.Deployment("web", 3);
        var ready = new HashSet<string>();
        while (ready.Count < 3)
        {
            var change = await informer.Changes.ReadAsync(cancel);
            if (change.New is { } pod && pod.Status.Conditions.IsTrue("Ready"))
                ready.Add(pod.Metadata.Name);
        }
        await client.DeleteAsync<Deployment>("default", "web", cancel: cancel);
        while (ready.Count > 0)
        {
            var change = await informer.Changes.ReadAsync(cancel);
            if (change.Kind == ObjectChangeKind.Deleted)
                ready.Remove(change.Key.Name);
        }
        Assert.Empty(informer.Objects);
        await stop.CancelAsync();
        await running;
    }

    private static async Task<string> KubectlAsync(string config, params string[] arguments)
    {
        var start = new ProcessStartInfo("kubectl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = config;
        start.Environment["HOME"] = Path.GetDirectoryName(config);
        using var kubectl = Process.Start(start)!;
        var output = kubectl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = kubectl.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await kubectl.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(kubectl.ExitCode == 0, $"kubectl {string.Join(' ', arguments)}: {await error}");
        return await output;
    }
}
