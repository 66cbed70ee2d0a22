using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Nftables.Language;
using Plumb.Network.Facts;

namespace Plumb.Network;

/// <summary>
/// Connections that a change ends: what the kernel remembers of them would lead their packets where nobody is. Protocols with a
/// connection of their own find that out by themselves, though it may take them long; datagrams would go on to be lost.
/// </summary>
/// <param name="Mark">What the connections bear.</param>
public abstract record EndedFlow(IpFamily Family, IpProtocol Protocol, ConnectionMark Mark)
{
    /// <summary>The endpoint that they were sent to; null: whichever.</summary>
    public virtual Backend? Reached => null;

    /// <summary>Those that were sent to an endpoint which is no longer there.</summary>
    public sealed record ToBackend(IpFamily Family, IpProtocol Protocol, ConnectionMark Mark, Backend Backend) : EndedFlow(Family, Protocol, Mark)
    {
        public override Backend? Reached => Backend;

        public override bool Includes(ConntrackEntry connection) =>
            base.Includes(connection) && connection.Reply.Source == Backend.Address && connection.Reply.SourcePort == Backend.Port;
    }

    /// <summary>
    /// Those that were sent to a Service's address and on to an endpoint which is no longer there, by a back end that marks no connections: one that is in use, or was when
    /// they began.
    /// </summary>
    /// <param name="Address">Where they were sent; null: any address, for a node port.</param>
    /// <param name="Port">Host order.</param>
    public sealed record Unmarked(IpFamily Family, IpProtocol Protocol, IpAddress? Address, ushort Port, Backend Backend) : EndedFlow(Family, Protocol, default)
    {
        public override Backend? Reached => Backend;

        public override bool Includes(ConntrackEntry connection) =>
            base.Includes(connection)
            && connection.Original.DestinationPort == Port
            && (Address is null ? connection.Original.Destination != Backend.Address : connection.Original.Destination == Address)
            && connection.Reply.Source == Backend.Address
            && connection.Reply.SourcePort == Backend.Port;
    }

    /// <summary>Those that began before there was a Service at their address, and went to whoever had it.</summary>
    /// <param name="Address">Null: any, for a node port.</param>
    public sealed record ToFrontend(IpFamily Family, IpProtocol Protocol, IpAddress? Address, ushort Port) : EndedFlow(Family, Protocol, default)
    {
        public override bool Includes(ConntrackEntry connection) =>
            base.Includes(connection)
            && connection.Original.DestinationPort == Port
            && (Address is null || connection.Original.Destination == Address);
    }

    public virtual bool Includes(ConntrackEntry connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return connection.Mark == Mark
            && connection.Original.Protocol == (byte)Protocol
            && connection.Original.Source.Family == Family;
    }
}
