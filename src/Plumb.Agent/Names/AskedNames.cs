using System.Text.Json;
using Plumb.Dns.Answering;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Agent.Names;

/// <summary>
/// What names of the cluster come to on a node where somebody else answers DNS: by the objects behind them, for which the API is asked when a person asks. Whether that server
/// says the same is not known; what it asks servers outside is theirs to say.
/// </summary>
internal static class AskedNames
{
    /// <inheritdoc cref="NodeNames.Explain"/>
    /// <exception cref="ApiException">The API server refuses to tell.</exception>
    public static async Task<byte[]> ExplainAsync(NodeAgentOptions options, KubernetesClient api, IReadOnlyDictionary<string, string> query, CancellationToken cancel)
    {
        var zone = new ClusterZone(ZoneOf(options));
        var asked = new HashSet<(string, string)>();
        foreach (var (name, _) in PathOf(query).Candidates(NameOf(query)))
        {
            if (ServiceIn(name, zone.Options.Domain) is not { } service || !asked.Add(service) || await api.FindAsync<Service>(service.Scope, service.Name, cancel) is not { } found)
            {
                continue;
            }
            zone.Set(found);
            if (found.Spec.ClusterIP is null or "" or "None")
            {
                // Its names are those of its endpoints.
                var labels = Selector.Parse($"{EndpointSlice.ServiceNameLabel}={service.Name}");
                foreach (var slice in (await api.ListAsync<EndpointSlice>(new ListOptions { Namespace = service.Scope, Labels = labels }, cancel)).Items)
                {
                    zone.Set(slice);
                }
            }
        }
        return Explain(new Explainer(zone), query);
    }

    public static byte[] Explain(Explainer explainer, IReadOnlyDictionary<string, string> query)
    {
        var type = RecordText.TryParse(query.GetValueOrDefault("type", "A"), out var asked) ? asked : RecordType.A;
        return JsonSerializer.SerializeToUtf8Bytes(NameReport.Of(explainer, PathOf(query), NameOf(query), type), NameReportJson.Default.NameReport);
    }

    public static ZoneOptions ZoneOf(NodeAgentOptions options) => new()
    {
        Servers = [.. options.Cluster.DnsServers],
        Ranges = [.. options.Cluster.ServiceRanges, .. options.Cluster.ClusterRanges],
        PodRanges = [.. options.Cluster.ClusterRanges],
    };

    private static string NameOf(IReadOnlyDictionary<string, string> query) => query.GetValueOrDefault("name", "");

    private static SearchPath PathOf(IReadOnlyDictionary<string, string> query) => new(
        [],
        [.. query.GetValueOrDefault("search", "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(static t => DomainName.TryParse(t, out _)).Select(static t => DomainName.Parse(t))],
        int.TryParse(query.GetValueOrDefault("ndots"), out var dots) ? dots : 1);

    /// <summary>The Service in names such as <c>website.default.svc.cluster.local</c> and <c>_http._tcp.website.default.svc.cluster.local</c>; null: it is none.</summary>
    private static (string Scope, string Name)? ServiceIn(DomainName name, DomainName domain)
    {
        if (!name.IsWithin(domain))
        {
            return null;
        }
        var labels = name.Lower().ToString().TrimEnd('.').Split('.');
        var ours = labels.Length - domain.ToString().TrimEnd('.').Split('.').Length;
        return ours >= 3 && labels[ours - 1] == "svc" ? (labels[ours - 2], labels[ours - 3]) : null;
    }
}
