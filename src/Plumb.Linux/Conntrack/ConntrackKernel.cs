using Plumb.Linux.Addresses;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Conntrack;

/// <summary>The connections that the kernel of one network namespace remembers.</summary>
public static class ConntrackKernel
{
    /// <param name="socket">Of <see cref="NetlinkFamily.Netfilter"/>, opened in that namespace.</param>
    /// <param name="mark">Only those with this mark; null: all.</param>
    /// <exception cref="NetlinkException">The kernel refuses to tell, or has no connection tracking.</exception>
    public static IReadOnlyList<ConntrackEntry> List(NetlinkSocket socket, IpFamily family, ConnectionMark? mark = null)
    {
        ArgumentNullException.ThrowIfNull(socket);
        using var wire = new NetlinkWriter();
        ConntrackMessage.WriteList(wire, family, mark);
        return socket.Dump(
            wire,
            message => ConntrackMessage.Read(message) is { } entry && (mark is null || entry.Mark == mark) ? entry : null);
    }

    /// <summary>The connection of which this is one direction; null: there is none.</summary>
    /// <remarks>The kernel looks it up as it would for a packet, however many it remembers.</remarks>
    /// <exception cref="NetlinkException">The kernel refuses to tell, or has no connection tracking.</exception>
    public static ConntrackEntry? Find(NetlinkSocket socket, ConntrackTuple tuple, ushort zone)
    {
        ArgumentNullException.ThrowIfNull(socket);
        using var wire = new NetlinkWriter();
        ConntrackMessage.WriteGet(wire, tuple, zone);
        ConntrackEntry? found = null;
        var refused = socket.TryExecute(wire, (message, _) => found = ConntrackMessage.Read(message));
        return refused.All(static error => error.Errno == Errno.ENOENT) ? found : throw new NetlinkException(refused);
    }

    /// <summary>Deletes exactly these; one that has ended by itself is none. Returns how many were there.</summary>
    /// <remarks>Each by its tuple and number: whether a kernel deletes by filter cannot be known without asking it to, and an older one would delete everything.</remarks>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static int Delete(NetlinkSocket socket, IReadOnlyList<ConntrackEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(entries);
        var deleted = 0;
        const int mostOfOne = 160;
        var atOnce = Math.Max(1, socket.MaxBatchBytes / mostOfOne);
        for (var from = 0; from < entries.Count; from += atOnce)
        {
            using var wire = new NetlinkWriter();
            var to = Math.Min(entries.Count, from + atOnce);
            for (var i = from; i < to; i++)
            {
                ConntrackMessage.WriteDelete(wire, entries[i]);
            }
            var refused = socket.TryExecute(wire);
            var other = refused.Where(static error => error.Errno != Errno.ENOENT).ToList();
            if (other.Count != 0)
            {
                throw new NetlinkException(other);
            }
            deleted += to - from - refused.Count;
        }
        return deleted;
    }
}
