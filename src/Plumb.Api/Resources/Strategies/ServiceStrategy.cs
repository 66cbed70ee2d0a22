using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Strategies;

/// <summary>Services: their defaults, and the addresses and node ports that they hold from creation to deletion.</summary>
internal sealed class ServiceStrategy(ServiceAllocator allocator) : Strategy
{
    public override NameRule Name => NameRule.Rfc1035Label;

    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        Fields.DefaultText(spec, "sessionAffinity", "None");
        if (Fields.Text(spec, "sessionAffinity") == "None")
            spec.Remove("sessionAffinityConfig");
        else if (Fields.Text(spec, "sessionAffinity") == "ClientIP")
            Fields.Default(Fields.Object(Fields.Object(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds", 10800);
        Fields.DefaultText(spec, "type", "ClusterIP");
        foreach (var port in Fields.Objects(spec, "ports"))
        {
            Fields.DefaultText(port, "protocol", "TCP");
            if ((port["targetPort"] is null || Fields.Number(port, "targetPort") == 0 || (port["targetPort"] is JsonValue text && text.TryGetValue<string>(out var name) && name.Length == 0)) && port["port"] is { } number)
                port["targetPort"] = number.DeepClone();
        }

        var type = Fields.Text(spec, "type");
        if (type is "NodePort" or "LoadBalancer" || (type == "ClusterIP" && Fields.Array(spec, "externalIPs") is { Count: > 0 }))
            Fields.DefaultText(spec, "externalTrafficPolicy", "Cluster");
        if (Fields.Find(spec, "selector") is { Count: 0 })
            spec.Remove("selector");
        if (type is "ClusterIP" or "NodePort" or "LoadBalancer")
            Fields.DefaultText(spec, "internalTrafficPolicy", "Cluster");
        if (type == "LoadBalancer")
            Fields.Default(spec, "allocateLoadBalancerNodePorts", true);
        if (type != "ExternalName" && Fields.Text(spec, "clusterIP") is { Length: > 0 } address && Fields.Array(spec, "clusterIPs") is not { Count: > 0 })
            spec["clusterIPs"] = new JsonArray(address);
    }

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        root["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
        var spec = Fields.Object(root, "spec");
        if (Fields.Text(spec, "type") == "ExternalName")
            return;
        DefaultFamilies(spec);
    }

    public override void Validate(JsonObject root, FieldErrors errors) => ServiceValidation.Spec(Fields.Object(root, "spec"), allocator.Ranges, errors);

    public override void Allocate(JsonObject root, JsonObject? old, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        var before = Fields.Find(old, "spec");
        var taken = new Taken();
        try
        {
            AllocateAddresses(spec, before, taken, errors);
            if (errors.Count == 0)
                AllocatePorts(spec, before, taken, errors);
        }
        catch (Storage.ApiException)
        {
            GiveBack(taken);
            throw;
        }

        if (errors.Count > 0)
            GiveBack(taken);
    }

    public override void PrepareUpdate(JsonObject root, JsonObject old, Part part, in Admission admission)
    {
        var spec = Fields.Object(root, "spec");
        var before = Fields.Object(old, "spec");
        if (Fields.Text(spec, "type") == "ExternalName")
        {
            foreach (var member in (ReadOnlySpan<string>)["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy", "externalTrafficPolicy"])
            {
                if (Fields.Text(before, "type") != "ExternalName" || before[member] is null)
                    spec.Remove(member);
            }

            return;
        }

        // A client that sends the whole object without what the server gave means no change of it.
        if (Fields.Text(before, "type") != "ExternalName")
        {
            foreach (var member in (ReadOnlySpan<string>)["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
            {
                if (spec[member] is null or JsonArray { Count: 0 } || Fields.Text(spec, member).Length == 0 && spec[member] is JsonValue)
                {
                    if (before[member] is { } value)
                        spec[member] = value.DeepClone();
                }
            }
        }

        DefaultFamilies(spec);
        KeepPorts(spec, before);
        if (Fields.Text(spec, "type") == "ClusterIP" && Fields.Text(before, "type") != "ClusterIP")
        {
            spec.Remove("externalTrafficPolicy");
            spec.Remove("allocateLoadBalancerNodePorts");
            foreach (var port in Fields.Objects(spec, "ports"))
                port.Remove("nodePort");
        }
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var before = Fields.Text(Fields.Find(old, "spec"), "clusterIP");
        var after = Fields.Text(Fields.Find(root, "spec"), "clusterIP");
        var wasHeadless = Fields.Text(Fields.Find(old, "spec"), "type") == "ExternalName";
        if (before.Length > 0 && after != before && !wasHeadless && Fields.Text(Fields.Find(root, "spec"), "type") != "ExternalName")
            errors.Invalid("spec.clusterIPs[0]", new JsonArray(after), "may not change once set");
    }

    public override void Abandon(JsonObject root, JsonObject? old) => Release(root, old);

    public override void Updated(JsonObject root, JsonObject old) => Release(old, root);

    public override void Deleted(JsonObject last) => Release(last, null);

    private void DefaultFamilies(JsonObject spec)
    {
        var isHeadlessWithoutSelector = Fields.Text(spec, "clusterIP") == "None" && Fields.Find(spec, "selector") is not { Count: > 0 };
        Fields.DefaultText(spec, "ipFamilyPolicy", isHeadlessWithoutSelector ? "RequireDualStack" : "SingleStack");
        if (Fields.Array(spec, "ipFamilies") is { Count: > 0 })
            return;
        var families = new JsonArray();
        foreach (var address in MetadataValidation.Texts(spec, "clusterIPs"))
        {
            if (IPAddress.TryParse(address, out var parsed))
                families.Add(FamilyName(parsed.AddressFamily));
        }

        if (families.Count == 0)
            families.Add(FamilyName(allocator.Ranges.Network.BaseAddress.AddressFamily));
        if (families.Count == 1 && (isHeadlessWithoutSelector || (allocator.Ranges.NetworkV6 is not null && Fields.Text(spec, "ipFamilyPolicy") is "PreferDualStack" or "RequireDualStack")))
            families.Add((string)families[0]! == "IPv4" ? "IPv6" : "IPv4");
        spec["ipFamilies"] = families;
    }

    private void AllocateAddresses(JsonObject spec, JsonObject? before, Taken taken, FieldErrors errors)
    {
        if (Fields.Text(spec, "type") == "ExternalName" || Fields.Text(spec, "clusterIP") == "None")
            return;
        var held = MetadataValidation.Texts(before, "clusterIPs");
        var addresses = MetadataValidation.Texts(spec, "clusterIPs");
        foreach (var address in addresses)
        {
            if (held.Contains(address) || !IPAddress.TryParse(address, out var parsed))
                continue;
            if (allocator.Take(parsed) is { } why)
            {
                errors.Invalid("spec.clusterIPs", new JsonArray(address), $"failed to allocate IP {parsed}: {why}");
                return;
            }

            taken.Addresses.Add(parsed);
        }

        var families = MetadataValidation.Texts(spec, "ipFamilies");
        for (var i = addresses.Count; i < families.Count; i++)
        {
            var family = families[i] == "IPv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
            if (allocator.Ranges.Of(family) is null)
                continue;
            var address = allocator.TakeAny(family);
            taken.Addresses.Add(address);
            addresses.Add(address.ToString());
        }

        spec["clusterIPs"] = new JsonArray([.. addresses.Select(static address => (JsonNode)address)]);
        if (addresses.Count > 0)
            spec["clusterIP"] = addresses[0];
    }

    private void AllocatePorts(JsonObject spec, JsonObject? before, Taken taken, FieldErrors errors)
    {
        var type = Fields.Text(spec, "type");
        if (type is not ("NodePort" or "LoadBalancer"))
            return;
        var wanted = type == "NodePort" || Fields.Flag(spec, "allocateLoadBalancerNodePorts");
        var held = Ports(before);
        var named = new HashSet<(string, int)>();
        var index = -1;
        foreach (var port in Fields.Objects(spec, "ports"))
        {
            index++;
            var protocol = Fields.Text(port, "protocol");
            var number = (int)(Fields.Number(port, "nodePort") ?? 0);
            if (number != 0)
            {
                // One number for two protocols is one node port; held ones stay.
                if (!named.Add((protocol, number)))
                    errors.Invalid($"spec.ports[{index}].nodePort", number.ToString(), "provided port is already allocated");
                else if (held.Contains((protocol, number)))
                    continue;
                else if (allocator.TakePort(protocol, number) is { } why)
                    errors.Invalid($"spec.ports[{index}].nodePort", number.ToString(), why);
                else
                    taken.Ports.Add((protocol, number));
            }
            else if (wanted)
            {
                number = allocator.TakeAnyPort(protocol);
                taken.Ports.Add((protocol, number));
                port["nodePort"] = number;
            }
        }

        if (type != "LoadBalancer" || Fields.Text(spec, "externalTrafficPolicy") != "Local")
            return;
        var health = (int)(Fields.Number(spec, "healthCheckNodePort") ?? Fields.Number(before, "healthCheckNodePort") ?? 0);
        if (health == 0)
            spec["healthCheckNodePort"] = allocator.TakeAnyPort("TCP");
        else if (Fields.Number(before, "healthCheckNodePort") != health && allocator.TakePort("TCP", health) is { } reason)
            throw Storage.ApiException.Internal($"failed to allocate requested HealthCheck NodePort {health}: {reason}");
    }

    private void GiveBack(Taken taken)
    {
        foreach (var address in taken.Addresses)
            allocator.Free(address);
        foreach (var (protocol, port) in taken.Ports)
            allocator.FreePort(protocol, port);
    }

    /// <summary>A port that comes back without its node port keeps the one that it had.</summary>
    private static void KeepPorts(JsonObject spec, JsonObject before)
    {
        if (Fields.Text(spec, "type") is not ("NodePort" or "LoadBalancer"))
            return;
        foreach (var port in Fields.Objects(spec, "ports"))
        {
            if (Fields.Number(port, "nodePort") is not (null or 0))
                continue;
            foreach (var old in Fields.Objects(before, "ports"))
            {
                if (Fields.Number(old, "port") == Fields.Number(port, "port") && Fields.Text(old, "protocol") == Fields.Text(port, "protocol") && old["nodePort"] is { } node)
                    port["nodePort"] = node.DeepClone();
            }
        }
    }

    private void Release(JsonObject from, JsonObject? kept)
    {
        var spec = Fields.Find(from, "spec");
        var still = MetadataValidation.Texts(Fields.Find(kept, "spec"), "clusterIPs");
        foreach (var text in MetadataValidation.Texts(spec, "clusterIPs"))
        {
            if (!still.Contains(text) && IPAddress.TryParse(text, out var address))
                allocator.Free(address);
        }

        var stillPorts = Ports(Fields.Find(kept, "spec"));
        foreach (var (protocol, port) in Ports(spec))
        {
            if (!stillPorts.Contains((protocol, port)))
                allocator.FreePort(protocol, port);
        }
    }

    private static HashSet<(string Protocol, int Port)> Ports(JsonObject? spec)
    {
        var ports = new HashSet<(string, int)>();
        foreach (var port in Fields.Objects(spec, "ports"))
        {
            if (Fields.Number(port, "nodePort") is { } number and not 0)
                ports.Add((Fields.Text(port, "protocol"), (int)number));
        }

        if (Fields.Number(spec, "healthCheckNodePort") is { } health and not 0)
            ports.Add(("TCP", (int)health));
        return ports;
    }

    private sealed class Taken
    {
        public List<IPAddress> Addresses { get; } = [];

        public List<(string Protocol, int Port)> Ports { get; } = [];
    }

    private static string FamilyName(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";
}
