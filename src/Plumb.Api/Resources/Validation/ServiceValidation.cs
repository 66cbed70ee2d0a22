using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Validation;

internal static class ServiceValidation
{
    private static readonly string[] Types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

    public static void Spec(JsonObject spec, ServiceRanges ranges, FieldErrors errors)
    {
        var type = Fields.Text(spec, "type");
        var isHeadless = Fields.Text(spec, "clusterIP") == "None";
        Ports(spec, type, isHeadless, errors);
        if (!Types.Contains(type))
            errors.NotSupported("spec.type", type, Types);
        if (type == "ExternalName")
            ExternalName(spec, errors);
        else
            Addresses(spec, type, isHeadless, ranges, errors);
        PodValidation.Choice(spec, "sessionAffinity", "spec", errors, "ClientIP", "None");
        var timeout = Fields.Number(Fields.Find(Fields.Find(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds");
        if (timeout is <= 0 or > 86400)
            errors.Invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", timeout.ToString()!, "must be greater than 0 and less than 86400");
        MetadataValidation.Labels(Fields.Find(spec, "selector"), "spec.selector", errors);
        Policies(spec, type, errors);
        var index = 0;
        foreach (var address in MetadataValidation.Texts(spec, "externalIPs"))
        {
            var at = $"spec.externalIPs[{index++}]";
            if (!NameSyntax.IsAddress(address))
                errors.InvalidText(at, address, NameSyntax.AddressText);
            else if (IPAddress.IsLoopback(IPAddress.Parse(address)))
                errors.InvalidText(at, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
        }

        index = 0;
        foreach (var prefix in MetadataValidation.Texts(spec, "loadBalancerSourceRanges"))
        {
            if (!NameSyntax.IsPrefix(prefix.Trim()))
                errors.InvalidText($"spec.LoadBalancerSourceRanges[{index}]", prefix, NameSyntax.PrefixText);
            index++;
        }

        if (spec["allocateLoadBalancerNodePorts"] is not null && type != "LoadBalancer")
            errors.Forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'");
        if (Fields.Text(spec, "loadBalancerClass").Length > 0 && type != "LoadBalancer")
            errors.Forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'");
    }

    private static void Ports(JsonObject spec, string type, bool isHeadless, FieldErrors errors)
    {
        var ports = Fields.Objects(spec, "ports").ToList();
        if (ports.Count == 0 && type != "ExternalName" && !isHeadless)
            errors.Required("spec.ports");
        var names = new HashSet<string>();
        var seen = new List<JsonObject>();
        for (var i = 0; i < ports.Count; i++)
        {
            var port = ports[i];
            var at = $"spec.ports[{i}]";
            var name = Fields.Text(port, "name");
            if (name.Length == 0)
            {
                if (ports.Count > 1)
                    errors.Required(at + ".name");
            }
            else
            {
                foreach (var fault in NameSyntax.PlainLabel(name))
                    errors.InvalidText(at + ".name", name, fault);
                if (!names.Add(name))
                    errors.Duplicate(at + ".name", FieldErrors.Quote(name));
            }

            var number = Fields.Number(port, "port") ?? 0;
            if (number is < 1 or > 65535)
                errors.Invalid(at + ".port", number.ToString(), NameSyntax.PortText);
            PodValidation.Choice(port, "protocol", at, errors, "SCTP", "TCP", "UDP");
            ProbeValidation.Port(port["targetPort"], at + ".targetPort", errors);
            if (Fields.Text(port, "appProtocol") is { Length: > 0 } application && NameSyntax.QualifiedName(application) is { } wrong)
                errors.InvalidText(at + ".appProtocol", application, wrong);
            if (Fields.Number(port, "nodePort") is { } node and not 0 && type is not ("NodePort" or "LoadBalancer"))
                errors.Forbidden(at + ".nodePort", $"may not be used when `type` is '{type}'");
            if (seen.Exists(other => Fields.Number(other, "port") == number && Fields.Text(other, "protocol") == Fields.Text(port, "protocol")))
            {
                errors.Duplicate(at,
                    $"{{\"Name\":\"\",\"Protocol\":{FieldErrors.Quote(Fields.Text(port, "protocol"))},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\"NodePort\":0}}");
            }

            seen.Add(port);
        }
    }

    private static void ExternalName(JsonObject spec, FieldErrors errors)
    {
        var name = Fields.Text(spec, "externalName");
        if (Fields.Array(spec, "clusterIPs") is { Count: > 0 } || Fields.Text(spec, "clusterIP").Length > 0)
            errors.Forbidden("spec.clusterIPs", "may not be set for ExternalName services");
        if (name.Length == 0)
        {
            errors.Required("spec.externalName");
            return;
        }

        foreach (var fault in NameSyntax.Subdomain(name.TrimEnd('.').ToLowerInvariant()))
            errors.InvalidText("spec.externalName", name, fault);
    }

    private static void Addresses(JsonObject spec, string type, bool isHeadless, ServiceRanges ranges, FieldErrors errors)
    {
        var policy = Fields.Text(spec, "ipFamilyPolicy");
        PodValidation.Choice(spec, "ipFamilyPolicy", "spec", errors, "PreferDualStack", "RequireDualStack", "SingleStack");
        if (policy == "RequireDualStack" && ranges.NetworkV6 is null && !(isHeadless && Fields.Find(spec, "selector") is not { Count: > 0 }))
            errors.InvalidText("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services");
        var families = MetadataValidation.Texts(spec, "ipFamilies");
        for (var i = 0; i < families.Count; i++)
        {
            if (families.IndexOf(families[i]) < i)
                errors.Duplicate($"spec.ipFamilies[{i}]", FieldErrors.Quote(families[i]));
            else if (families[i] == "IPv6" && ranges.NetworkV6 is null && !(isHeadless && Fields.Find(spec, "selector") is not { Count: > 0 }))
                errors.InvalidText($"spec.ipFamilies[{i}]", families[i], "not configured on this cluster");
        }

        var addresses = MetadataValidation.Texts(spec, "clusterIPs");
        var first = Fields.Text(spec, "clusterIP");
        if (addresses.Count > 0 && first.Length == 0)
            errors.Invalid("spec.clusterIPs", spec["clusterIPs"], "must be empty when `clusterIP` is not specified");
        else if (addresses.Count > 0 && addresses[0] != first)
            errors.Invalid("spec.clusterIPs", spec["clusterIPs"], "first value must match `clusterIP`");
        for (var i = 0; i < addresses.Count; i++)
        {
            var at = $"spec.clusterIPs[{i}]";
            if (addresses[i] == "None")
            {
                if (type is "NodePort" or "LoadBalancer")
                    errors.InvalidText(at, "None", $"may not be set to 'None' for {type} services");
            }
            else if (!NameSyntax.IsAddress(addresses[i]))
            {
                errors.InvalidText(at, addresses[i], NameSyntax.AddressText);
            }
            else if (addresses[i].Contains(':', StringComparison.Ordinal) && ranges.NetworkV6 is null)
            {
                errors.InvalidText(at, addresses[i], "IPv6 is not configured on this cluster");
            }
        }
    }

    private static void Policies(JsonObject spec, string type, FieldErrors errors)
    {
        var isExternal = type is "NodePort" or "LoadBalancer" || Fields.Array(spec, "externalIPs") is { Count: > 0 };
        var external = Fields.Text(spec, "externalTrafficPolicy");
        if (external.Length > 0 && !isExternal)
            errors.InvalidText("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services");
        else if (external.Length > 0)
            PodValidation.Choice(spec, "externalTrafficPolicy", "spec", errors, "Cluster", "Local");
        var health = Fields.Number(spec, "healthCheckNodePort") ?? 0;
        if (health != 0 && (type != "LoadBalancer" || external != "Local"))
            errors.Invalid("spec.healthCheckNodePort", health.ToString(), "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
        if (Fields.Text(spec, "internalTrafficPolicy").Length > 0)
            PodValidation.Choice(spec, "internalTrafficPolicy", "spec", errors, "Cluster", "Local");
        if (Fields.Text(spec, "trafficDistribution").Length > 0)
            PodValidation.Choice(spec, "trafficDistribution", "spec", errors, "PreferClose", "PreferSameZone", "PreferSameNode");
    }
}
