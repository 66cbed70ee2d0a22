using System.Globalization;
using System.Text;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Container = Plumb.Kubernetes.Objects.Container;

namespace Plumb.Lab.Node.Volumes;

/// <summary>What the downward API tells a container of its pod: fields of the object and amounts of resources. Pure.</summary>
internal static class DownwardFields
{
    /// <summary>Of a volume: only what is known before the pod has an address.</summary>
    /// <returns>Null for a path that volumes do not have.</returns>
    public static string? Field(Pod pod, string path) => path switch
    {
        "metadata.name" => pod.Metadata.Name,
        "metadata.namespace" => pod.Metadata.Namespace ?? "",
        "metadata.uid" => pod.Metadata.Uid ?? "",
        "metadata.labels" => Lines(pod.Metadata.Labels),
        "metadata.annotations" => Lines(pod.Metadata.Annotations),
        _ when Subscript(path, "metadata.labels") is { } label => pod.Metadata.Labels.GetValueOrDefault(label, ""),
        _ when Subscript(path, "metadata.annotations") is { } annotation => pod.Metadata.Annotations.GetValueOrDefault(annotation, ""),
        _ => null,
    };

    /// <summary>`app` of `metadata.labels['app']`.</summary>
    public static string? Subscript(string path, string map) =>
        path.StartsWith(map + "['", StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal) && path.Length > map.Length + 4
            ? path[(map.Length + 2)..^2]
            : null;

    /// <summary>An amount in units of the divisor, rounded up. Without a limit of its own a container has the whole node.</summary>
    /// <returns>Null for a resource that there is not.</returns>
    public static string? Resource(Container container, ResourceFieldSelector wanted)
    {
        var (kind, name) = wanted.Resource.Split('.', 2) is [var first, var second] ? (first, second) : ("", "");
        var limits = container.Resources?.Limits ?? new Dictionary<string, Quantity>();
        var requests = container.Resources?.Requests ?? new Dictionary<string, Quantity>();
        decimal? whole = name switch
        {
            "cpu" => Environment.ProcessorCount,
            "memory" => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            "ephemeral-storage" => 0,
            _ when name.StartsWith("hugepages-", StringComparison.Ordinal) => 0,
            _ => null,
        };
        decimal? amount = kind switch
        {
            "limits" => Amount(limits, name) ?? whole,
            "requests" => Amount(requests, name) ?? Amount(limits, name) ?? (whole is null ? null : 0),
            _ => null,
        };
        if (amount is not { } value)
        {
            return null;
        }
        var divisor = wanted.Divisor is { } text && Quantity.TryParse(text, out var unit) && unit > 0 ? unit : 1;
        return decimal.Ceiling(value / divisor).ToString(CultureInfo.InvariantCulture);
    }

    private static decimal? Amount(IReadOnlyDictionary<string, Quantity> amounts, string name) =>
        amounts.TryGetValue(name, out var amount) && Quantity.TryParse(amount.ToString(), out var value) ? value : null;

    /// <summary>`key="value"` lines in the order of their keys; values as strings of Go are quoted.</summary>
    private static string Lines(IReadOnlyDictionary<string, string> entries)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in entries.OrderBy(static entry => entry.Key, StringComparer.Ordinal))
        {
            if (text.Length > 0)
            {
                text.Append('\n');
            }
            text.Append(key).Append("=\"");
            foreach (var letter in value)
            {
                _ = letter switch
                {
                    '"' or '\\' => text.Append('\\').Append(letter),
                    '\n' => text.Append("\\n"),
                    '\r' => text.Append("\\r"),
                    '\t' => text.Append("\\t"),
                    _ => text.Append(letter),
                };
            }
            text.Append('"');
        }
        return text.ToString();
    }
}
