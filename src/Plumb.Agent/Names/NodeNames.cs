using Microsoft.Extensions.Logging;
using Plumb.Dns;
using Plumb.Dns.Answering;
using Plumb.Dns.Forwarding;
using Plumb.Dns.Zones;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Agent.Names;

/// <summary>
/// The node's DNS server, fed by the same watches as its Services. It answers from the moment on at which it knows them all: before, a client
/// asks again, which is better than to hear that a Service does not exist.
/// </summary>
internal sealed partial class NodeNames : IDisposable
{
    private readonly NodeAgentOptions _options;
    private readonly NetworkNamespace _network;
    private readonly Explainer _explainer;

    public NodeNames(NodeAgentOptions options)
    {
        _options = options;
        _network = NetworkNamespace.Open(options.Network.ProcPath);
        Zone = new ClusterZone(AskedNames.ZoneOf(options));
        _explainer = new Explainer(Zone);
    }

    public ClusterZone Zone { get; }

    public void Take(in ObjectChange<Service> change)
    {
        if (change.New is { } now)
        {
            Zone.Set(now);
        }
        else
        {
            Zone.RemoveService(change.Key);
        }
    }

    public void Take(in ObjectChange<EndpointSlice> change)
    {
        if (change.New is { } now)
        {
            Zone.Set(now);
        }
        else
        {
            Zone.RemoveSlice(change.Key);
        }
    }

    /// <summary>
    /// All names are known: answers, and begins again when it has to end, until cancelled. A node without DNS serves pods all the same, and
    /// says what is missing.
    /// </summary>
    /// <param name="answers">Told whether it answers, when that is another than the last time; told first only when it does not.</param>
    public Task RunAsync(Action<bool> answers, CancellationToken cancel)
    {
        var told = true;
        var options = new DnsServerOptions
        {
            Network = _network,
            Addresses = [.. _options.Cluster.DnsServers],
            Zone = Zone,
            Forward = _options.Forward,
            Log = _options.Log,
            Time = _options.Time,
        };
        return DnsServer.KeepAsync(options, Tell, cancel);

        void Tell(string? why)
        {
            if (why is not null)
            {
                Log.NotServing(_options.Log, why);
            }
            if (told != (why is null))
            {
                told = why is null;
                answers(told);
            }
        }
    }

    /// <summary>What each try for a name gets, as a JSON document: <c>?name=website&amp;search=default.svc.cluster.local …&amp;ndots=5&amp;type=A</c>.</summary>
    public byte[] Explain(IReadOnlyDictionary<string, string> query) => AskedNames.Explain(_explainer, query);

    public void Dispose() => _network.Dispose();

    private static partial class Log
    {
        [LoggerMessage(1010, LogLevel.Error, "no DNS on this node, tried again until there is: {Why}")]
        public static partial void NotServing(ILogger log, string why);
    }
}
