using System.Text.Json;

namespace Plumb.Api.Resources.Tables;

/// <summary>Services, endpoints, policies, ingresses.</summary>
internal static class NetworkTables
{
    private const int MostShown = 3;

    public static readonly TableLayout Services = new(
        TableLayout.Name,
        new Column("Type", static row => row.Root.Text("spec", "type")),
        new Column("Cluster-IP", static row => Json.OrNone(row.Root.Text("spec", "clusterIP"))),
        new Column("External-IP", static row => ExternalAddresses(row)),
        new Column("Port(s)", static row => Json.OrNone(string.Join(',', row.Root.Items("spec", "ports").Select(ServicePort)))),
        TableLayout.Age,
        new Column("Selector", static row => Json.OrNone(SelectorText.OfMap(WorkloadTables.Node(row.Root.Get("spec", "selector")))), 1));

    public static readonly TableLayout Endpoints = new(
        TableLayout.Name,
        new Column("Endpoints", static row => Json.OrNone(Shorten(EndpointAddresses(row)))),
        TableLayout.Age);

    public static readonly TableLayout EndpointSlices = new(
        TableLayout.Name,
        new Column("AddressType", static row => row.Root.Text("addressType")),
        new Column("Ports", static row => OrUnset(Shorten([.. row.Root.Items("ports").Select(SlicePort)]))),
        new Column("Endpoints", static row => OrUnset(Shorten([.. row.Root.Items("endpoints").SelectMany(static endpoint => endpoint.Items("addresses")).Select(static address => address.GetString()!)]))),
        TableLayout.Age);

    public static readonly TableLayout NetworkPolicies = new(
        TableLayout.Name,
        new Column("Pod-Selector", static row => WorkloadTables.SelectorOf(row.Root.Get("spec", "podSelector"))),
        TableLayout.Age);

    public static readonly TableLayout Ingresses = new(
        TableLayout.Name,
        new Column("Class", static row => Json.OrNone(row.Root.Text("spec", "ingressClassName"))),
        new Column("Hosts", static row => Hosts(row)),
        new Column("Address", static row => string.Join(',', LoadBalancerAddresses(row))),
        new Column("Ports", static row => row.Root.Count("spec", "tls") > 0 ? "80, 443" : "80"),
        TableLayout.Age);

    public static readonly TableLayout IngressClasses = new(
        TableLayout.Name,
        new Column("Controller", static row => row.Root.Text("spec", "controller")),
        new Column("Parameters", static row => Parameters(row.Root.Get("spec", "parameters"))),
        TableLayout.Age);

    public static readonly TableLayout Addresses = new(
        TableLayout.Name,
        new Column("ParentRef", static row => Parent(row.Root.Get("spec", "parentRef"))));

    public static readonly TableLayout ServiceCidrs = new(
        TableLayout.Name,
        new Column("CIDRs", static row => string.Join(',', row.Root.Items("spec", "cidrs").Select(static range => range.GetString()))),
        TableLayout.Age);

    private static string ExternalAddresses(Row row)
    {
        var given = row.Root.Items("spec", "externalIPs").Select(static address => address.GetString()!).ToList();
        switch (row.Root.Text("spec", "type"))
        {
            case "ExternalName":
                return row.Root.Text("spec", "externalName");
            case "LoadBalancer":
                var all = LoadBalancerAddresses(row).Concat(given).ToList();
                return all.Count > 0 ? string.Join(',', all) : "<pending>";
            default:
                return Json.OrNone(string.Join(',', given));
        }
    }

    private static IEnumerable<string> LoadBalancerAddresses(Row row) => row.Root.Items("status", "loadBalancer", "ingress")
        .Select(static ingress => ingress.Text("ip") is { Length: > 0 } address ? address : ingress.Text("hostname"));

    private static string ServicePort(JsonElement port)
    {
        var node = port.Number("nodePort");
        return node > 0 ? $"{port.Number("port")}:{node}/{port.Text("protocol")}" : $"{port.Number("port")}/{port.Text("protocol")}";
    }

    private static string SlicePort(JsonElement port)
    {
        if (port.Get("port").ValueKind == JsonValueKind.Number)
            return port.Number("port").ToString();
        return port.Text("name") is { Length: > 0 } name ? name : "*";
    }

    private static List<string> EndpointAddresses(Row row)
    {
        var all = new List<string>();
        foreach (var subset in row.Root.Items("subsets"))
        {
            if (subset.Count("ports") == 0)
            {
                all.AddRange(subset.Items("addresses").Select(static address => address.Text("ip")));
                continue;
            }

            foreach (var port in subset.Items("ports"))
                all.AddRange(subset.Items("addresses").Select(address => Authority(address.Text("ip"), port.Number("port"))));
        }

        return all;
    }

    private static string Authority(string address, long port) => address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port}" : $"{address}:{port}";

    private static string Hosts(Row row)
    {
        var hosts = row.Root.Items("spec", "rules").Select(static rule => rule.Text("host")).Where(static host => host.Length > 0).ToList();
        return hosts.Count > 0 ? Shorten(hosts) : "*";
    }

    private static string Parameters(JsonElement parameters)
    {
        if (parameters.ValueKind != JsonValueKind.Object)
            return "<none>";
        var group = parameters.Text("apiGroup");
        return $"{parameters.Text("kind")}{(group.Length > 0 ? "." + group : "")}/{parameters.Text("name")}";
    }

    /// <summary>`services/default/website`, `group/resource/namespace/name` as far as there is any.</summary>
    private static string Parent(JsonElement parent) =>
        string.Join('/', new[] { parent.Text("group"), parent.Text("resource"), parent.Text("namespace"), parent.Text("name") }.Where(static part => part.Length > 0));

    private static string Shorten(List<string> items) => items.Count <= MostShown
        ? string.Join(',', items)
        : $"{string.Join(',', items.Take(MostShown))} + {items.Count - MostShown} more...";

    private static string OrUnset(string text) => text.Length == 0 ? "<unset>" : text;
}
