using Plumb.Diagnosis.Packets;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions.Loads;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>What rules set in packets and connections (nft_meta_set_eval, nft_ct_set_eval, nft_payload_set_eval, nft_notrack_eval).</summary>
internal static class Assignments
{
    private const string Unknown = "what it sets is not known here";

    public static void Meta(MetaExpression set, Machine machine)
    {
        switch (set.Key)
        {
            case MetaKey.Mark when machine.Knows(set.Register, sizeof(uint), Unknown):
                var mark = machine.Registers.Get(set.Register);
                machine.Packet = machine.Packet with { Mark = mark };
                machine.Did($"mark 0x{mark:x}");
                break;
            case MetaKey.Priority when machine.Knows(set.Register, sizeof(uint), Unknown):
                // Nothing to tell of: where rules use it as scratch it would be noise.
                machine.Packet = machine.Packet with { Priority = machine.Registers.Get(set.Register) };
                break;
            default:
                break; // nftrace, pkttype, secmark: nothing that a walk follows
        }
    }

    public static void Connection(ConntrackExpression set, Machine machine)
    {
        switch (set.Key)
        {
            case ConntrackKey.Mark when machine.Connection is { IsTracked: true } connection:
                if (machine.Knows(set.Register, sizeof(uint), Unknown))
                {
                    var mark = new ConnectionMark(machine.Registers.Get(set.Register));
                    machine.Connection = connection with { Mark = mark };
                    machine.Did($"connection mark {mark}");
                }
                break;
            case ConntrackKey.Zone when machine.Connection is null:
                Zone(set, machine);
                break;
            default:
                break; // no connection, or events, labels, secmark
        }
    }

    // nft_ct_set_zone_eval: a template, by which conntrack will look the packet up.
    private static void Zone(ConntrackExpression set, Machine machine)
    {
        if (set.Direction is not null)
        {
            machine.CannotDecide("zones of one direction are not followed");
        }
        else if (machine.Knows(set.Register, sizeof(ushort), Unknown))
        {
            var zone = BitConverter.ToUInt16(machine.Registers.Values(set.Register, sizeof(ushort)));
            machine.Connection = Translation.Unseen(ConnectionState.Template, machine.Packet) with { Zone = zone };
            machine.Did($"zone {zone}");
        }
    }

    public static void Payload(PayloadExpression write, Machine machine)
    {
        var length = (int)write.LengthBytes;
        if (!machine.Knows(write.Register, length, Unknown))
        {
            return;
        }
        var headers = machine.Headers;
        var offset = (int)write.OffsetBytes;
        var bytes = machine.Registers.Values(write.Register, length);
        switch (write.Base)
        {
            case PayloadBase.Network:
                machine.Packet = headers.WithNetwork(machine.Packet, offset, bytes);
                machine.Did("rewrites the IP header");
                break;
            case PayloadBase.Transport:
                machine.Packet = headers.WithTransport(machine.Packet, offset, bytes);
                machine.Did("rewrites the transport header");
                break;
            default:
                break; // the frame's header is gone before the next place
        }
    }

    public static void NoTrack(Machine machine)
    {
        if (machine.Connection is not null)
        {
            return;
        }
        machine.Connection = Translation.Unseen(ConnectionState.Untracked, machine.Packet);
        machine.Did("notrack");
    }
}
