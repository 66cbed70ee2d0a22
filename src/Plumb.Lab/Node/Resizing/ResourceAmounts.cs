using System.Text.Json;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node.Resizing;

/// <summary>`resources` of containers: compared, added up and written.</summary>
internal static class ResourceAmounts
{
    public static readonly ResourceRequirements None = new();

    /// <returns>Processors or bytes; null: it says nothing, or nothing that counts.</returns>
    public static decimal? Of(IReadOnlyDictionary<string, Quantity> amounts, string resource) =>
        amounts.TryGetValue(resource, out var text) && Quantity.TryParse(text.Text, out var amount) && amount > 0 ? amount : null;

    public static bool AreSame(ResourceRequirements one, ResourceRequirements other) =>
        ReferenceEquals(one, other) || (AreSame(one.Requests, other.Requests) && AreSame(one.Limits, other.Limits));

    /// <summary>Whether a request or a limit of it is another.</summary>
    public static bool Differ(ResourceRequirements one, ResourceRequirements other, string resource) =>
        Of(one.Requests, resource) != Of(other.Requests, resource) || Of(one.Limits, resource) != Of(other.Limits, resource);

    /// <summary>What a pod asks for: its containers together with its side cars, or the hungriest that runs before them.</summary>
    public static decimal Requested(Pod pod, string resource)
    {
        var (most, sidecars) = (0m, 0m);
        foreach (var container in pod.Spec.InitContainers)
        {
            var amount = Of(container);
            if (ContainerSpecs.IsSidecar(container))
            {
                sidecars += amount;
            }
            most = Math.Max(most, ContainerSpecs.IsSidecar(container) ? sidecars : sidecars + amount);
        }
        return Math.Max(most, sidecars + pod.Spec.Containers.Sum(Of));

        decimal Of(Container container) => container.Resources is { } own ? ResourceAmounts.Of(own.Requests, resource) ?? 0 : 0;
    }

    public static void Write(Utf8JsonWriter json, ResourceRequirements resources)
    {
        json.WriteStartObject();
        foreach (var (kind, amounts) in ((string, IReadOnlyDictionary<string, Quantity>)[])[("limits", resources.Limits), ("requests", resources.Requests)])
        {
            if (amounts.Count > 0)
            {
                json.WritePropertyName(kind);
                Write(json, amounts);
            }
        }
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, IReadOnlyDictionary<string, Quantity> amounts)
    {
        json.WriteStartObject();
        foreach (var (name, amount) in amounts.OrderBy(static one => one.Key, StringComparer.Ordinal))
        {
            json.WriteString(name, amount.ToString());
        }
        json.WriteEndObject();
    }

    private static bool AreSame(IReadOnlyDictionary<string, Quantity> one, IReadOnlyDictionary<string, Quantity> other) =>
        one.Count == other.Count && one.All(amount => other.TryGetValue(amount.Key, out var text)
            && (text == amount.Value || (Quantity.TryParse(text.Text, out var a) && Quantity.TryParse(amount.Value.Text, out var b) && a == b)));
}
