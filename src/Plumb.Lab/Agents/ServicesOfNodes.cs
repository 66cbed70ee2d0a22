using Plumb.Lab.Running;
using Plumb.Network.Facts;

namespace Plumb.Lab.Agents;

/// <summary>Has all nodes serve Services in another way, one after the other; or none.</summary>
internal static class ServicesOfNodes
{
    /// <returns>What is left of the old way, by node.</returns>
    /// <exception cref="LabException">A node cannot; all are as they were.</exception>
    public static async Task<List<string>> SetAsync(IEnumerable<LabNode> nodes, ServicesKind from, ServicesKind to, LabLog? log)
    {
        var begun = new List<LabNode>();
        var left = new List<string>();
        try
        {
            foreach (var node in nodes)
            {
                begun.Add(node);
                left.AddRange(await node.Agent.SetServicesAsync(to, CancellationToken.None));
            }
            return left;
        }
        catch
        {
            await TakeBackAsync(begun, from, log);
            throw;
        }
    }

    private static async Task TakeBackAsync(List<LabNode> nodes, ServicesKind from, LabLog? log)
    {
        foreach (var node in nodes)
        {
            try
            {
                await node.Agent.SetServicesAsync(from, CancellationToken.None);
            }
            catch (LabException refused)
            {
                // The others still can; and why the first could not is what is to be told.
                log?.Write("set", $"a node does not go back to Services by {from.ToString().ToLowerInvariant()}: {refused.Message}");
            }
        }
    }
}
