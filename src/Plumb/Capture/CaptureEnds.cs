using Plumb.CommandLine;
using Plumb.Diagnosis.Capture;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Lab;
using Plumb.Linux.Addresses;

namespace Plumb.Capture;

/// <summary>Whose packets a capture is about, as addresses; and whose all the others are.</summary>
/// <param name="Pods">That are an end, or an endpoint of one: their own namespaces are places, too.</param>
internal sealed record CaptureEnds(IReadOnlySet<IpAddress> Source, IReadOnlySet<IpAddress> Destination, CaptureNames Names, IReadOnlyList<SandboxStatus> Pods, bool IsFromOutside)
{
    /// <exception cref="LabException">Nothing, or more than one thing, has one of the names.</exception>
    public static async Task<CaptureEnds> FindAsync(LabStatus lab, string? source, string? destination, TimeProvider time, CancellationToken cancel)
    {
        var (services, slices) = await ReadAsync(lab, time, cancel);
        var names = new CaptureNames();
        foreach (var machine in lab.Machines)
        {
            AddAll(names, machine.Addresses, machine.Name);
        }
        foreach (var pod in lab.Pods)
        {
            AddAll(names, pod.Addresses, pod.Namespace == "default" ? pod.Name : $"{pod.Name}.{pod.Namespace}");
        }
        foreach (var service in services)
        {
            AddAll(names, AddressesOf(service), $"{service.Metadata.Name}.{service.Metadata.Namespace}.svc");
        }
        var pods = new List<SandboxStatus>();
        var found = new List<HashSet<IpAddress>>();
        foreach (var end in (ReadOnlySpan<string?>)[source, destination])
        {
            var addresses = new HashSet<IpAddress>();
            found.Add(addresses);
            if (end is not null)
            {
                Find(end, lab, services, slices, addresses, pods);
            }
        }
        var outside = lab.Machines.FirstOrDefault(static machine => machine.Name == "outside")?.Addresses ?? default;
        return new CaptureEnds(found[0], found[1], names, [.. pods.Distinct()], source is null || outside.Any(one => found[0].Contains(one) || found[1].Contains(one)));
    }

    private static void Find(
        string end, LabStatus lab, IReadOnlyList<Service> services, IReadOnlyList<EndpointSlice> slices, HashSet<IpAddress> addresses, List<SandboxStatus> pods)
    {
        if (IpAddress.TryParse(end, out var address))
        {
            addresses.Add(address);
            pods.AddRange(lab.Pods.Where(pod => pod.Addresses.Contains(address)));
            AddEndpoints(services.Where(service => AddressesOf(service).Contains(address)), lab, slices, addresses, pods);
            return;
        }
        if (lab.Machines.FirstOrDefault(machine => machine.Name == end) is { } machine)
        {
            addresses.UnionWith(machine.Addresses);
            return;
        }
        var isPod = !end.StartsWith("service/", StringComparison.Ordinal);
        var name = end[(end.IndexOf('/', StringComparison.Ordinal) is var slash && slash >= 0 && end[..slash] is "pod" or "service" ? slash + 1 : 0)..];
        var own = isPod ? lab.Pods.Where(pod => name == pod.Name || name == $"{pod.Namespace}/{pod.Name}").ToList() : [];
        var served = services.Where(service => name == service.Metadata.Name || name == $"{service.Metadata.Namespace}/{service.Metadata.Name}").ToList();
        if (own.Count + served.Count == 0)
        {
            // A Deployment's pods have names that nobody types.
            own = lab.Pods.Where(pod => isPod && pod.Name.StartsWith(name + "-", StringComparison.Ordinal)).Take(1).ToList();
        }
        switch (own.Count + served.Count)
        {
            case 0:
                var known = lab.Machines.Select(static one => one.Name).Concat(lab.Pods.Select(static pod => pod.Name)).Concat(services.Select(static service => service.Metadata.Name));
                throw new LabException($"the lab '{lab.Name}' has no pod, node or Service '{end}'{Nearest.Suggest(end, known)}");
            case > 1:
                throw new LabException($"'{end}' is {string.Join(" and ", own.Select(static pod => $"pod/{pod.Namespace}/{pod.Name}").Concat(served.Select(static one => $"service/{one.Metadata.Namespace}/{one.Metadata.Name}")))}: write which");
        }
        foreach (var pod in own)
        {
            addresses.UnionWith(pod.Addresses);
            pods.Add(pod);
        }
        foreach (var service in served)
        {
            addresses.UnionWith(AddressesOf(service));
        }
        AddEndpoints(served, lab, slices, addresses, pods);
    }

    // What a Service's address is translated into.
    private static void AddEndpoints(IEnumerable<Service> services, LabStatus lab, IReadOnlyList<EndpointSlice> slices, HashSet<IpAddress> addresses, List<SandboxStatus> pods)
    {
        var names = services.Select(static service => (service.Metadata.Namespace, service.Metadata.Name)).ToHashSet();
        foreach (var slice in slices)
        {
            if (!names.Contains((slice.Metadata.Namespace, slice.Metadata.Labels.GetValueOrDefault(EndpointSlice.ServiceNameLabel) ?? "")))
            {
                continue;
            }
            foreach (var endpoint in slice.Endpoints)
            {
                if (endpoint.Addresses is [var first, ..] && IpAddress.TryParse(first, out var address) && addresses.Add(address))
                {
                    pods.AddRange(lab.Pods.Where(pod => pod.Addresses.Contains(address)));
                }
            }
        }
    }

    private static IEnumerable<IpAddress> AddressesOf(Service service)
    {
        var all = service.Spec.ClusterIPs.Concat(service.Spec.ExternalIPs).Concat((service.Status.LoadBalancer?.Ingress ?? []).Select(static one => one.Ip ?? ""));
        foreach (var text in all)
        {
            if (IpAddress.TryParse(text, out var address))
            {
                yield return address;
            }
        }
    }

    private static void AddAll(CaptureNames names, IEnumerable<IpAddress> addresses, string name)
    {
        foreach (var address in addresses)
        {
            names.Add(address, name);
        }
    }

    private static async Task<(IReadOnlyList<Service>, IReadOnlyList<EndpointSlice>)> ReadAsync(LabStatus lab, TimeProvider time, CancellationToken cancel)
    {
        using var api = new KubernetesClient(Kubeconfig.Load(lab.Kubeconfig, "/").Connection(), time, "plumb-capture");
        var services = await api.ListAsync<Service>(cancel: cancel);
        var slices = await api.ListAsync<EndpointSlice>(cancel: cancel);
        return (services.Items, slices.Items);
    }
}
