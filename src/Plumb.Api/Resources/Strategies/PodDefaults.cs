using System.Text.Json.Nodes;
using Plumb.Api.Schema;

namespace Plumb.Api.Resources.Strategies;

/// <summary>What a real server fills into a pod's spec, and into the template of one.</summary>
internal static class PodDefaults
{
    public static void Apply(JsonObject spec)
    {
        foreach (var member in (ReadOnlySpan<string>)["containers", "initContainers"])
        {
            foreach (var container in Fields.Objects(spec, member))
                Container(container, Fields.Flag(spec, "hostNetwork"));
        }

        foreach (var volume in Fields.Objects(spec, "volumes"))
            Volume(volume);
        Fields.DefaultText(spec, "restartPolicy", "Always");
        Fields.Default(spec, "terminationGracePeriodSeconds", 30);
        if (Fields.Number(spec, "terminationGracePeriodSeconds") < 0)
            spec["terminationGracePeriodSeconds"] = 1;
        Fields.DefaultText(spec, "dnsPolicy", "ClusterFirst");
        if (Fields.Text(spec, "serviceAccountName") is { Length: > 0 } account)
            spec["serviceAccount"] = account;
        else if (Fields.Text(spec, "serviceAccount") is { Length: > 0 } old)
            spec["serviceAccountName"] = old;
        Fields.Default(spec, "securityContext", new JsonObject());
        Fields.DefaultText(spec, "schedulerName", "default-scheduler");
        DropFalse(spec, "hostNetwork", "hostPID", "hostIPC");
        foreach (var constraint in Fields.Objects(spec, "topologySpreadConstraints"))
            Fields.DefaultText(constraint, "whenUnsatisfiable", "DoNotSchedule");
    }

    internal static void Container(JsonObject container, bool hostNetwork)
    {
        foreach (var port in Fields.Objects(container, "ports"))
        {
            if (hostNetwork && Fields.Number(port, "hostPort") is null or 0 && Fields.Number(port, "containerPort") is { } number)
                port["hostPort"] = number;
            Fields.DefaultText(port, "protocol", "TCP");
        }

        foreach (var variable in Fields.Objects(container, "env"))
        {
            if (Fields.Find(Fields.Find(variable, "valueFrom"), "fieldRef") is { } reference)
                Fields.DefaultText(reference, "apiVersion", "v1");
            if (Fields.Find(Fields.Find(variable, "valueFrom"), "resourceFieldRef") is { } resource)
                Fields.Default(resource, "divisor", "0");
        }

        Resources(container);
        foreach (var probe in (ReadOnlySpan<string>)["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (Fields.Find(container, probe) is { } found)
                Probe(found);
        }

        if (Fields.Find(container, "lifecycle") is { } lifecycle)
        {
            foreach (var hook in (ReadOnlySpan<string>)["postStart", "preStop"])
            {
                if (Fields.Find(Fields.Find(lifecycle, hook), "httpGet") is { } get)
                    HttpGet(get);
            }
        }

        Fields.DefaultText(container, "terminationMessagePath", "/dev/termination-log");
        Fields.DefaultText(container, "terminationMessagePolicy", "File");
        if (Fields.Text(container, "image") is { Length: > 0 } image)
            Fields.DefaultText(container, "imagePullPolicy", TagOf(image) == "latest" ? "Always" : "IfNotPresent");
        else
            Fields.DefaultText(container, "imagePullPolicy", "IfNotPresent");
        if (container["args"] is JsonArray { Count: 0 })
            container.Remove("args");
    }

    private static void Resources(JsonObject container)
    {
        Fields.Default(container, "resources", new JsonObject());
        if (Fields.Find(container, "resources") is not { } resources)
            return;
        foreach (var member in (ReadOnlySpan<string>)["limits", "requests"])
        {
            Quantities.Canonicalize(Fields.Find(resources, member));
        }

        if (Fields.Find(resources, "limits") is not { } limits)
            return;
        var requests = Fields.Object(resources, "requests");
        foreach (var (name, limit) in limits)
        {
            if (requests[name] is null)
                requests[name] = limit?.DeepClone();
        }
    }

    private static void Probe(JsonObject probe)
    {
        if (Fields.Find(probe, "httpGet") is { } get)
            HttpGet(get);
        if (Fields.Find(probe, "grpc") is { } grpc)
            Fields.Default(grpc, "service", "");
        Positive(probe, "timeoutSeconds", 1);
        Positive(probe, "periodSeconds", 10);
        Positive(probe, "successThreshold", 1);
        Positive(probe, "failureThreshold", 3);
    }

    private static void HttpGet(JsonObject get)
    {
        Fields.DefaultText(get, "path", "/");
        Fields.DefaultText(get, "scheme", "HTTP");
    }

    private static void Volume(JsonObject volume)
    {
        foreach (var (kind, mode) in ((string, int)[])[("secret", 420), ("configMap", 420), ("downwardAPI", 420), ("projected", 420)])
        {
            if (Fields.Find(volume, kind) is { } source)
                Fields.Default(source, "defaultMode", mode);
        }

        if (Fields.Find(volume, "hostPath") is { } host)
            Fields.Default(host, "type", "");
        if (volume.Count == 1 && volume.ContainsKey("name"))
            volume["emptyDir"] = new JsonObject();
    }

    private static void Positive(JsonObject parent, string member, int value)
    {
        if (Fields.Number(parent, member) is null or 0)
            parent[member] = value;
    }

    private static void DropFalse(JsonObject spec, params ReadOnlySpan<string> members)
    {
        foreach (var member in members)
        {
            if (spec.ContainsKey(member) && !Fields.Flag(spec, member))
                spec.Remove(member);
        }
    }

    /// <summary>A digest is as good as a tag that never moves.</summary>
    private static string TagOf(string image)
    {
        if (image.Contains('@', StringComparison.Ordinal))
            return "";
        var name = image[(image.LastIndexOf('/') + 1)..];
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? "latest" : name[(colon + 1)..];
    }
}
