using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Language;

namespace Plumb.Network;

/// <summary>Sets of addresses in table <c>plumb</c> that more than one layer asks: who is inside, and where nodes are.</summary>
internal static class AddressSets
{
    public static Origin Cause { get; } = new(Subject.Option("cluster-cidr"));

    /// <summary>All pods' addresses.</summary>
    public static SetEntry Inside(TableBuilder table, IpFamily family) => table.Set("inside", SetFlags.Interval, DataType.Address(family));

    /// <summary>Where nodes are reached: pods speak to them with their own addresses.</summary>
    public static SetEntry NodeAddresses(TableBuilder table, IpFamily family) => table.Set("node_addresses", DataType.Address(family));

    /// <summary>Service addresses that the node itself has: it answers there.</summary>
    public static SetEntry OwnAddresses(TableBuilder table, IpFamily family) => table.Set("own_addresses", DataType.Address(family));

    /// <summary>The ports there that the node itself serves.</summary>
    public static SetEntry OwnAnswers(TableBuilder table, IpFamily family) =>
        table.Set("own_answers", DataType.Address(family), DataType.IpProtocol, DataType.Port);

    /// <summary>The table itself and what is the same for every layer that looks inside.</summary>
    public static void Plan(TableBuilder table, IpPrefix pods, IPlanWriter write)
    {
        var inside = Inside(table, pods.Family);
        write.Add(table.Table(), Cause);
        write.Add(inside, Cause);
        write.Add(inside.Element([pods.Network]), Cause);
    }

    public static TableBuilder Table(Linux.State.NamespaceId node, IpFamily family) =>
        TableBuilder.Plumb(node, family == IpFamily.V4 ? TableFamily.Ip : TableFamily.Ip6);
}
