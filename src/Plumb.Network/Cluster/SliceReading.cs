using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;

namespace Plumb.Network.Cluster;

/// <summary>An EndpointSlice object as the network sees it.</summary>
/// <remarks>Names of nodes and zones that many endpoints share become one string each; hence an object with a memory, for one thread.</remarks>
public sealed class SliceReading
{
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    /// <summary>
    /// The slice, or null when it is no Service's, holds names instead of addresses, or is marked as nobody's business. What the
    /// API would have refused (an address of another family, loopback) is left out.
    /// </summary>
    public ServiceSlice? Read(EndpointSlice slice)
    {
        ArgumentNullException.ThrowIfNull(slice);
        var meta = slice.Metadata;
        IpFamily? family = slice.AddressType switch { "IPv4" => IpFamily.V4, "IPv6" => IpFamily.V6, _ => null };
        if (family is null
            || !meta.Labels.TryGetValue(EndpointSlice.ServiceNameLabel, out var service)
            || service.Length == 0
            || meta.Labels.ContainsKey(Service.ProxyNameLabel)
            || meta.Labels.ContainsKey(Service.HeadlessLabel))
        {
            return null;
        }
        var owner = ServiceReading.SubjectOf(meta.Namespace, service);
        return new ServiceSlice(SubjectOf(meta.Namespace, meta.Name), owner)
        {
            Family = family.Value,
            Ports = [.. Ports(slice)],
            Endpoints = [.. Endpoints(slice, family.Value)],
        };
    }

    public static Subject SubjectOf(string? scope, string name) =>
        new(SubjectKind.EndpointSlice, string.IsNullOrEmpty(scope) ? "default" : scope, name);

    private static List<SlicePort> Ports(EndpointSlice slice)
    {
        var ports = new List<SlicePort>(slice.Ports.Count);
        foreach (var port in slice.Ports)
        {
            if (port.Port is { } number and > 0 and <= ushort.MaxValue && ServiceReading.ProtocolOf(port.Protocol) is { } protocol)
            {
                ports.Add(new SlicePort(port.Name ?? "", protocol, (ushort)number));
            }
        }
        return ports;
    }

    private List<SliceEndpoint> Endpoints(EndpointSlice slice, IpFamily family)
    {
        var endpoints = new List<SliceEndpoint>(slice.Endpoints.Count);
        foreach (var endpoint in slice.Endpoints)
        {
            // Addresses after the first have no meaning (discovery/v1).
            if (endpoint.Addresses.Count == 0
                || !IpAddress.TryParse(endpoint.Addresses[0], out var address)
                || address.Family != family
                || address.IsLoopback || address.IsLinkLocal || address.IsMulticast || address.IsUnspecified)
            {
                continue;
            }
            endpoints.Add(new SliceEndpoint(
                address,
                StateOf(endpoint.Conditions),
                Name(endpoint.NodeName),
                [.. (endpoint.Hints?.ForZones ?? []).Select(zone => Name(zone.Name))],
                [.. (endpoint.Hints?.ForNodes ?? []).Select(node => Name(node.Name))]));
        }
        return endpoints;
    }

    // Absent means: ready, serving as ready is, not terminating.
    private static EndpointState StateOf(EndpointConditions conditions)
    {
        var ready = conditions.Ready ?? true;
        var state = ready ? EndpointState.Ready : EndpointState.None;
        if (conditions.Serving ?? ready)
        {
            state |= EndpointState.Serving;
        }
        return conditions.Terminating == true ? state | EndpointState.Terminating : state;
    }

    private string Name(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }
        if (!_names.TryGetValue(text, out var known))
        {
            _names[text] = known = text;
        }
        return known;
    }
}
