using Plumb.Diagnosis.Walk.Stages;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stacks;

/// <summary>IEEE 802.1Q: a tag on what a device sends, and off what it receives (<c>vlan_dev_hard_start_xmit</c>, <c>vlan_do_receive</c>).</summary>
internal static class Vlan
{
    public static Step Send(Traveller traveller, Surroundings around, LinkEntry link, LinkType.Vlan vlan) =>
        traveller.Tag is not null ? Stack.Unknown(traveller, link, "frames with two tags are not followed")
        : around.Uppers.Below(vlan) is not { } below ? Stack.OutOfSight(traveller, link, vlan)
        : Stack.Down(traveller with { Tag = vlan.Id }, link, below);

    /// <summary>The device that takes the tag off; null: the frame has none, or a bridge passes it on with it.</summary>
    public static Step? Receive(Traveller traveller, Surroundings around, LinkEntry link)
    {
        if (traveller.Tag is not { } tag)
        {
            return null;
        }
        foreach (var upper in around.Uppers.On<LinkType.Vlan>(traveller.Space, link.Name))
        {
            if (upper.Type.Id == tag && upper.Link.Up == true)
            {
                return Stack.Up(traveller with { Tag = null }, upper.At, traveller.Note($"{link.Name} → {upper.Link.Name}: the tag {tag} is taken off", upper.Link, link.Name));
            }
        }
        return link.Master is { Length: > 0 } ? null : traveller.Drop($"no device on {link.Name} takes frames of VLAN {tag}", link, link.Name);
    }
}
