using System.Diagnostics.CodeAnalysis;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;

namespace Plumb.Diagnosis.Rules;

/// <summary>What NAT may choose from (nf_nat_range2).</summary>
/// <param name="First">Null: the address stays.</param>
/// <param name="FirstPort">Null: the port stays.</param>
internal readonly record struct NatRange(IpAddress? First, IpAddress? Last, ushort? FirstPort, ushort? LastPort, bool IsRandom = false);

/// <summary>
/// What a translation does to a packet and its connection (nf_nat_setup_info, nf_nat_packet). The kernel takes an address of a range by a hash that starts
/// from nothing secret, but counts what else is in use; here each is as likely as another.
/// </summary>
internal static class Translation
{
    /// <summary>A range with more choices than this is not spread out, and no way is given.</summary>
    private const int MostChoices = 256;

    public static bool HasPorts(byte protocol) => protocol is Packet.Tcp or Packet.Udp or Packet.Sctp;

    /// <summary>Nobody translates what nobody tracks (nf_nat_inet_fn).</summary>
    public static bool IsTracked([NotNullWhen(true)] Connection? connection) => connection is { IsTracked: true };

    /// <summary>What rules before conntrack's hook make of a packet that it has not looked at.</summary>
    public static Connection Unseen(ConnectionState state, Packet packet) => new(
        state,
        new ConntrackTuple(packet.Source, packet.Destination, packet.Protocol, packet.SourcePort, packet.DestinationPort),
        new ConntrackTuple(packet.Destination, packet.Source, packet.Protocol, packet.DestinationPort, packet.SourcePort));

    /// <summary>In a few words: "dnat to 10.244.2.7:8080".</summary>
    public static string Describe(string what, bool destination, Packet packet, Connection connection) => destination
        ? $"{what} to {EndpointText.Of(packet.Destination, packet.DestinationPort)}"
        : $"{what} as {(connection.HasRandomSourcePort ? $"{packet.Source}, port at random" : EndpointText.Of(packet.Source, packet.SourcePort))}";

    /// <summary>Every way in which the source may be rewritten, each as likely as another.</summary>
    public static IReadOnlyList<(Packet Packet, Connection Connection)> OfSource(Packet packet, Connection connection, NatRange range)
    {
        var all = new List<(Packet, Connection)>();
        foreach (var address in Addresses(range, packet.Source))
        {
            // The kernel keeps the port if it may and nobody else has it.
            var keeps = range.FirstPort is not { } first || (packet.SourcePort >= first && packet.SourcePort <= (range.LastPort ?? first));
            var port = keeps || !HasPorts(packet.Protocol) ? packet.SourcePort : range.FirstPort!.Value;
            var isChosen = HasPorts(packet.Protocol) && (range.IsRandom || (!keeps && range.LastPort > range.FirstPort));
            all.Add((
                packet with { Source = address, SourcePort = port },
                connection with
                {
                    Reply = connection.Reply with { Destination = address, DestinationPort = HasPorts(packet.Protocol) ? port : connection.Reply.DestinationPort },
                    SourceDecided = true,
                    HasRandomSourcePort = isChosen,
                }));
        }
        return all;
    }

    /// <summary>As <see cref="OfSource"/>, of the destination.</summary>
    public static IReadOnlyList<(Packet Packet, Connection Connection)> OfDestination(Packet packet, Connection connection, NatRange range)
    {
        var all = new List<(Packet, Connection)>();
        foreach (var address in Addresses(range, packet.Destination))
        {
            foreach (var port in Ports(range, packet))
            {
                all.Add((
                    packet with { Destination = address, DestinationPort = port },
                    connection with
                    {
                        Reply = connection.Reply with { Source = address, SourcePort = HasPorts(packet.Protocol) ? port : connection.Reply.SourcePort },
                        DestinationDecided = true,
                    }));
            }
        }
        return all;
    }

    private static IEnumerable<IpAddress> Addresses(NatRange range, IpAddress present)
    {
        if (range.First is not { } first)
        {
            return [present];
        }
        if (range.Last is not { } last || last.CompareTo(first) <= 0)
        {
            return [first];
        }
        var count = last.DistanceFrom(first) + 1;
        return count > MostChoices ? [] : Enumerable.Range(0, (int)count).Select(i => first.Plus((ulong)i));
    }

    private static IEnumerable<ushort> Ports(NatRange range, Packet packet)
    {
        if (range.FirstPort is not { } first || !HasPorts(packet.Protocol))
        {
            return [packet.DestinationPort];
        }
        var last = range.LastPort ?? first;
        // nf_nat_l4proto_in_range: a port that fits stays, unless a random one is asked for.
        if (last <= first || (!range.IsRandom && packet.DestinationPort >= first && packet.DestinationPort <= last))
        {
            return [last <= first ? first : packet.DestinationPort];
        }
        var count = last - first + 1;
        return count > MostChoices ? [] : Enumerable.Range(first, count).Select(static port => (ushort)port);
    }
}
