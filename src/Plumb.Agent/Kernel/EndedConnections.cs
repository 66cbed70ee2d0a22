using Plumb.Linux.Conntrack;
using Plumb.Linux.Kernel;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Facts;

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
            var marks = family.Select(static flow => flow.Mark).ToHashSet();
            var byEnd = family.ToLookup(static flow => (flow.Mark, flow.Reached));
            var found = new List<ConntrackEntry>();
            if (marks.Count <= MostMarks)
            {
                foreach (var mark in marks)
                {
                    Select(kernels.Connections(home, family.Key, mark), byEnd, found);
                }
            }
            else
            {
                Select(kernels.Connections(home, family.Key), byEnd, found);
            }
            forgotten += kernels.Forget(home, found);
        }
        return forgotten;
    }

    private static void Select(IReadOnlyList<ConntrackEntry> connections, ILookup<(ConnectionMark Mark, Backend? Reached), EndedFlow> byEnd, List<ConntrackEntry> found)
    {
        foreach (var connection in connections)
        {
            var reached = new Backend(connection.Reply.Source, connection.Reply.SourcePort);
            if (byEnd[(connection.Mark, reached)].Any(flow => flow.Includes(connection)) || byEnd[(connection.Mark, null)].Any(flow => flow.Includes(connection)))
            {
                found.Add(connection);
            }
        }
    }
}
