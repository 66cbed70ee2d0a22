using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Plumb.Diagnosis.Snapshots.Redaction;

/// <summary>Other names for what people have named: <c>website</c> becomes <c>n3</c>, and <c>website-86c544fddd-sf62g</c> <c>n3-86c544fddd-sf62g</c>.</summary>
internal sealed partial class NameMask
{
    // What Kubernetes itself, Plumb, rules and routes call so: hidden, they would mean something else.
    private static readonly HashSet<string> WellKnown = new(StringComparer.OrdinalIgnoreCase)
    {
        "default", "kube-system", "kube-public", "kube-node-lease", "kubernetes", "kube-dns", "coredns", "cluster", "local", "svc", "pod", "true", "false", "outside", "wire", "plumb", "system",
        "tcp", "udp", "sctp", "icmp", "icmpv6", "ip", "ip6", "inet", "arp", "bridge", "netdev", "link", "route", "rule", "rules", "addr", "address", "neigh", "fdb", "sysctl", "dev", "via", "src", "dst",
        "lo", "eth0", "cni0", "accept", "drop", "reject", "jump", "goto", "return", "queue", "continue", "input", "output", "forward", "prerouting", "postrouting", "nat", "filter", "raw", "mangle",
        "main", "unspec", "table", "chain", "set", "map", "counter", "comment", "mark", "ct", "meta", "element", "elements", "type", "hook", "priority", "policy", "up", "down", "mtu",
        "http", "https", "dns", "root", "name", "namespace", "service", "services", "node", "nodes", "host", "scope", "global", "proto", "kernel", "static", "boot", "permanent", "metric", "veth", "vxlan",
    };

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _found = new(StringComparer.Ordinal);

    /// <summary>Takes the names of an object: its own, its namespace's, of its containers, hosts, and the values of labels.</summary>
    public void Collect(JsonNode? node, string property = "")
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var (key, value) in map)
                {
                    Collect(value, IsLabels(property) && value is JsonValue ? "label" : key);
                    if (key.Contains('/') && (IsLabels(property) || property == "annotations") && !IsWellKnownKey(key))
                    {
                        Add(key[..key.IndexOf('/')]);
                    }
                }
                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    Collect(item, property);
                }
                break;
            case JsonValue value when value.TryGetValue<string>(out var text):
                if (property is "name" or "namespace" or "generateName" or "label" or "values" or "externalName" or "host" or "hosts" or "hostname" or "subdomain" or "nodeName" or "serviceName"
                    or "serviceAccountName" or "secretName" or "claimName" or "resourceNames" or "search")
                {
                    Add(text);
                }
                break;
            default:
                break;
        }
    }

    /// <summary>Each part of a name, or of several.</summary>
    public void Add(string text)
    {
        foreach (Match part in Word().Matches(text))
        {
            _found.Add(part.Value);
        }
    }

    /// <summary>All are known: from here on each has its own.</summary>
    public void Settle()
    {
        var number = 0;
        foreach (var name in _found.Where(static name => !IsKept(name)).OrderBy(static name => name.Length).ThenBy(static name => name, StringComparer.Ordinal))
        {
            _names[name] = Derived(name) ?? $"n{(++number).ToString(CultureInfo.InvariantCulture)}";
        }
    }

    /// <summary>What stands for a word; null: itself.</summary>
    public string? Of(string word) => _names.TryGetValue(word, out var other) ? other : Derived(word);

    /// <summary>Whether what bears this name has keys that people choose.</summary>
    public static bool IsLabels(string property) => property is "labels" or "matchLabels" or "selector" or "nodeSelector";

    /// <summary>Whether a key of labels or annotations is Kubernetes' or Plumb's own.</summary>
    public static bool IsWellKnownKey(string key) => KnownDomain().IsMatch(key);

    // A replica bears the name of what made it, and what was made up for it.
    private string? Derived(string name)
    {
        for (var at = name.LastIndexOf('-'); at > 0; at = name.LastIndexOf('-', at - 1))
        {
            if (_names.TryGetValue(name[..at], out var known) && MadeUp().IsMatch(name[at..]))
            {
                return known + name[at..];
            }
        }
        return null;
    }

    private static bool IsKept(string name) => name.Length < 2 || WellKnown.Contains(name) || Kept().IsMatch(name);

    [GeneratedRegex("[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?")]
    public static partial Regex Word();

    // Letters that Kubernetes makes suffixes of; ordinals of a StatefulSet.
    [GeneratedRegex("^(-[bcdfghjklmnpqrstvwxz2456789]{5,10}){1,2}$|^-[0-9]{1,3}$")]
    private static partial Regex MadeUp();

    // Numbers, versions, hashes of templates, and nodes as a lab calls them.
    [GeneratedRegex("^(v?[0-9]+([a-z]+[0-9]+)?|node-[0-9]+|[bcdfghjklmnpqrstvwxz2456789]{8,10}|[0-9a-f]{8,})$")]
    private static partial Regex Kept();

    [GeneratedRegex(@"(^|\.)(k8s\.io|kubernetes\.io|plumb\.network)/")]
    private static partial Regex KnownDomain();
}
