using System.Text.Json.Serialization;
using Plumb.Linux.Iptables;
using Plumb.Linux.TrafficControl;

namespace Plumb.Linux.State;

/// <summary>
/// One thing that a kernel's network state can hold, in one canonical form: what is planned, what is sent to the kernel and
/// what is read back are values of the same type, so that equality means agreement.
/// </summary>
/// <remarks>
/// A property that is null is <i>not stated</i>: the plan leaves it to the kernel or to others. What is observed states
/// everything. <see cref="IsSatisfiedBy"/> compares only what is stated.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "entry")]
[JsonDerivedType(typeof(LinkEntry), "link")]
[JsonDerivedType(typeof(AddressEntry), "address")]
[JsonDerivedType(typeof(RouteEntry), "route")]
[JsonDerivedType(typeof(RuleEntry), "rule")]
[JsonDerivedType(typeof(NeighbourEntry), "neighbour")]
[JsonDerivedType(typeof(FdbEntry), "fdb")]
[JsonDerivedType(typeof(SysctlEntry), "sysctl")]
[JsonDerivedType(typeof(IptablesChainEntry), "iptables-chain")]
[JsonDerivedType(typeof(IptablesRuleEntry), "iptables-rule")]
[JsonDerivedType(typeof(QdiscEntry), "qdisc")]
[JsonDerivedType(typeof(FilterEntry), "filter")]
public abstract record Entry(NamespaceId Namespace)
{
    private string? _naturalKey;

    // A copy made by `with` may have another natural key.
    protected Entry(Entry original)
    {
        ArgumentNullException.ThrowIfNull(original);
        Namespace = original.Namespace;
    }

    [JsonIgnore]
    public abstract EntryKind Kind { get; }

    [JsonIgnore]
    public EntryKey Key => new(Namespace, Kind, _naturalKey ??= NaturalKey());

    /// <summary>The kernel's own key of this kind of thing, as text; see <see cref="EntryKey"/>.</summary>
    protected abstract string NaturalKey();

    /// <summary>Whether the kernel, holding <paramref name="observed"/> under the same key, does what this entry asks.</summary>
    public virtual bool IsSatisfiedBy(Entry observed) => Equals(observed);

    /// <summary>The entry as a person knows it from <c>ip</c>, <c>bridge</c>, <c>sysctl</c> or <c>nft</c>; one line unless it is a chain.</summary>
    public abstract string Print();

    // The key's text is derived: it takes no part in equality, and no part in the record's own text.
    public virtual bool Equals(Entry? other) =>
        other is not null && EqualityContract == other.EqualityContract && Namespace == other.Namespace;

    public override int GetHashCode() => Namespace.GetHashCode();

    public sealed override string ToString() => $"{Namespace}: {Print()}";
}
