using System.Diagnostics.CodeAnalysis;
using Plumb.Dns.Wire;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;

namespace Plumb.Dns.Zones;

/// <summary>
/// The records that one object makes: the Kubernetes DNS specification 1.1.0, section by section. Pure. A name that cannot be (a label too long)
/// is left out: whoever refuses such objects is the API.
/// </summary>
internal sealed class ObjectRecords(DomainName domain)
{
    private readonly DomainName _services = Child(domain, "svc");
    private readonly DomainName _pods = Child(domain, "pod");

    public static bool IsHeadless(Service service) => service.Spec.Type != "ExternalName" && service.Spec.ClusterIP == "None";

    /// <summary>Null where it cannot be.</summary>
    public DomainName? NameOf(Service service) => TryName(service, out var name) ? name : null;

    /// <summary>2.3 (with a ClusterIP) and 2.5 (external names). A headless Service has no records of its own.</summary>
    public RecordPlan Of(Service service)
    {
        var plan = new RecordPlan();
        var cause = new Cause(service.Key());
        if (!TryName(service, out var name))
        {
            return plan;
        }
        if (service.Spec.Type == "ExternalName")
        {
            if (service.Spec.ExternalName is { Length: > 0 } text && DomainName.TryParse(text, out var external) && !text.Contains('*'))
            {
                plan.Add(name, Record.To(RecordType.Cname, external.Lower(), cause));
            }
            return plan;
        }
        if (IsHeadless(service))
        {
            return plan;
        }
        foreach (var text in service.Spec.ClusterIPs.Count != 0 ? service.Spec.ClusterIPs : [service.Spec.ClusterIP ?? ""])
        {
            if (IpAddress.TryParse(text, out var address))
            {
                plan.Add(name, Record.Of(address, cause));
                plan.Add(ReverseName.Of(address), Record.To(RecordType.Ptr, name, cause));
            }
        }
        if (!plan.IsEmpty)
        {
            foreach (var port in service.Spec.Ports)
            {
                AddPort(plan, name, name, port.Name, port.Protocol, port.Port, cause);
            }
        }
        return plan;
    }

    /// <summary>2.4: what one slice adds to its headless Service.</summary>
    public RecordPlan Of(Service service, KeptSlice slice)
    {
        var plan = new RecordPlan();
        if (!IsHeadless(service) || !TryName(service, out var name))
        {
            return plan;
        }
        foreach (var endpoint in slice.Endpoints)
        {
            // A client cannot tell a ready endpoint from another: the others have no names, unless their Service wants so.
            if (!endpoint.IsReady && !service.Spec.PublishNotReadyAddresses)
            {
                continue;
            }
            var cause = new Cause(slice.Key, endpoint.Target);
            plan.Add(name, Record.Of(endpoint.Address, cause));
            if (!TryChild(name, endpoint.Hostname, out var host) && !TryChild(name, Dashed(endpoint.Address), out host))
            {
                continue;
            }
            plan.Add(host, Record.Of(endpoint.Address, cause));
            plan.Add(ReverseName.Of(endpoint.Address), Record.To(RecordType.Ptr, host, cause));
            foreach (var port in slice.Ports)
            {
                AddPort(plan, name, host, port.Name, port.Protocol, port.Port ?? 0, cause);
            }
        }
        return plan;
    }

    /// <summary>A pod's own: <c>10-244-1-5.default.pod</c>. Pods on their node's network have none: the address is not theirs.</summary>
    public RecordPlan Of(Pod pod)
    {
        var plan = new RecordPlan();
        if (pod.Spec.HostNetwork || pod.Status.Phase is "Succeeded" or "Failed" || !TryChild(_pods, pod.Metadata.Namespace, out var scope))
        {
            return plan;
        }
        foreach (var held in pod.Status.PodIPs.Count != 0 ? pod.Status.PodIPs : [new PodIP { Ip = pod.Status.PodIP ?? "" }])
        {
            if (IpAddress.TryParse(held.Ip, out var address) && TryChild(scope, Dashed(address), out var name))
            {
                plan.Add(name, Record.Of(address, new Cause(pod.Key())));
            }
        }
        return plan;
    }

    /// <summary>An address as one label: dots and colons become hyphens.</summary>
    public static string Dashed(IpAddress address)
    {
        var text = address.ToString().Replace(address.Family == IpFamily.V4 ? '.' : ':', '-');
        // RFC 5891: no label begins or ends with a hyphen.
        return (text[0] == '-' ? "0" : "") + text + (text[^1] == '-' ? "0" : "");
    }

    private static void AddPort(RecordPlan plan, DomainName service, DomainName target, string? portName, string protocol, int port, Cause cause)
    {
        if (port is > 0 and <= ushort.MaxValue
            && !string.IsNullOrEmpty(portName)
            && TryChild(service, "_" + protocol, out var below)
            && TryChild(below, "_" + portName, out var name))
        {
            plan.Add(name, Record.Service(port, target, cause));
        }
    }

    private bool TryName(Service service, out DomainName name)
    {
        name = default;
        return TryChild(_services, service.Metadata.Namespace, out var scope) && TryChild(scope, service.Metadata.Name, out name);
    }

    private static DomainName Child(DomainName parent, string label) =>
        TryChild(parent, label, out var name) ? name : throw new ArgumentException($"{label} below {parent} is too long for a name");

    private static bool TryChild(DomainName parent, [NotNullWhen(true)] string? label, out DomainName name)
    {
        name = default;
        if (string.IsNullOrEmpty(label) || label.Contains('.') || !DomainName.TryParse(label, out var single) || single.Under(parent) is not { } child)
        {
            return false;
        }
        name = child.Lower();
        return true;
    }
}

/// <summary>Names with their records, as one object makes them.</summary>
internal sealed class RecordPlan
{
    private readonly Dictionary<byte[], List<Record>> _names = new(NameComparer.Instance);

    public bool IsEmpty => _names.Count == 0;

    public void Add(DomainName name, Record record)
    {
        if (!_names.TryGetValue(name.WireBytes, out var records))
        {
            _names[name.WireBytes] = records = new List<Record>(1);
        }
        records.Add(record);
    }

    public Dictionary<byte[], Record[]> ToRecords()
    {
        var all = new Dictionary<byte[], Record[]>(_names.Count, NameComparer.Instance);
        foreach (var (name, records) in _names)
        {
            all[name] = [.. records];
        }
        return all;
    }
}
