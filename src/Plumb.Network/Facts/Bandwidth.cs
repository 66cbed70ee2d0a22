using Plumb.Kubernetes.Json;

namespace Plumb.Network.Facts;

/// <summary>How fast one direction of a pod's interface may be.</summary>
/// <param name="BitsPerSecond">With what Ethernet adds to each packet.</param>
/// <param name="BurstBits">What may pass at once after a rest; 0: nobody says.</param>
public readonly record struct RateLimit(ulong BitsPerSecond, ulong BurstBits);

/// <summary>How fast a pod may receive and send (annotations of the pod; capability <c>bandwidth</c> of CNI).</summary>
/// <param name="Ingress">What comes to the pod; null: as fast as it can.</param>
/// <param name="Egress">What it sends; null: as fast as it can.</param>
public readonly record struct Bandwidth(RateLimit? Ingress, RateLimit? Egress)
{
    public const string IngressAnnotation = "kubernetes.io/ingress-bandwidth";
    public const string EgressAnnotation = "kubernetes.io/egress-bandwidth";

    /// <summary>Kubernetes takes no less (k8s.io/kubernetes/pkg/util/bandwidth).</summary>
    public const ulong LeastBits = 1_000;

    /// <summary>Kubernetes takes no more.</summary>
    public const ulong MostBits = 1_000_000_000_000_000;

    /// <exception cref="FormatException">A value is none that Kubernetes takes; in its words.</exception>
    public static Bandwidth Of(IReadOnlyDictionary<string, string> annotations)
    {
        ArgumentNullException.ThrowIfNull(annotations);
        return new Bandwidth(Read(annotations, IngressAnnotation), Read(annotations, EgressAnnotation));
    }

    private static RateLimit? Read(IReadOnlyDictionary<string, string> annotations, string name)
    {
        if (!annotations.TryGetValue(name, out var text))
        {
            return null;
        }
        if (!Quantity.TryParse(text, out var bits))
        {
            throw new FormatException($"{name} '{text}': quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
        }
        return decimal.Ceiling(bits) switch
        {
            < LeastBits => throw new FormatException($"{name} '{text}': resource is unreasonably small (< 1kbit)"),
            > MostBits => throw new FormatException($"{name} '{text}': resource is unreasonably large (> 1Pbit)"),
            var whole => new RateLimit((ulong)whole, 0),
        };
    }
}
