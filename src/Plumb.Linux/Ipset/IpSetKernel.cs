using Plumb.Linux.Netlink;

namespace Plumb.Linux.Ipset;

/// <summary>The sets of one network namespace.</summary>
public static class IpSetKernel
{
    /// <param name="socket">Of <see cref="NetlinkFamily.Netfilter"/>, opened in that namespace.</param>
    /// <exception cref="NetlinkException">The kernel refuses to tell, or has no sets.</exception>
    public static IReadOnlyList<IpSet> List(NetlinkSocket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        using var wire = new NetlinkWriter(64);
        IpSetMessage.WriteList(wire);
        return Joined(socket.Dump(wire, static message => IpSetMessage.Read(message)));
    }

    // A large set comes in several messages, of which the first alone says what it is.
    internal static List<IpSet> Joined(IEnumerable<IpSet> parts)
    {
        var sets = new List<IpSet>();
        foreach (var part in parts)
        {
            if (part.Type.Length == 0 && sets.Count > 0 && sets[^1].Name == part.Name)
            {
                ((List<IpSetMember>)sets[^1].Members).AddRange(part.Members);
            }
            else
            {
                sets.Add(part);
            }
        }
        return sets;
    }
}
