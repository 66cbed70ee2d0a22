using Plumb.Diagnosis.Explain;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;
using Plumb.Scenes;

namespace Plumb.Explaining;

/// <summary>An interface: its kind, who is at its other end, its addresses and bridge, and why it is there.</summary>
internal static class LinkCards
{
    // eth0 is the name of every pod's: then the machines' own are what was meant.
    private const int Most = 8;

    public static IReadOnlyList<Card> Of(IScene scene, NodeAccount node, string name)
    {
        var found = node.Entries.Where(entry => entry.Key.Kind == EntryKind.Link && entry.Key.Name == name).ToList();
        if (found.Count > Most)
        {
            found.RemoveAll(entry => scene.Parties.Of(entry.Key.Namespace)?.Kind == PartyKind.Pod);
        }
        return [.. found.Select(entry => Of(scene, node, entry)).OfType<Card>()];
    }

    private static Card? Of(IScene scene, NodeAccount node, Explanation explained)
    {
        if (node.Observed.Entries.GetValueOrDefault(explained.Key) is not { Entry: LinkEntry link, Facts: var facts })
        {
            return null;
        }
        var lines = new List<CardLine> { new("kind", Kind(link, facts)) };
        Party? behind = null;
        if (link.Type is LinkType.Veth veth)
        {
            behind = veth.PeerNamespace is { } there && there != link.Namespace ? scene.Parties.Of(there) : null;
            lines.Add(new CardLine("other end", OtherEnd(scene, link, veth, facts)));
        }
        if (behind is { Kind: PartyKind.Pod or PartyKind.Machine })
        {
            lines.Add(new CardLine(behind.Kind == PartyKind.Pod ? "pod" : "with", $"{behind.FullName} on {behind.Node}"));
            if (scene.EvidenceOf(behind.Space) is { } evidence)
            {
                lines.Add(new CardLine("", $"({evidence})"));
            }
        }
        var addresses = Addresses(node.Observed, link.Namespace, link.Name);
        if (addresses.Length > 0)
        {
            lines.Add(new CardLine("address", addresses));
        }
        if (link.Type is LinkType.Veth { PeerNamespace: { } far, PeerName: { } farName } && far != link.Namespace && Addresses(node.Observed, far, farName) is { Length: > 0 } others)
        {
            lines.Add(new CardLine(addresses.Length > 0 ? "" : "address", $"{others} at the other end"));
        }
        if (link.Master is { Length: > 0 } master)
        {
            lines.Add(new CardLine("bridge", $"{master}{(link.Port?.Hairpin == true ? ", hairpin" : "")}{(link.Port?.Isolated == true ? ", isolated" : "")}{(link.Port?.Learning == false ? ", learns nothing" : "")}"));
        }
        var ports = node.Observed.Entries.Values.Select(static held => held.Entry).OfType<LinkEntry>().Where(port => port.Namespace == link.Namespace && port.Master == link.Name).ToList();
        if (ports.Count > 0)
        {
            lines.Add(new CardLine("ports", string.Join(", ", ports.Take(Most).Select(port => Port(scene, port))) + (ports.Count > Most ? $" and {ports.Count - Most} more" : "")));
        }
        foreach (var filter in node.Entries.Where(entry => node.Observed.Entries.GetValueOrDefault(entry.Key)?.Entry is FilterEntry on && on.Namespace == link.Namespace && on.Device == link.Name))
        {
            lines.Add(new CardLine("filter", $"{filter.Text}: {filter.Reason}"));
        }
        lines.Add(new CardLine("origin", explained.Reason));
        var place = scene.Parties.Of(link.Namespace)?.Title ?? link.Namespace.Name;
        return new Card($"{link.Name} on {place}{(behind is null ? "" : $": the cable to {behind.Title}")}", lines);
    }

    private static string Kind(LinkEntry link, KernelFacts facts)
    {
        var type = link.Type switch
        {
            LinkType.Vxlan vxlan => $"vxlan, id {vxlan.Vni}, UDP port {vxlan.Port}{(vxlan.Local is { } local ? $", from {local}" : "")}",
            LinkType.Stacked stacked => $"{stacked.KindName}, {stacked.Detail}, on {stacked.LowerName ?? "a device"}{(stacked.LowerNamespace is { } below ? below == link.Namespace ? "" : $" of {below}" : " in a namespace that cannot be seen from here")}",
            LinkType.IpTunnel tunnel => $"{tunnel.KindName}{(tunnel.Remote is { } remote ? $", to {remote}" : ", to the router of each route")}{(tunnel.Local is { } local ? $", from {local}" : "")}",
            LinkType.Wireguard wireguard => $"wireguard, UDP port {wireguard.ListenPort}, {wireguard.Peers?.Count ?? 0} peers",
            var other => other.KindName,
        };
        var state = link.Up != true ? "down" : facts.Carrier == false ? "up, no carrier" : "up";
        return $"{type}, ifindex {facts.Index}, {state}, MTU {link.MtuBytes}{(link.Mac is { } mac ? $", {mac}" : "")}";
    }

    private static string OtherEnd(IScene scene, LinkEntry link, LinkType.Veth veth, KernelFacts facts)
    {
        var number = facts.PeerNamespaceNumber is { } known ? $", namespace {known} from here" : "";
        if (veth.PeerNamespace is not { } there || veth.PeerName is not { } name)
        {
            return $"ifindex {facts.PeerIndex}{number}: a namespace that cannot be seen from here";
        }
        return there == link.Namespace ? $"{name} (ifindex {facts.PeerIndex}) here"
            : $"{name} (ifindex {facts.PeerIndex}) in {scene.Parties.Of(there)?.Title ?? there.Name}{number}";
    }

    private static string Port(IScene scene, LinkEntry port) =>
        port.Type is LinkType.Veth { PeerNamespace: { } there } && there != port.Namespace && scene.Parties.Of(there) is { } party ? $"{port.Name} ({party.Title})" : port.Name;

    private static string Addresses(ObservedState observed, NamespaceId space, string device) => string.Join(
        ", ", observed.Entries.Values.Select(static held => held.Entry).OfType<AddressEntry>().Where(address => address.Namespace == space && address.Device == device).Select(static address => address.Address.ToString()));
}
