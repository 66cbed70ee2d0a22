using System.Text.Json;
using Plumb.Kubernetes.Clients;

namespace Plumb.Benchmarks.Scale;

/// <summary>
/// The rest of a cluster's agents, as far as its API can tell: `Plumb.Benchmarks scale-others KUBECONFIG COUNT` watches for each what an agent watches, and throws away what
/// it hears. Prints a line when it watches; ends when its standard input does.
/// </summary>
internal static class OtherNodes
{
    private static readonly string[] _watched = ["/api/v1/nodes", "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices"];

    public static async Task<int> RunAsync(string[] arguments)
    {
        var connection = Kubeconfig.Load(arguments[0], "/").Connection();
        using var lists = new KubernetesClient(connection, TimeProvider.System, "plumb-bench");
#pragma warning disable CA5359 // The server is this benchmark's own, on this machine.
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true } };
#pragma warning restore CA5359
        using var http = new HttpClient(handler) { BaseAddress = connection.Server, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new("Bearer", connection.Token);
        using var end = new CancellationTokenSource();
        var listening = new List<Task>();
        foreach (var path in _watched)
        {
            using var page = JsonDocument.Parse(await lists.SendAsync(HttpMethod.Get, path + "?limit=1"));
            var version = page.RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString();
            for (var i = 0; i < Figures.Number(arguments[1]); i++)
            {
                var body = await http.GetStreamAsync(new Uri($"{path}?watch=1&allowWatchBookmarks=true&resourceVersion={version}", UriKind.Relative));
                listening.Add(body.CopyToAsync(Stream.Null, end.Token));
            }
        }
        Console.WriteLine("watching");
        await Console.In.ReadToEndAsync();
        await end.CancelAsync();
        await Task.WhenAll(listening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }
}
