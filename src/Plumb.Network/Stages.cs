namespace Plumb.Network;

/// <summary>The one table of hooks, priorities, chain names and mark bits through which layers meet.</summary>
public static class Stages
{
    /// <summary>Plumb's table in each nftables family; what is in it is Plumb's, and nothing else is.</summary>
    public const string Table = "plumb";
}
