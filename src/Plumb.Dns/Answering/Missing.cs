using System.Text;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Kubernetes.Objects;

namespace Plumb.Dns.Answering;

/// <summary>What would have to be there for a name of the cluster to exist: the nearest thing that is.</summary>
internal static class Missing
{
    public static string Reason(ClusterZone zone, DomainName name)
    {
        var labels = LabelsBefore(name, zone.Domain);
        if (labels is null)
        {
            return name.IsWithin(DomainName.Parse("arpa")) ? "an address of the cluster's ranges that nothing has" : "no server has such a name";
        }
        if (labels is not [.., var scope, "svc"])
        {
            return labels is [.. , "pod"]
                ? "pods' names are ADDRESS.NAMESPACE.pod with hyphens for dots, and the address one of the pods' range"
                : $"nothing is right below {zone.Domain} but svc, pod, dns-version and ns.dns";
        }
        if (labels.Count == 2)
        {
            return $"no Service in namespace {scope}, if there is one";
        }
        // Somebody's whole name with a search path's entry behind it: the name is what is missing.
        if (TypedBefore(name, zone.Domain, labels.Count) is { } typed && typed.IsWithin(zone.Domain))
        {
            return Reason(zone, typed);
        }
        var service = labels[^3];
        if (zone.FindService(scope, service) is not { } known)
        {
            return $"no Service {service} in namespace {scope}";
        }
        if (ObjectRecords.IsHeadless(known) && zone.Table.Find(LastLabels(name, zone.Domain, labels.Count - 3)) is null)
        {
            return $"Service {scope}/{service} is headless, and none of its endpoints is ready";
        }
        if (labels.Count == 3)
        {
            return known.Spec.Type == "ExternalName"
                ? $"spec.externalName '{known.Spec.ExternalName}' of Service {scope}/{service} is no domain name"
                : $"Service {scope}/{service} has no address";
        }
        if (labels[^4] is "_tcp" or "_udp" or "_sctp")
        {
            return $"Service {scope}/{service} has no {labels[^4][1..].ToUpperInvariant()} port named '{labels[0].TrimStart('_')}': it has {Ports(known)}";
        }
        return ObjectRecords.IsHeadless(known)
            ? $"Service {scope}/{service} has no ready endpoint with hostname '{labels[^4]}'"
            : $"nothing is below {scope}/{service}, which has a ClusterIP: only endpoints of headless Services have names of their own";
    }

    private static ReadOnlySpan<byte> LastLabels(DomainName name, DomainName domain, int without)
    {
        var rest = name.Lower().Wire;
        for (; without > 0 && rest.Length > domain.Wire.Length; without--)
        {
            rest = WireName.Parent(rest);
        }
        return rest;
    }

    private static DomainName? TypedBefore(DomainName name, DomainName domain, int labels)
    {
        var behind = LastLabels(name, domain, labels - 2);
        return name.Wire.Length == behind.Length ? null : DomainName.FromWire([.. name.Lower().Wire[..^behind.Length], 0]);
    }

    private static string Ports(Service service)
    {
        var text = new StringBuilder();
        foreach (var port in service.Spec.Ports)
        {
            text.Append(text.Length == 0 ? "" : ", ").Append(string.IsNullOrEmpty(port.Name) ? $"{port.Port}/{port.Protocol} without a name" : $"'{port.Name}' {port.Protocol}");
        }
        return text.Length == 0 ? "none" : text.ToString();
    }

    private static List<string>? LabelsBefore(DomainName name, DomainName domain)
    {
        if (!name.IsWithin(domain))
        {
            return null;
        }
        var labels = new List<string>();
        for (var rest = name.Lower().Wire; rest.Length > domain.Wire.Length; rest = WireName.Parent(rest))
        {
            labels.Add(Encoding.Latin1.GetString(rest.Slice(1, rest[0])));
        }
        return labels;
    }
}
