using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;
using Plumb.Scenes;

namespace Plumb.Whatif;

/// <summary>The connections that kernels remember, each as its sender sees it. One that crosses nodes stands in several kernels.</summary>
internal sealed class LiveConnections
{
    private readonly List<(NamespaceId Space, ConntrackEntry Entry)> _all = [];

    public LiveConnections(IScene scene)
    {
        foreach (var party in scene.Parties.All)
        {
            if (party.Kind != PartyKind.Pod && scene.World.Find(party.Space) is { } space)
            {
                foreach (var entry in space.Connections(IpFamily.V4).Concat(space.Connections(IpFamily.V6)))
                {
                    if (!entry.IsOver && entry.Original.Protocol is Packet.Tcp or Packet.Udp or Packet.Sctp)
                    {
                        _all.Add((party.Space, entry));
                    }
                }
            }
        }
    }

    /// <summary>Each once, with who began it, where the kernel of his node remembers it.</summary>
    public IEnumerable<(Party Sender, NamespaceId Space, ConntrackEntry Entry)> Of(Parties parties)
    {
        var told = new HashSet<ConntrackTuple>();
        foreach (var (space, entry) in _all)
        {
            if (parties.At(entry.Original.Source) is { } sender && (sender.Kind == PartyKind.Machine || sender.Node == space.Name) && told.Add(entry.Original))
            {
                yield return (sender, space, entry);
            }
        }
    }
}
