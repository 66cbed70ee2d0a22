using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules;

/// <summary>Sets of nf_tables whose elements are asked for when a packet is looked up: a node with ten thousand Services has some hundred thousand.</summary>
public interface IElements
{
    IReadOnlyList<Observed> All(SetEntry set);

    /// <summary>What a look-up finds in a set without intervals; null: nothing.</summary>
    Observed? Find(SetEntry set, Octets key);
}
