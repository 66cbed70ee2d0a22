using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

internal sealed class IngressClassStrategy : Strategy
{
    public static readonly GroupResource Resource = new("networking.k8s.io", "ingressclasses");

    private const string DefaultAnnotation = "ingressclass.kubernetes.io/is-default-class";

    public override void Default(JsonObject root)
    {
        if (Fields.Find(Fields.Find(root, "spec"), "parameters") is { } parameters)
            Fields.DefaultText(parameters, "scope", "Cluster");
    }

    public override void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
        var controller = Fields.Text(Fields.Find(root, "spec"), "controller");
        if (controller != Fields.Text(Fields.Find(old, "spec"), "controller"))
            errors.InvalidText("spec.controller", controller, "field is immutable");
    }

    /// <summary>The class of Ingresses that name none: the newest that says so.</summary>
    public static string? DefaultClass(Registry registry) => registry.Store.List(Resource, null, HasMark)
        .OrderByDescending(static stored => stored.CreationTimestamp).ThenBy(static stored => stored.Name, StringComparer.Ordinal).FirstOrDefault()?.Name;

    private static bool HasMark(StoredObject stored) => Fields.Text(Fields.Find(Fields.Find(stored.ToNode(), "metadata"), "annotations"), DefaultAnnotation) == "true";
}

internal sealed class IngressStrategy : Strategy
{
    private const string ClassAnnotation = "kubernetes.io/ingress.class";

    public override void Default(JsonObject root) => Fields.Object(root, "spec");

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        root["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
        var spec = Fields.Object(root, "spec");
        if (Annotation(root).Length > 0)
            admission.Warn("annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead");
        else if (spec["ingressClassName"] is null && IngressClassStrategy.DefaultClass(admission.Registry) is { } name)
            spec["ingressClassName"] = name;
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var spec = Fields.Object(root, "spec");
        var rules = Fields.Objects(spec, "rules").ToList();
        if (rules.Count == 0 && Fields.Find(spec, "defaultBackend") is null)
            errors.Invalid("spec", "null", "either `defaultBackend` or `rules` must be specified");
        if (Fields.Find(spec, "defaultBackend") is { } backend)
            Backend(backend, "spec.defaultBackend", errors);
        for (var i = 0; i < rules.Count; i++)
        {
            if (Fields.Text(rules[i], "host") is { Length: > 0 } host)
                Host(host, $"spec.rules[{i}].host", errors);
            if (Fields.Find(rules[i], "http") is { } http)
                Paths(http, $"spec.rules[{i}].http.paths", errors);
        }

        var index = 0;
        foreach (var tls in Fields.Objects(spec, "tls"))
        {
            var at = $"spec.tls[{index++}]";
            var i = 0;
            foreach (var host in MetadataValidation.Texts(tls, "hosts"))
                HostName(host, $"{at}.hosts[{i++}]", errors);
        }

        if (Fields.Text(spec, "ingressClassName") is { Length: > 0 } named)
        {
            foreach (var fault in NameSyntax.Subdomain(named))
                errors.InvalidText("spec.ingressClassName", named, fault);
            var annotation = Annotation(root);
            if (annotation.Length > 0 && annotation != named)
                errors.InvalidText("annotations." + ClassAnnotation, annotation, "must match `ingressClassName` when both are specified");
        }
    }

    private static string Annotation(JsonObject root) => Fields.Text(Fields.Find(Fields.Find(root, "metadata"), "annotations"), ClassAnnotation);

    private static void Host(string host, string at, FieldErrors errors)
    {
        if (NameSyntax.IsAddress(host))
            errors.InvalidText(at, host, "must be a DNS name, not an IP address");
        else
            HostName(host, at, errors);
    }

    private static void HostName(string host, string at, FieldErrors errors)
    {
        foreach (var fault in host.Contains('*', StringComparison.Ordinal) ? NameSyntax.WildcardSubdomain(host) : NameSyntax.Subdomain(host))
            errors.InvalidText(at, host, fault);
    }

    private static void Paths(JsonObject http, string at, FieldErrors errors)
    {
        var index = 0;
        foreach (var path in Fields.Objects(http, "paths"))
        {
            var here = $"{at}[{index++}]";
            var type = Fields.Text(path, "pathType");
            var text = Fields.Text(path, "path");
            switch (type)
            {
                case "Exact" or "Prefix":
                    Path(text, here + ".path", errors);
                    break;
                case "ImplementationSpecific":
                    if (text.Length > 0 && text[0] != '/')
                        errors.InvalidText(here + ".path", text, "must be an absolute path");
                    break;
                case "" when path["pathType"] is null:
                    errors.Required(here + ".pathType", "pathType must be specified");
                    break;
                default:
                    errors.NotSupported(here + ".pathType", type, "Exact", "ImplementationSpecific", "Prefix");
                    break;
            }

            Backend(Fields.Find(path, "backend"), here + ".backend", errors);
        }

        if (index == 0)
            errors.Required(at);
    }

    private static void Path(string path, string at, FieldErrors errors)
    {
        if (path.Length == 0 || path[0] != '/')
            errors.InvalidText(at, path, "must be an absolute path");
        foreach (var part in (ReadOnlySpan<string>)["//", "/./", "/../", "%2f", "%2F"])
        {
            if (path.Contains(part, StringComparison.Ordinal))
                errors.InvalidText(at, path, $"must not contain '{part}'");
        }

        foreach (var end in (ReadOnlySpan<string>)["/..", "/."])
        {
            if (path.EndsWith(end, StringComparison.Ordinal))
                errors.InvalidText(at, path, $"cannot end with '{end}'");
        }
    }

    private static void Backend(JsonObject? backend, string at, FieldErrors errors)
    {
        var service = Fields.Find(backend, "service");
        var resource = Fields.Find(backend, "resource");
        if (service is not null && resource is not null)
        {
            errors.InvalidText(at, "", "cannot set both resource and service backends");
            return;
        }

        if (resource is not null)
            return;
        if (service is null)
        {
            errors.InvalidText(at, "", "resource or service backend is required");
            return;
        }

        var name = Fields.Text(service, "name");
        if (name.Length == 0)
            errors.Required(at + ".service.name");
        foreach (var fault in name.Length == 0 ? [] : NameSyntax.Rfc1035(name))
            errors.InvalidText(at + ".service.name", name, fault);
        var port = Fields.Find(service, "port");
        var number = Fields.Number(port, "number") ?? 0;
        var named = Fields.Text(port, "name");
        if (named.Length > 0 && number != 0)
            errors.InvalidText(at, "", "cannot set both port name & port number");
        else if (named.Length == 0 && number == 0)
            errors.Required(at, "port name or number is required");
        else if (number is < 0 or > 65535)
            errors.Invalid(at + ".service.port.number", number.ToString(), NameSyntax.PortText);
        foreach (var fault in named.Length == 0 ? [] : NameSyntax.PortName(named))
            errors.InvalidText(at + ".service.port.name", named, fault);
    }
}
