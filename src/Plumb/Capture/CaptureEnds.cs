using Plumb.Diagnosis.Capture;
using Plumb.Kubernetes.Objects;
using Plumb.Lab;
using Plumb.Linux.Addresses;
using Plumb.Scenes;

namespace Plumb.Capture;

/// <summary>Whose packets a capture is about, as addresses; and whose all the others are.</summary>
/// <param name="Pods">That are an end, or an endpoint of one: their own namespaces are places, too.</param>
internal sealed record CaptureEnds(IReadOnlySet<IpAddress> Source, IReadOnlySet<IpAddress> Destination, CaptureNames Names, IReadOnlyList<Party> Pods, bool IsFromOutside)
{
    /// <summary>The machine that is on the wire and not of the cluster.</summary>
    public const string Outside = "outside";

    /// <exception cref="LabException">Nothing, or more than one thing, has one of the names.</exception>
    public static async Task<CaptureEnds> FindAsync(IScene scene, string? source, string? destination, CancellationToken cancel)
    {
        var services = await scene.ListAsync<Service>(null, cancel);
        var slices = await scene.ListAsync<EndpointSlice>(null, cancel);
        var names = new CaptureNames();
        foreach (var party in scene.Parties.All)
        {
            AddAll(names, party.Addresses, party.Scope is null or "default" ? party.Name : $"{party.Name}.{party.Scope}");
        }
        foreach (var service in services)
        {
            AddAll(names, AddressesOf(service), $"{service.Metadata.Name}.{service.Metadata.Namespace}.svc");
        }
        var pods = new List<Party>();
        var found = new List<HashSet<IpAddress>>();
        foreach (var end in (ReadOnlySpan<string?>)[source, destination])
        {
            var addresses = new HashSet<IpAddress>();
            found.Add(addresses);
            if (end is not null)
            {
                Find(end, scene.Parties, services, slices, addresses, pods);
            }
        }
        var outside = scene.Parties.Find(Outside)?.Addresses ?? default;
        return new CaptureEnds(found[0], found[1], names, [.. pods.Distinct()], source is null || outside.Any(one => found[0].Contains(one) || found[1].Contains(one)));
    }

    private static void Find(string end, Parties parties, IReadOnlyList<Service> services, IReadOnlyList<EndpointSlice> slices, HashSet<IpAddress> addresses, List<Party> pods)
    {
        if (IpAddress.TryParse(end, out var address))
        {
            addresses.Add(address);
            Add(parties.At(address), addresses, pods);
            AddEndpoints(services.Where(service => AddressesOf(service).Contains(address)), parties, slices, addresses, pods);
            return;
        }
        var isService = end.StartsWith("service/", StringComparison.Ordinal);
        var isPod = end.StartsWith("pod/", StringComparison.Ordinal);
        var name = isService || isPod ? end[(end.IndexOf('/', StringComparison.Ordinal) + 1)..] : end;
        var party = isService ? null : parties.Find(name);
        var served = isPod || party?.Kind is PartyKind.Node or PartyKind.Machine
            ? []
            : services.Where(service => name == service.Metadata.Name || name == $"{service.Metadata.Namespace}/{service.Metadata.Name}").ToList();
        if (party is null && served.Count == 0 && !isService)
        {
            // A Deployment's pods have names that nobody types.
            party = parties.ByBeginning(name);
        }
        if (party is null && served.Count == 0)
        {
            throw parties.Unknown(end, [.. services.Select(static service => service.Metadata.Name)]);
        }
        if ((party is null ? 0 : 1) + served.Count > 1)
        {
            var all = served.Select(static one => $"service/{one.Metadata.Namespace}/{one.Metadata.Name}");
            throw new LabException($"'{end}' is {string.Join(" and ", party is null ? all : all.Prepend($"pod/{party.FullName}"))}: write which");
        }
        Add(party, addresses, pods);
        foreach (var service in served)
        {
            addresses.UnionWith(AddressesOf(service));
        }
        AddEndpoints(served, parties, slices, addresses, pods);
    }

    private static void Add(Party? party, HashSet<IpAddress> addresses, List<Party> pods)
    {
        if (party is null)
        {
            return;
        }
        addresses.UnionWith(party.Addresses);
        if (party.Kind == PartyKind.Pod)
        {
            pods.Add(party);
        }
    }

    // What a Service's address is translated into.
    private static void AddEndpoints(IEnumerable<Service> services, Parties parties, IReadOnlyList<EndpointSlice> slices, HashSet<IpAddress> addresses, List<Party> pods)
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
                    Add(parties.At(address), addresses, pods);
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
}
