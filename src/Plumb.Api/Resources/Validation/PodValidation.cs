using System.Text.Json.Nodes;
using Plumb.Api.Schema;

namespace Plumb.Api.Resources.Validation;

/// <summary>A pod's spec, also inside a template.</summary>
internal static class PodValidation
{
    private static readonly string[] Protocols = ["SCTP", "TCP", "UDP"];

    /// <param name="at">`spec`, or `spec.template.spec`.</param>
    public static void Spec(JsonObject spec, string at, FieldErrors errors)
    {
        var volumes = VolumeValidation.Volumes(spec, at + ".volumes", errors);
        var hostNetwork = Fields.Flag(spec, "hostNetwork");
        var names = new HashSet<string>();
        if (Fields.Array(spec, "containers") is not { Count: > 0 })
            errors.Required(at + ".containers");
        Containers(spec, "containers", at, hostNetwork, volumes, names, errors);
        Containers(spec, "initContainers", at, hostNetwork, volumes, names, errors);
        Choice(spec, "restartPolicy", at, errors, "Always", "OnFailure", "Never");
        Choice(spec, "dnsPolicy", at, errors, "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None");
        PodDnsValidation.Check(spec, at, errors);
        PodSecurityValidation.Pod(spec, at, errors);

        foreach (var member in (ReadOnlySpan<string>)["hostname", "subdomain"])
        {
            var text = Fields.Text(spec, member);
            foreach (var fault in text.Length == 0 ? [] : NameSyntax.PlainLabel(text))
                errors.InvalidText($"{at}.{member}", text, fault);
        }

        var nodeName = Fields.Text(spec, "nodeName");
        foreach (var fault in nodeName.Length == 0 ? [] : NameSyntax.Subdomain(nodeName))
            errors.InvalidText(at + ".nodeName", nodeName, fault);
        MetadataValidation.Labels(Fields.Find(spec, "nodeSelector"), at + ".nodeSelector", errors);
        Tolerations(spec, at, errors);
        var alias = 0;
        foreach (var host in Fields.Objects(spec, "hostAliases"))
        {
            if (!NameSyntax.IsAddress(Fields.Text(host, "ip")))
                errors.InvalidText($"{at}.hostAliases[{alias}].ip", Fields.Text(host, "ip"), NameSyntax.AddressText);
            alias++;
        }
    }

    private static void Containers(
        JsonObject spec, string member, string at, bool hostNetwork, HashSet<string> volumes, HashSet<string> names, FieldErrors errors)
    {
        // Host ports are one space for all main containers; init containers run one after the other.
        var hostPorts = new HashSet<string>();
        var index = 0;
        foreach (var container in Fields.Objects(spec, member))
        {
            var here = $"{at}.{member}[{index++}]";
            if (member == "initContainers")
                hostPorts.Clear();
            var name = Fields.Text(container, "name");
            if (name.Length == 0)
            {
                errors.Required(here + ".name");
            }
            else
            {
                foreach (var fault in NameSyntax.PlainLabel(name))
                    errors.InvalidText(here + ".name", name, fault);
                if (!names.Add(name))
                    errors.Duplicate(here + ".name", FieldErrors.Quote(name));
            }

            var image = Fields.Text(container, "image");
            if (image.Length == 0)
                errors.Required(here + ".image");
            else if (image.Trim() != image)
                errors.InvalidText(here + ".image", image, "must not have leading or trailing whitespace");
            Ports(container, here + ".ports", hostNetwork, hostPorts, errors);
            Environment(container, here + ".env", errors);
            VolumeValidation.Mounts(container, here + ".volumeMounts", volumes, errors);
            Choice(container, "imagePullPolicy", here, errors, "Always", "IfNotPresent", "Never");
            Choice(container, "terminationMessagePolicy", here, errors, "FallbackToLogsOnError", "File");
            Resources(container, here + ".resources", errors);
            ResizePolicy(container, here + ".resizePolicy", Fields.Text(spec, "restartPolicy"), errors);
            ProbeValidation.Probes(container, here, errors);
            PodSecurityValidation.Container(spec, container, here, errors);
        }
    }

    private static void Ports(JsonObject container, string at, bool hostNetwork, HashSet<string> hostPorts, FieldErrors errors)
    {
        var names = new HashSet<string>();
        var index = 0;
        foreach (var port in Fields.Objects(container, "ports"))
        {
            var here = $"{at}[{index++}]";
            var name = Fields.Text(port, "name");
            if (name.Length > 0)
            {
                var faults = NameSyntax.PortName(name).ToList();
                foreach (var fault in faults)
                    errors.InvalidText(here + ".name", name, fault);
                if (faults.Count == 0 && !names.Add(name))
                    errors.Duplicate(here + ".name", FieldErrors.Quote(name));
            }

            var number = Fields.Number(port, "containerPort") ?? 0;
            if (number == 0)
                errors.Required(here + ".containerPort");
            else if (number is < 1 or > 65535)
                errors.Invalid(here + ".containerPort", number.ToString(), NameSyntax.PortText);
            var host = Fields.Number(port, "hostPort") ?? 0;
            if (host is < 0 or > 65535)
                errors.Invalid(here + ".hostPort", host.ToString(), NameSyntax.PortText);
            else if (hostNetwork && host != number)
                errors.Invalid(here + ".hostPort", host.ToString(), "must match `containerPort` when `hostNetwork` is true");
            var protocol = Fields.Text(port, "protocol");
            if (protocol.Length == 0)
                errors.Required(here + ".protocol");
            else if (!Protocols.Contains(protocol))
                errors.NotSupported(here + ".protocol", protocol, Protocols);
            if (host > 0 && !hostPorts.Add($"{protocol}/{Fields.Text(port, "hostIP")}/{host}"))
                errors.Duplicate(here + ".hostPort", FieldErrors.Quote($"{protocol}/{Fields.Text(port, "hostIP")}/{host}"));
        }
    }

    private static void Environment(JsonObject container, string at, FieldErrors errors)
    {
        var index = 0;
        foreach (var variable in Fields.Objects(container, "env"))
        {
            var here = $"{at}[{index++}]";
            var name = Fields.Text(variable, "name");
            if (name.Length == 0)
                errors.Required(here + ".name");
            else if (name.Any(static c => c is '=' or < ' ' or > '~'))
                errors.InvalidText(here + ".name", name, "a valid environment variable name must consist only of printable ASCII characters other than '='");
            if (Fields.Find(variable, "valueFrom") is { } source)
            {
                if (Fields.Text(variable, "value").Length > 0)
                    errors.InvalidText(here + ".valueFrom", "", "may not be specified when `value` is not empty");
                FieldReference(Fields.Find(source, "fieldRef"), here + ".valueFrom.fieldRef.fieldPath", errors);
            }
        }
    }

    private static void FieldReference(JsonObject? reference, string at, FieldErrors errors)
    {
        if (reference is null)
            return;
        var path = Fields.Text(reference, "fieldPath");
        var known = path is "metadata.name" or "metadata.namespace" or "metadata.uid" or "spec.nodeName" or "spec.serviceAccountName" or "status.hostIP" or "status.hostIPs"
            or "status.podIP" or "status.podIPs" || path.StartsWith("metadata.labels['", StringComparison.Ordinal) || path.StartsWith("metadata.annotations['", StringComparison.Ordinal);
        if (!known)
            errors.InvalidText(at, path, $"error converting fieldPath: field label not supported: {path}");
    }

    private static void Resources(JsonObject container, string at, FieldErrors errors)
    {
        var resources = Fields.Find(container, "resources");
        var limits = Fields.Find(resources, "limits");
        foreach (var (kind, amounts) in ((string, JsonObject?)[])[("limits", limits), ("requests", Fields.Find(resources, "requests"))])
        {
            foreach (var (name, amount) in amounts ?? [])
            {
                if (amount is null || !Quantities.TryParse(amount.ToString(), out var value))
                    continue;
                if (value < 0)
                    errors.InvalidText($"{at}.{kind}[{name}]", amount.ToString(), "must be greater than or equal to 0");
                else if (kind == "requests" && limits?[name] is { } limit && Quantities.TryParse(limit.ToString(), out var most) && value > most)
                    errors.InvalidText(at + ".requests", amount.ToString(), $"must be less than or equal to {name} limit of {limit}");
            }
        }
    }

    private static void ResizePolicy(JsonObject container, string at, string restartPolicy, FieldErrors errors)
    {
        var resources = new HashSet<string>();
        foreach (var (index, policy) in Fields.Objects(container, "resizePolicy").Index())
        {
            var (resource, restart) = (Fields.Text(policy, "resourceName"), Fields.Text(policy, "restartPolicy"));
            if (!resources.Add(resource))
                errors.Duplicate($"{at}[{index}]", FieldErrors.Quote(resource));
            RequiredChoice(resource, "cpu", "memory");
            RequiredChoice(restart, "NotRequired", "RestartContainer");
            if (restartPolicy == "Never" && restart != "NotRequired")
                errors.InvalidText(at, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'");
        }

        void RequiredChoice(string value, params string[] supported)
        {
            if (value.Length == 0)
                errors.Required(at);
            else if (!supported.Contains(value))
                errors.NotSupported(at, value, supported);
        }
    }

    private static void Tolerations(JsonObject spec, string at, FieldErrors errors)
    {
        var index = 0;
        foreach (var toleration in Fields.Objects(spec, "tolerations"))
        {
            var here = $"{at}.tolerations[{index++}]";
            if (toleration["tolerationSeconds"] is not null && Fields.Text(toleration, "effect") != "NoExecute")
                errors.InvalidText(here + ".effect", Fields.Text(toleration, "effect"), "effect must be 'NoExecute' when `tolerationSeconds` is set");
            if (Fields.Text(toleration, "operator") is not ("" or "Equal" or "Exists"))
                errors.NotSupported(here + ".operator", Fields.Text(toleration, "operator"), "Equal", "Exists");
        }
    }

    internal static void Choice(JsonObject parent, string member, string at, FieldErrors errors, params IEnumerable<string> supported)
    {
        var value = Fields.Text(parent, member);
        if (!supported.Contains(value))
            errors.NotSupported($"{at}.{member}", value, supported);
    }
}
