using System.Net;
using System.Text.Json.Nodes;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Services;

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
        if (IsReachedFromOutside(spec))
            Fields.DefaultText(spec, "externalTrafficPolicy", "Cluster");
        if (Fields.Find(spec, "selector") is { Count: 0 })
            spec.Remove("selector");
        if (type is "ClusterIP" or "NodePort" or "LoadBalancer")
            Fields.DefaultText(spec, "internalTrafficPolicy", "Cluster");
        if (type == "LoadBalancer")
            Fields.Default(spec, "allocateLoadBalancerNodePorts", true);
    }

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        root["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
        var spec = Fields.Object(root, "spec");
        Warn(spec, admission);
        if (Fields.Text(spec, "type") != "ExternalName")
            ServiceFamilies.Complete(spec, allocator.Ranges);
    }

    /// <exception cref="ApiException">500: an update's ports are taken before they are looked at.</exception>
    private static void RequireDistinctNodePorts(JsonObject spec)
    {
        var taken = new HashSet<(string, long)>();
        foreach (var port in Fields.Objects(spec, "ports"))
        {
            var protocol = Fields.Text(port, "protocol");
            if (Fields.Number(port, "nodePort") is { } number and not 0 && !taken.Add((protocol, number)))
                throw new ApiException(500, "", $"duplicate nodePort: {{{protocol} {number}}}");
        }
    }

    public override void PrepareUpdate(JsonObject root, JsonObject old, Part part, in Admission admission)
    {
        if (part != Part.Main)
            return;
        var spec = Fields.Object(root, "spec");
        var before = Fields.Object(old, "spec");
        Warn(spec, admission);
        if (Fields.Text(spec, "type") == "ExternalName")
        {
            ServiceFamilies.Drop(spec, before);
            DropIf(spec, before, false, "internalTrafficPolicy");
        }
        else if (Fields.Text(before, "type") == "ExternalName")
        {
            ServiceFamilies.Complete(spec, allocator.Ranges);
        }
        else
        {
            ServiceFamilies.CompleteUpdate(spec, before, allocator.Ranges);
        }

        // What came with a type goes with it, unless the client asks for something new, which is then refused.
        KeepPorts(spec, before);
        RequireDistinctNodePorts(spec);
        DropIf(spec, before, IsReachedFromOutside(spec), "externalTrafficPolicy");
        DropIf(spec, before, Fields.Text(spec, "type") == "LoadBalancer", "allocateLoadBalancerNodePorts", "loadBalancerClass");
        var hasHealthCheck = HasHealthCheck(spec);
        if (hasHealthCheck && Fields.Number(spec, "healthCheckNodePort") is null or 0 && HasHealthCheck(before) && before["healthCheckNodePort"] is { } health)
            spec["healthCheckNodePort"] = health.DeepClone();
        DropIf(spec, before, hasHealthCheck, "healthCheckNodePort");
        if (Fields.Text(before, "type") == "LoadBalancer" && Fields.Text(spec, "type") != "LoadBalancer")
            Fields.Object(root, "status")["loadBalancer"] = new JsonObject();
    }

    /// <summary>Addresses of a load balancer take packets themselves unless they say otherwise; what is no load balancer has none.</summary>
    public override void DefaultStatus(JsonObject root)
    {
        foreach (var ingress in Fields.Objects(Fields.Find(Fields.Find(root, "status"), "loadBalancer"), "ingress"))
        {
            if (Fields.Text(ingress, "ip").Length > 0)
                Fields.DefaultText(ingress, "ipMode", "VIP");
        }
    }

    public override void Validate(JsonObject root, FieldErrors errors) => ServiceValidation.Spec(Fields.Object(root, "spec"), allocator.Ranges, errors);

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors) =>
        ServiceValidation.Update(Fields.Object(root, "spec"), Fields.Object(old, "spec"), errors);

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
        catch (ApiException)
        {
            GiveBack(taken);
            throw;
        }

        if (errors.Count > 0)
            GiveBack(taken);
    }

    public override void Abandon(JsonObject root, JsonObject? old)
    {
        foreach (var address in Lost(root, old))
            allocator.Free(address);
        FreePorts(root, old);
    }

    public override void Created(JsonObject root) => allocator.Record(NamespaceOf(root), NameOf(root), Fields.Find(root, "spec"));

    public override void Updated(JsonObject root, JsonObject old)
    {
        allocator.Record(NamespaceOf(root), NameOf(root), Fields.Find(root, "spec"));
        allocator.Forget(Lost(old, root));
        FreePorts(old, root);
    }

    public override void Deleted(JsonObject last)
    {
        allocator.Forget(Lost(last, null));
        FreePorts(last, null);
    }

    internal static bool IsReachedFromOutside(JsonObject spec) =>
        Fields.Text(spec, "type") is "NodePort" or "LoadBalancer" || (Fields.Text(spec, "type") == "ClusterIP" && Fields.Array(spec, "externalIPs") is { Count: > 0 });

    internal static bool HasHealthCheck(JsonObject spec) => Fields.Text(spec, "type") == "LoadBalancer" && Fields.Text(spec, "externalTrafficPolicy") == "Local";

    private static bool HasNodePorts(JsonObject spec) => Fields.Text(spec, "type") is "NodePort" or "LoadBalancer";

    private static void Warn(JsonObject spec, in Admission admission)
    {
        if (Fields.Text(spec, "type") == "ExternalName" && NameSyntax.IsAddress(Fields.Text(spec, "externalName")))
            admission.Warn($"spec.externalName: {FieldErrors.Quote(Fields.Text(spec, "externalName"))} is taken for a name, not for an address: nobody will resolve it; for an address outside make a Service without selector and an EndpointSlice");
    }

    private void AllocateAddresses(JsonObject spec, JsonObject? before, Taken taken, FieldErrors errors)
    {
        if (Fields.Text(spec, "type") == "ExternalName" || ServiceFamilies.IsHeadless(spec))
            return;
        var held = ServiceAllocator.AddressesOf(before).ToHashSet();
        var addresses = MetadataValidation.Texts(spec, "clusterIPs");
        foreach (var text in addresses)
        {
            if (!IPAddress.TryParse(text, out var address) || held.Contains(address))
                continue;
            if (allocator.Take(address) is { } why)
            {
                errors.Invalid("spec.clusterIPs", spec["clusterIPs"], $"failed to allocate IP {address}: {why}");
                return;
            }

            taken.Addresses.Add(address);
        }

        var families = MetadataValidation.Texts(spec, "ipFamilies");
        for (var i = addresses.Count; i < families.Count; i++)
        {
            var address = allocator.TakeAny(ServiceFamilies.FamilyOf(families[i]));
            taken.Addresses.Add(address);
            addresses.Add(address.ToString());
        }

        spec["clusterIPs"] = new JsonArray([.. addresses.Select(static address => (JsonNode)address)]);
        if (addresses.Count > 0)
            spec["clusterIP"] = addresses[0];
    }

    private void AllocatePorts(JsonObject spec, JsonObject? before, Taken taken, FieldErrors errors)
    {
        if (!HasNodePorts(spec))
            return;
        var held = ServiceAllocator.NodePortsOf(before);
        var used = new HashSet<(string Protocol, int Port)>();
        var byPort = new Dictionary<long, int>();

        // 1. Those that are asked for. One number serves several protocols of one Service.
        var index = -1;
        foreach (var port in Fields.Objects(spec, "ports"))
        {
            index++;
            var number = (int)(Fields.Number(port, "nodePort") ?? 0);
            if (number == 0)
                continue;
            if (!used.Add((Fields.Text(port, "protocol"), number)))
                errors.Invalid($"spec.ports[{index}].nodePort", number.ToString(), "provided port is already allocated");
            else if (!held.Contains(number) && !taken.Ports.Contains(number) && allocator.TakePort(number) is { } why)
                errors.Invalid($"spec.ports[{index}].nodePort", number.ToString(), why);
            else if (!held.Contains(number))
                taken.Ports.Add(number);
            byPort.TryAdd(Fields.Number(port, "port") ?? 0, number);
        }

        if (errors.Count > 0)
            return;

        // 2. The others: the same port of another protocol gets the same number.
        var wanted = Fields.Text(spec, "type") == "NodePort" || Fields.Flag(spec, "allocateLoadBalancerNodePorts");
        foreach (var port in wanted ? Fields.Objects(spec, "ports") : [])
        {
            if (Fields.Number(port, "nodePort") is not (null or 0))
                continue;
            var protocol = Fields.Text(port, "protocol");
            if (!byPort.TryGetValue(Fields.Number(port, "port") ?? 0, out var number) || !used.Add((protocol, number)))
            {
                number = allocator.TakeAnyPort();
                taken.Ports.Add(number);
                used.Add((protocol, number));
                byPort.TryAdd(Fields.Number(port, "port") ?? 0, number);
            }

            port["nodePort"] = number;
        }

        // 3. Where a balancer asks which nodes have endpoints.
        if (!HasHealthCheck(spec))
            return;
        var health = (int)(Fields.Number(spec, "healthCheckNodePort") ?? 0);
        if (health == 0)
            spec["healthCheckNodePort"] = health = allocator.TakeAnyPort();
        else if (Fields.Number(before, "healthCheckNodePort") == health)
            return;
        else if (allocator.TakePort(health) is { } reason)
            throw ApiException.Internal($"failed to allocate requested HealthCheck NodePort {health}: {reason}");
        taken.Ports.Add(health);
    }

    private void GiveBack(Taken taken)
    {
        foreach (var address in taken.Addresses)
            allocator.Free(address);
        foreach (var port in taken.Ports)
            allocator.FreePort(port);
    }

    /// <summary>A port that comes back without its node port keeps the one that it had; a Service that has none any more loses them.</summary>
    private static void KeepPorts(JsonObject spec, JsonObject before)
    {
        if (!HasNodePorts(before))
            return;
        if (!HasNodePorts(spec))
        {
            var had = ServiceAllocator.PortsOf(before);
            foreach (var port in Fields.Objects(spec, "ports"))
            {
                if (Fields.Number(port, "nodePort") is { } number && had.Contains((int)number))
                    port.Remove("nodePort");
            }

            return;
        }

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

    private static void DropIf(JsonObject spec, JsonObject before, bool isNeeded, params ReadOnlySpan<string> members)
    {
        foreach (var member in members)
        {
            if (!isNeeded && JsonNode.DeepEquals(spec[member], before[member]))
                spec.Remove(member);
        }
    }

    private static List<IPAddress> Lost(JsonObject from, JsonObject? kept)
    {
        var still = ServiceAllocator.AddressesOf(Fields.Find(kept, "spec")).ToHashSet();
        return [.. ServiceAllocator.AddressesOf(Fields.Find(from, "spec")).Where(address => !still.Contains(address))];
    }

    private void FreePorts(JsonObject from, JsonObject? kept)
    {
        var still = ServiceAllocator.PortsOf(Fields.Find(kept, "spec"));
        foreach (var port in ServiceAllocator.PortsOf(Fields.Find(from, "spec")))
        {
            if (!still.Contains(port))
                allocator.FreePort(port);
        }
    }

    private static string NameOf(JsonObject root) => Fields.Text(Fields.Find(root, "metadata"), "name");

    private static string NamespaceOf(JsonObject root) => Fields.Text(Fields.Find(root, "metadata"), "namespace");

    private sealed class Taken
    {
        public List<IPAddress> Addresses { get; } = [];

        public HashSet<int> Ports { get; } = [];
    }
}
