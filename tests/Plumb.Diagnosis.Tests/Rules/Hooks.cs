using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Nftables;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>All programs of a hook one after another, as nf_hook_slow asks them.</summary>
internal static class Hooks
{
    /// <summary>NF_IP_PRI_CONNTRACK: where a packet gets its connection.</summary>
    private const int Conntrack = -200;

    /// <summary>A packet's connection when nobody has seen it before.</summary>
    public static Connection New(Packet packet) => new(
        ConnectionState.New,
        new ConntrackTuple(packet.Source, packet.Destination, packet.Protocol, packet.SourcePort, packet.DestinationPort),
        new ConntrackTuple(packet.Destination, packet.Source, packet.Protocol, packet.DestinationPort, packet.SourcePort));

    /// <summary>The ways of a first packet; at prerouting and output it gets its connection on the way.</summary>
    public static List<HookOutcome> Run(HookPrograms programs, Packet packet, Connection? connection, HookPlace place)
    {
        var begins = place.Hook is ChainHook.Prerouting or ChainHook.Output;
        var isTracked = !begins || !programs.TracksConnections(packet.Family);
        List<HookOutcome> ways = [new HookOutcome(1, Decision.Accept, packet, connection, []) { Changes = place.Changes }];
        foreach (var program in programs.At(packet.Family, place.Hook))
        {
            if (!isTracked && program.Priority >= Conntrack)
            {
                isTracked = true;
                ways = [.. ways.Select(static way => way with { Connection = way.Connection ?? New(way.Packet) })];
            }
            ways = [.. ways.SelectMany(way => Next(way, program, place))];
        }
        return isTracked ? ways : [.. ways.Select(static way => way with { Connection = way.Connection ?? New(way.Packet) })];
    }

    private static IEnumerable<HookOutcome> Next(HookOutcome way, IHookProgram program, HookPlace place)
    {
        if (way.Decision != Decision.Accept || (program.IsNat && IsDecided(way.Connection, place.Hook)))
        {
            return [way];
        }
        return program.Run(way.Packet, way.Connection, place with { Changes = way.Changes }).Select(outcome => outcome with
        {
            Probability = way.Probability * outcome.Probability,
            Steps = [.. way.Steps, .. outcome.Steps],
            Proxy = outcome.Proxy ?? way.Proxy,
        });
    }

    private static bool IsDecided(Connection? connection, ChainHook hook) =>
        connection is { State: not ConnectionState.New }
        || (connection is not null && (hook is ChainHook.Prerouting or ChainHook.Output ? connection.DestinationDecided : connection.SourceDecided));
}
