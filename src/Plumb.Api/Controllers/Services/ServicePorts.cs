using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Services;

/// <summary>
/// The ports of a Service as a pod resolves them, in one text: pods with the same text share slices. Per port `name/protocol/number/appProtocol`, with spaces
/// between them; a slash in appProtocol is a tab.
/// </summary>
internal static class ServicePorts
{
    /// <summary>A named port that the pod does not have is left out.</summary>
    public static string Of(Service service, PodFacts pod)
    {
        var text = new StringBuilder();
        foreach (var port in service.Spec.Ports)
        {
            int number = port.TargetPort.Text is { } name
                ? pod.NamedPorts is { } named && named.TryGetValue((name, port.Protocol), out int found) ? found : 0
                : port.TargetPort.Number != 0 ? port.TargetPort.Number : port.Port;
            if (number != 0)
                Append(text, port.Name, port.Protocol, number, port.AppProtocol);
        }
        return text.ToString();
    }

    public static string Of(IReadOnlyList<EndpointPort> ports)
    {
        var text = new StringBuilder();
        foreach (var port in ports)
            Append(text, port.Name, port.Protocol, port.Port ?? 0, port.AppProtocol);
        return text.ToString();
    }

    /// <param name="unnamed">Whether a port without a name has the empty one, as in slices.</param>
    public static JsonArray ToNode(string ports, bool unnamed)
    {
        var list = new JsonArray();
        foreach (string port in ports.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = port.Split('/');
            var item = new JsonObject();
            if (parts[0].Length > 0 || unnamed)
                item["name"] = parts[0];
            if (parts[2] != "0")
                item["port"] = int.Parse(parts[2], CultureInfo.InvariantCulture);
            item["protocol"] = parts[1];
            if (parts[3].Length > 0)
                item["appProtocol"] = parts[3].Replace('\t', '/');
            list.Add(item);
        }
        return list;
    }

    private static void Append(StringBuilder text, string? name, string protocol, int number, string? appProtocol) =>
        text.Append(text.Length > 0 ? " " : "").Append(name).Append('/').Append(protocol).Append('/').Append(number).Append('/').Append(appProtocol?.Replace('/', '\t'));
}
