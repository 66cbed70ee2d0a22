using System.Globalization;
using System.Net.Sockets;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node;

/// <summary>
/// The environment variables that tell a container where Services are: `REDIS_SERVICE_HOST` and the older `REDIS_PORT_6379_TCP_ADDR`. A container has what there
/// was when it started, as with a kubelet.
/// </summary>
/// <remarks>Thread-safe. The pods of a namespace share one map, which is made anew when a Service changed.</remarks>
internal sealed class ServiceVariables(Informer<Service> services)
{
    private static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Namespace, bool Links), IReadOnlyDictionary<string, string>> _made = [];

    /// <summary>Completes when the Services that there were at the start are known.</summary>
    public Task Synced => services.Synced;

    /// <summary>A Service has changed.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _made.Clear();
        }
    }

    /// <param name="links">`enableServiceLinks`: the Services of the pod's namespace. The Service `kubernetes` is told in any case.</param>
    public IReadOnlyDictionary<string, string> Of(string @namespace, bool links)
    {
        lock (_gate)
        {
            if (!_made.TryGetValue((@namespace, links), out var variables))
            {
                _made[(@namespace, links)] = variables = Make(@namespace, links);
            }
            return variables;
        }
    }

    private IReadOnlyDictionary<string, string> Make(string @namespace, bool links)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        if (services.Find("default", "kubernetes") is { } api)
        {
            Add(variables, api);
        }
        if (links)
        {
            foreach (var (key, service) in services.Objects)
            {
                if (key.Namespace == @namespace)
                {
                    Add(variables, service);
                }
            }
        }
        return variables.Count == 0 ? None : variables;
    }

    internal static void Add(Dictionary<string, string> variables, Service service)
    {
        if (service.Spec.ClusterIP is not { Length: > 0 } address || service.Spec.IsHeadless || service.Spec.Ports.Count == 0)
        {
            return;
        }
        var name = NameOf(service.Metadata.Name);
        variables[name + "_SERVICE_HOST"] = address;
        variables[name + "_SERVICE_PORT"] = Text(service.Spec.Ports[0].Port);
        for (var i = 0; i < service.Spec.Ports.Count; i++)
        {
            var port = service.Spec.Ports[i];
            var number = Text(port.Port);
            var protocol = port.Protocol.ToLowerInvariant();
            var url = $"{protocol}://{(IsV6(address) ? $"[{address}]" : address)}:{number}";
            if (!string.IsNullOrEmpty(port.Name))
            {
                variables[$"{name}_SERVICE_PORT_{NameOf(port.Name)}"] = number;
            }
            if (i == 0)
            {
                variables[name + "_PORT"] = url;
            }
            var link = $"{name}_PORT_{number}_{port.Protocol.ToUpperInvariant()}";
            variables[link] = url;
            variables[link + "_PROTO"] = protocol;
            variables[link + "_PORT"] = number;
            variables[link + "_ADDR"] = address;
        }
    }

    private static string NameOf(string name) => name.Replace('-', '_').ToUpperInvariant();

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    private static bool IsV6(string address) => System.Net.IPAddress.TryParse(address, out var parsed) && parsed.AddressFamily == AddressFamily.InterNetworkV6;
}
