using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;

namespace Plumb.Benchmarks.Services;

/// <summary>
/// How long a changed endpoint takes to a running agent's kernel: `Plumb.Benchmarks watch KUBECONFIG SERVICES CHANGES`, inside of the node's network
/// namespace, for Services `service-N` with slices `service-N-a`. It watches the API as the agent does, and hears of the kernel's transactions.
/// </summary>
/// <remarks>Prints, in milliseconds: p50 and p99 from the watch's event to the kernel, then from the request that made the change to the kernel.</remarks>
internal static class WatchRun
{
    private const int Warm = 50;

    public static async Task<int> RunAsync(string[] arguments)
    {
        var (services, changes) = (int.Parse(arguments[1], CultureInfo.InvariantCulture), int.Parse(arguments[2], CultureInfo.InvariantCulture));
        using var api = new KubernetesClient(Kubeconfig.Load(arguments[0], "/").Connection(), TimeProvider.System, "plumb-bench");
        using var kernel = NetlinkSubscription.Open(NetlinkFamily.Netfilter, NftablesEvents.Groups);
        using var end = new CancellationTokenSource();
        var commits = Channel.CreateUnbounded<long>();
        var hearing = HearAsync(kernel, commits.Writer, end.Token);
        var slices = new Informer<EndpointSlice>(api, ListOptions.All, new Random(1));
        var watching = slices.RunAsync(end.Token);
        await slices.Synced;
        while (slices.Changes.TryRead(out _))
        {
        }
        // No two runs give an endpoint an address that it has already: nothing would change.
        var random = new Random(Environment.ProcessId);
        var range = 204 + (Environment.ProcessId % 50);
        var (fromEvent, fromRequest) = (new List<double>(), new List<double>());
        for (var i = 0; i < Warm + changes; i++)
        {
            var address = $"10.{range}.{i >> 8}.{i & 255}";
            var name = $"service-{random.Next(services)}-a";
            while (commits.Reader.TryRead(out _))
            {
            }
            var asked = Stopwatch.GetTimestamp();
            var patching = api.PatchAsync<EndpointSlice>("default", name, Patch.Parse(PatchKind.Json, Encoding.UTF8.GetBytes($$"""[{"op":"replace","path":"/endpoints/0/addresses/0","value":"{{address}}"}]""")));
            var change = await slices.Changes.ReadAsync();
            while (change.Key.Name != name)
            {
                change = await slices.Changes.ReadAsync();
            }
            var heard = Stopwatch.GetTimestamp();
            var written = await commits.Reader.ReadAsync();
            await patching;
            if (i >= Warm)
            {
                fromEvent.Add(Stopwatch.GetElapsedTime(heard, written).TotalMilliseconds);
                fromRequest.Add(Stopwatch.GetElapsedTime(asked, written).TotalMilliseconds);
            }
        }
        await end.CancelAsync();
        await Task.WhenAll(watching, hearing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Console.WriteLine($"{Of(fromEvent, 50):0.00} {Of(fromEvent, 99):0.00} {Of(fromRequest, 50):0.00} {Of(fromRequest, 99):0.00}");
        return 0;
    }

    private static double Of(List<double> times, int percent)
    {
        times.Sort();
        return times[times.Count * percent / 100];
    }

    private static async Task HearAsync(NetlinkSubscription kernel, ChannelWriter<long> commits, CancellationToken cancel)
    {
        while (true)
        {
            await kernel.ReceiveAsync(message =>
            {
                if (NftablesEvents.Read(message) is NftablesGenerationEvent)
                {
                    commits.TryWrite(Stopwatch.GetTimestamp());
                }
            }, cancel);
        }
    }
}
