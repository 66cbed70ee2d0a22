using System.Text.Json;

namespace Plumb.Api.Resources.Tables;

/// <summary>Nodes, namespaces, events and what else belongs to the cluster.</summary>
internal static class ClusterTables
{
    private const string RolePrefix = "node-role.kubernetes.io/";

    public static readonly TableLayout Nodes = new(
        TableLayout.Name,
        new Column("Status", static row => NodeStatus(row)),
        new Column("Roles", static row => Json.OrNone(string.Join(',', Roles(row)))),
        TableLayout.Age,
        new Column("Version", static row => row.Root.Text("status", "nodeInfo", "kubeletVersion")),
        new Column("Internal-IP", static row => Json.OrNone(Address(row, "InternalIP")), 1),
        new Column("External-IP", static row => Json.OrNone(Address(row, "ExternalIP")), 1),
        new Column("OS-Image", static row => OrUnknown(row.Root.Text("status", "nodeInfo", "osImage")), 1),
        new Column("Kernel-Version", static row => OrUnknown(row.Root.Text("status", "nodeInfo", "kernelVersion")), 1),
        new Column("Container-Runtime", static row => OrUnknown(row.Root.Text("status", "nodeInfo", "containerRuntimeVersion")), 1));

    public static readonly TableLayout Namespaces = new(TableLayout.Name, new Column("Status", static row => row.Stored.Phase), TableLayout.Age);

    public static readonly TableLayout ConfigMaps = new(
        TableLayout.Name, new Column("Data", static row => (long)(row.Root.Count("data") + row.Root.Count("binaryData"))), TableLayout.Age);

    public static readonly TableLayout Secrets = new(
        TableLayout.Name,
        new Column("Type", static row => row.Root.Text("type")),
        new Column("Data", static row => (long)row.Root.Count("data")),
        TableLayout.Age);

    public static readonly TableLayout ServiceAccounts = new(
        TableLayout.Name, new Column("Secrets", static row => (long)row.Root.Count("secrets")), TableLayout.Age);

    public static readonly TableLayout Leases = new(
        TableLayout.Name, new Column("Holder", static row => row.Root.Text("spec", "holderIdentity")), TableLayout.Age);

    public static readonly TableLayout Events = new(
        new Column("Last Seen", static row => LastSeen(row)),
        new Column("Type", static row => row.Root.Text("type")),
        new Column("Reason", static row => row.Root.Text("reason")),
        new Column("Object", static row => EventObject(row)),
        new Column("Subobject", static row => row.Root.Text("involvedObject", "fieldPath"), 1),
        new Column("Source", static row => Source(row), 1),
        new Column("Message", static row => row.Root.Text("message").Trim()),
        new Column("First Seen", static row => Durations.Since(row.Root.Time("firstTimestamp") ?? row.Root.Time("eventTime"), row.Now), 1),
        new Column("Count", static row => EventCount(row), 1),
        TableLayout.Name with { Priority = 1 });

    public static readonly TableLayout Claims = new(
        TableLayout.Name,
        new Column("Status", static row => row.Stored.IsDeleting ? "Terminating" : row.Stored.Phase),
        new Column("Volume", static row => row.Root.Text("spec", "volumeName")),
        new Column("Capacity", static row => row.Root.Shown("status", "capacity", "storage")),
        new Column("Access Modes", static row => AccessModes(row.Root.Items("status", "accessModes"))),
        new Column("StorageClass", static row => row.Root.Text("spec", "storageClassName")),
        new Column("VolumeAttributesClass", static row => row.Root.Text("spec", "volumeAttributesClassName") is { Length: > 0 } name ? name : "<unset>"),
        TableLayout.Age,
        new Column("VolumeMode", static row => row.Root.Text("spec", "volumeMode") is { Length: > 0 } mode ? mode : "<unset>", 1));

    public static readonly TableLayout PersistentVolumes = new(
        TableLayout.Name,
        new Column("Capacity", static row => row.Root.Shown("spec", "capacity", "storage")),
        new Column("Access Modes", static row => AccessModes(row.Root.Items("spec", "accessModes"))),
        new Column("Reclaim Policy", static row => row.Root.Text("spec", "persistentVolumeReclaimPolicy")),
        new Column("Status", static row => row.Stored.IsDeleting ? "Terminating" : row.Stored.Phase),
        new Column("Claim", static row => row.Root.Text("spec", "claimRef", "name") is { Length: > 0 } claim ? $"{row.Root.Text("spec", "claimRef", "namespace")}/{claim}" : ""),
        new Column("StorageClass", static row => row.Root.Text("spec", "storageClassName")),
        new Column("VolumeAttributesClass", static row => row.Root.Text("spec", "volumeAttributesClassName") is { Length: > 0 } name ? name : "<unset>"),
        new Column("Reason", static row => row.Root.Text("status", "reason")),
        TableLayout.Age,
        new Column("VolumeMode", static row => row.Root.Text("spec", "volumeMode") is { Length: > 0 } mode ? mode : "<unset>", 1));

    private static string AccessModes(IEnumerable<JsonElement> modes) => string.Join(',', modes.Select(static mode => mode.GetString() switch
    {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        var other => other,
    }));

    private static string NodeStatus(Row row)
    {
        var status = "Unknown";
        foreach (var condition in row.Root.Items("status", "conditions"))
        {
            if (condition.Text("type") == "Ready")
                status = condition.Text("status") == "True" ? "Ready" : "NotReady";
        }

        return row.Root.Flag("spec", "unschedulable") ? status + ",SchedulingDisabled" : status;
    }

    private static SortedSet<string> Roles(Row row)
    {
        var roles = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in row.Stored.Labels)
        {
            if (key.StartsWith(RolePrefix, StringComparison.Ordinal) && key.Length > RolePrefix.Length)
                roles.Add(key[RolePrefix.Length..]);
            else if (key == "kubernetes.io/role" && value.Length > 0)
                roles.Add(value);
        }

        return roles;
    }

    private static string Address(Row row, string type)
    {
        foreach (var address in row.Root.Items("status", "addresses"))
        {
            if (address.Text("type") == type)
                return address.Text("address");
        }

        return "";
    }

    private static string LastSeen(Row row)
    {
        var last = row.Root.Time("series", "lastObservedTime") ?? row.Root.Time("lastTimestamp") ?? row.Root.Time("eventTime") ?? row.Root.Time("firstTimestamp");
        var seen = Durations.Since(last, row.Now);
        var count = row.Root.Number("series", "count") is var series and > 0 ? series : row.Root.Number("count");
        var first = row.Root.Time("firstTimestamp") ?? row.Root.Time("eventTime");
        return count > 1 && first is not null && last > first && row.Root.Get("series").ValueKind == JsonValueKind.Object
            ? $"{seen} (x{count} over {Durations.Since(first, row.Now)})"
            : seen;
    }

    private static string EventObject(Row row)
    {
        var kind = row.Root.Text("involvedObject", "kind").ToLowerInvariant();
        var name = row.Root.Text("involvedObject", "name");
        return name.Length == 0 ? kind : $"{kind}/{name}";
    }

    private static string Source(Row row)
    {
        var component = row.Root.Text("source", "component") is { Length: > 0 } source ? source : row.Root.Text("reportingComponent");
        var host = row.Root.Text("source", "host") is { Length: > 0 } given ? given : row.Root.Text("reportingInstance");
        return host.Length == 0 ? component : $"{component}, {host}";
    }

    private static long EventCount(Row row)
    {
        if (row.Root.Number("series", "count") is var series and > 0)
            return series;
        return Math.Max(row.Root.Number("count"), 1);
    }

    private static string OrUnknown(string text) => text.Length == 0 ? "<unknown>" : text;
}
