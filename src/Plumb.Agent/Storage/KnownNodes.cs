using System.Text.Json;
using System.Text.Json.Serialization;
using Plumb.Linux.Addresses;
using Plumb.Network.Cluster;

namespace Plumb.Agent.Storage;

/// <summary>
/// The nodes as they were last seen, kept so that an agent that starts while the API is away neither forgets the way to other
/// nodes' pods nor the range that its own get their addresses from.
/// </summary>
internal static class KnownNodes
{
    public static void Write(AgentFiles files, string path, ClusterView cluster)
    {
        var nodes = new List<KnownNode>(cluster.Nodes.Count);
        foreach (var node in cluster.Nodes.Values)
        {
            nodes.Add(new KnownNode(
                node.Name,
                [.. node.Addresses.Select(static address => address.ToString())],
                [.. node.PodRanges.Select(static range => range.ToString())],
                node.Created));
        }
        files.Replace(path, JsonSerializer.SerializeToUtf8Bytes(new KnownNodesFile(nodes), KnownNodesJson.Default.KnownNodesFile));
    }

    /// <summary>No nodes where there is no file, or one that cannot be read: then the agent waits for the API.</summary>
    public static ClusterView Read(string path)
    {
        var cluster = ClusterView.Empty;
        if (!File.Exists(path))
        {
            return cluster;
        }
        try
        {
            var file = JsonSerializer.Deserialize(File.ReadAllBytes(path), KnownNodesJson.Default.KnownNodesFile);
            foreach (var node in file?.Nodes ?? [])
            {
                cluster = cluster.With(new ClusterNode(node.Name)
                {
                    Addresses = [.. node.Addresses.Select(static text => IpAddress.Parse(text))],
                    PodRanges = [.. node.PodRanges.Select(static text => IpPrefix.Parse(text))],
                    Created = node.Created,
                });
            }
            return cluster;
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            return ClusterView.Empty;
        }
    }
}

internal sealed record KnownNodesFile(IReadOnlyList<KnownNode> Nodes);

internal sealed record KnownNode(string Name, IReadOnlyList<string> Addresses, IReadOnlyList<string> PodRanges, DateTimeOffset Created);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(KnownNodesFile))]
internal sealed partial class KnownNodesJson : JsonSerializerContext;
