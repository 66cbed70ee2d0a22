using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>An element of a named set or map: the unit of difference. Its stamp is its comment.</summary>
/// <param name="Set">Shared by all elements of the set.</param>
public sealed record ElementEntry(NamespaceId Namespace, SetSchema Set, SetElement Element) : Entry(Namespace)
{
    public override EntryKind Kind => EntryKind.Element;

    protected override string NaturalKey() => ElementText.NaturalKey(Set, Element);

    public override string Print() => ElementText.Print(Set, Element, comment: null);
}
