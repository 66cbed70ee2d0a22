using System.Net;
using Plumb.Api;
using Plumb.Api.Controllers;
using Plumb.Benchmarks.Scale;

namespace Plumb.Benchmarks.Api;

/// <summary>
/// The embedded API and its controllers as a process: `Plumb.Benchmarks api-server KUBECONFIG [NODES PODS SERVICES]` writes the kubeconfig when it answers, and ends
/// when its standard input does.
/// </summary>
internal static class ApiHost
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        await using var api = await ApiServer.StartAsync(new ApiServerOptions { Time = TimeProvider.System, Random = new Random(1), ServiceNetwork = IPNetwork.Parse(ScaleCluster.ServiceRange) });
        if (arguments is [_, var nodes, var pods, var services])
        {
            new ScaleCluster(Figures.Number(nodes), Figures.Number(pods), Figures.Number(services)).Fill(api.Registry);
        }
        // Nobody renews these nodes' leases.
        await using var controllers = ControllerHost.Start(
            api.Registry, new ControllerOptions { Time = TimeProvider.System, ClusterNetwork = IPNetwork.Parse(ScaleCluster.PodRange), NodeGrace = TimeSpan.FromDays(1) });
        // Whole or not at all: somebody waits for it.
        var partly = arguments[0] + ".part";
        await File.WriteAllTextAsync(partly, api.Kubeconfig("bench"));
        File.Move(partly, arguments[0], overwrite: true);
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
