using System.Text.Json.Serialization;
using Plumb.Linux.State;

namespace Plumb.Linux.TrafficControl;

/// <summary>
/// A queueing discipline that somebody has put on a device (<c>tc qdisc</c>). Those that the kernel attaches by itself have no handle and are
/// no entries: <c>noqueue</c>, <c>mq</c>, and what <c>net.core.default_qdisc</c> says.
/// </summary>
/// <param name="Discipline">TCA_KIND: <c>clsact</c>, which Plumb makes; <c>ingress</c>, <c>tbf</c>, <c>netem</c> and others, which it only reads.</param>
public sealed record QdiscEntry(NamespaceId Namespace, string Device, TrafficHandle Parent, string Discipline) : Entry(Namespace)
{
    /// <summary>The discipline that holds filters for what comes in and for what goes out.</summary>
    public const string Clsact = "clsact";

    /// <summary>The older one, for what comes in alone.</summary>
    public const string Ingress = "ingress";

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Qdisc;

    public static QdiscEntry OfFilters(NamespaceId space, string device) => new(space, device, TrafficHandle.Clsact, Clsact);

    protected override string NaturalKey() => $"dev {Device} {(Parent == TrafficHandle.Root || Parent == TrafficHandle.Clsact ? "" : "parent ")}{Parent}";

    public override string Print() =>
        Parent == TrafficHandle.Clsact ? $"qdisc {Discipline} dev {Device}" : $"qdisc {Discipline} dev {Device} {(Parent == TrafficHandle.Root ? "" : "parent ")}{Parent}";
}
