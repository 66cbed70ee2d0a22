using Plumb.Linux.Conntrack;
using Plumb.Linux.Kernel;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Agent.Kernel;

/// <summary>Finds the connections that a change has ended, and has the kernel forget exactly those.</summary>
internal static class EndedConnections
{
    // Up to so many pools each is asked for by its mark, which the kernel looks for itself; beyond that one list of all is cheaper.
    private const int MostMarks = 8;

    public static int Forget(Kernels kernels, NamespaceId home, IReadOnlyCollection<EndedFlow> ended)
    {
        var forgotten = 0;
        foreach (var family in ended.GroupBy(static flow => flow.Family))
        {
            var byMark = family.ToLookup(static flow => flow.Mark);
            var found = new List<ConntrackEntry>();
            if (byMark.Count <= MostMarks)
            {
                foreach (var pool in byMark)
                {
                    Select(kernels.Connections(home, family.Key, pool.Key), byMark, found);
                }
            }
            else
            {
                Select(kernels.Connections(home, family.Key), byMark, found);
            }
            forgotten += kernels.Forget(home, found);
        }
        return forgotten;
    }

    private static void Select(IReadOnlyList<ConntrackEntry> connections, ILookup<ConnectionMark, EndedFlow> byMark, List<ConntrackEntry> found)
    {
        foreach (var connection in connections)
        {
            if (byMark[connection.Mark].Any(flow => flow.Includes(connection)))
            {
                found.Add(connection);
            }
        }
    }
}
