using System.Text.Json.Nodes;
using Plumb.Api.Resources.Services;

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
            AddressValidation.Endpoint(address, $"spec.externalIPs[{index++}]", errors);
        index = 0;
        if (type != "LoadBalancer" && Fields.Array(spec, "loadBalancerSourceRanges") is { Count: > 0 })
            errors.Forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'");
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
        if (Fields.Array(spec, "ipFamilies") is { Count: > 0 })
            errors.Forbidden("spec.ipFamilies", "may not be set for ExternalName services");
        if (Fields.Text(spec, "ipFamilyPolicy").Length > 0)
            errors.Forbidden("spec.ipFamilyPolicy", "may not be set for ExternalName services");
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
        var families = MetadataValidation.Texts(spec, "ipFamilies");
        var addresses = MetadataValidation.Texts(spec, "clusterIPs");
        var isFree = ServiceFamilies.IsHeadlessWithoutSelector(spec);
        PodValidation.Choice(spec, "ipFamilyPolicy", "spec", errors, "PreferDualStack", "RequireDualStack", "SingleStack");
        if (policy == "RequireDualStack" && ranges.NetworkV6 is null && !isFree && families.Distinct().Count() == families.Count)
            errors.InvalidText("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services");
        if (policy == "SingleStack" && families.Count > 1)
            errors.InvalidText("spec.ipFamilyPolicy", policy, "must be RequireDualStack or PreferDualStack when multiple `ipFamilies` are specified");
        if (policy == "SingleStack" && addresses.Count > 1)
            errors.InvalidText("spec.ipFamilyPolicy", policy, "must be RequireDualStack or PreferDualStack when multiple `clusterIPs` are specified");
        var isOfForeignFamily = false;
        for (var i = 0; i < addresses.Count; i++)
            isOfForeignFamily |= !Address(spec, addresses, i, families, type, ranges, errors);
        for (var i = 0; i < families.Count; i++)
        {
            var at = $"spec.ipFamilies[{i}]";
            if (families[i] is not ("IPv4" or "IPv6"))
                errors.NotSupported(at, families[i], "IPv4", "IPv6");
            else if (families.IndexOf(families[i]) < i)
                errors.Duplicate(at, FieldErrors.Quote(families[i]));
            else if (!isOfForeignFamily && !isFree && ranges.Of(ServiceFamilies.FamilyOf(families[i])) is null)
                errors.InvalidText(at, families[i], "not configured on this cluster");
        }

        var first = Fields.Text(spec, "clusterIP");
        if (addresses.Count > 0 && first.Length == 0)
            errors.Invalid("spec.clusterIPs", spec["clusterIPs"], "must be empty when `clusterIP` is not specified");
        else if (addresses.Count > 0 && addresses[0] != first)
            errors.Invalid("spec.clusterIPs", spec["clusterIPs"], "first value must match `clusterIP`");
        if (addresses.Count > 2)
            errors.Invalid("spec.clusterIPs", spec["clusterIPs"], "may only hold up to 2 values");
        else if (addresses.Count == 2 && !isHeadless && addresses[0].Contains(':', StringComparison.Ordinal) == addresses[1].Contains(':', StringComparison.Ordinal))
            errors.Invalid("spec.clusterIPs", spec["clusterIPs"], "may specify no more than one IP for each IP family");
    }

    /// <returns>False where the cluster does not have the address's family.</returns>
    private static bool Address(JsonObject spec, List<string> addresses, int i, List<string> families, string type, ServiceRanges ranges, FieldErrors errors)
    {
        var at = $"spec.clusterIPs[{i}]";
        var text = addresses[i];
        if (text == "None")
        {
            if (i > 0 || addresses.Count > 1)
                errors.InvalidText(at, text, "'None' must be the first and only value");
            else if (type is "NodePort" or "LoadBalancer")
                errors.InvalidText(at, text, $"may not be set to 'None' for {type} services");
            return true;
        }

        if (!NameSyntax.IsAddress(text))
        {
            errors.InvalidText(at, text, NameSyntax.AddressText);
            return true;
        }

        var family = text.Contains(':', StringComparison.Ordinal) ? "IPv6" : "IPv4";
        if (i < families.Count && families[i] != family)
            errors.InvalidText(at, text, $"expected an {families[i]} value as indicated by `ipFamilies[{i}]`");
        if (ranges.Of(ServiceFamilies.FamilyOf(family)) is not null)
            return true;
        errors.Invalid(at, spec["clusterIPs"], $"{family} is not configured on this cluster");
        return false;
    }

    /// <summary>What a Service keeps for its life.</summary>
    public static void Update(JsonObject spec, JsonObject before, FieldErrors errors)
    {
        var wasLoadBalancer = Fields.Text(before, "type") == "LoadBalancer" && Fields.Text(spec, "type") == "LoadBalancer";
        if (wasLoadBalancer && Fields.Text(before, "loadBalancerClass") != Fields.Text(spec, "loadBalancerClass"))
            errors.InvalidText("spec.loadBalancerClass", Fields.Text(spec, "loadBalancerClass"), "may not change once set");
        if (ServiceStrategy.HasHealthCheck(before) && ServiceStrategy.HasHealthCheck(spec) && Fields.Number(before, "healthCheckNodePort") != Fields.Number(spec, "healthCheckNodePort"))
            errors.Forbidden("spec.healthCheckNodePort", "field is immutable");
        if (Fields.Text(spec, "type") == "ExternalName" || Fields.Text(before, "type") == "ExternalName")
            return;
        Keeps(spec, before, "clusterIPs", "cluster IP", errors);
        Keeps(spec, before, "ipFamilies", "ipFamily", errors);
    }

    /// <summary>The first stays; a second comes and goes with the policy.</summary>
    private static void Keeps(JsonObject spec, JsonObject before, string member, string what, FieldErrors errors)
    {
        var had = MetadataValidation.Texts(before, member);
        var has = MetadataValidation.Texts(spec, member);
        if (member == "ipFamilies" && ServiceFamilies.IsHeadlessWithoutSelector(spec))
            return;
        if (had.Count > 0 && has.Count > 0 && had[0] != has[0])
            errors.Invalid($"spec.{member}[0]", spec[member], "may not change once set");
        else if (had.Count > 1 && has.Count > 1 && had[1] != has[1])
            errors.Invalid($"spec.{member}[1]", spec[member], "may not change once set");
        else if (had.Count > 1 && has.Count == 1 && Fields.Text(spec, "ipFamilyPolicy") != "SingleStack")
            errors.InvalidText("spec.ipFamilyPolicy", Fields.Text(spec, "ipFamilyPolicy"), $"must be set to 'SingleStack' when releasing the secondary {what}");
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
