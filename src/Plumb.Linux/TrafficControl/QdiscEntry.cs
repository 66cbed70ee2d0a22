using System.Text.Json.Serialization;
using Plumb.Linux.State;

namespace Plumb.Linux.TrafficControl;

/// <summary>
/// A queueing discipline that somebody has put on a device (<c>tc qdisc</c>). Those that the kernel attaches by itself have no handle and are
/// no entries: <c>noqueue</c>, <c>mq</c>, and what <c>net.core.default_qdisc</c> says.
/// </summary>
/// <param name="Discipline">TCA_KIND: <c>clsact</c> and <c>tbf</c>, which Plumb makes; <c>ingress</c>, <c>netem</c> and others, which it only reads.</param>
public sealed record QdiscEntry(NamespaceId Namespace, string Device, TrafficHandle Parent, string Discipline) : Entry(Namespace)
{
    /// <summary>The discipline that holds filters for what comes in and for what goes out.</summary>
    public const string Clsact = "clsact";

    /// <summary>The older one, for what comes in alone.</summary>
    public const string Ingress = "ingress";

    /// <summary>The one that slows down.</summary>
    public const string TokenBucketFilter = "tbf";

    /// <summary>Of <c>tbf</c>; null: not stated, or more than a bucket says.</summary>
    public TokenBucket? Bucket { get; init; }

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Qdisc;

    public static QdiscEntry OfFilters(NamespaceId space, string device) => new(space, device, TrafficHandle.Clsact, Clsact);

    /// <summary>For all that a device sends.</summary>
    public static QdiscEntry OfDevice(NamespaceId space, string device, TokenBucket bucket) => new(space, device, TrafficHandle.Root, TokenBucketFilter) { Bucket = bucket };

    protected override string NaturalKey() => $"dev {Device} {(Parent == TrafficHandle.Root || Parent == TrafficHandle.Clsact ? "" : "parent ")}{Parent}";

    public override string Print() =>
        Parent == TrafficHandle.Clsact ? $"qdisc {Discipline} dev {Device}"
        : $"qdisc {Discipline} dev {Device} {(Parent == TrafficHandle.Root ? "" : "parent ")}{Parent}{(Bucket is { } bucket ? $" {bucket}" : "")}";
}
