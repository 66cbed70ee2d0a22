using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;

namespace Plumb.Diagnosis.Walk.Segments;

/// <summary>Questions for neighbours and their answers are packets in IPv6 (RFC 4861), and so rules may drop them; ARP's are none.</summary>
internal static class NeighbourRules
{
    private const byte Solicitation = 135;
    private const byte Advertisement = 136;

    // With the option that tells the sender's hardware address.
    private const int Bytes = 72;

    public static bool LetThrough(Station asks, Station answers, IpAddress asker, IpAddress address)
    {
        var question = Message(Solicitation, asker, GroupOf(address));
        var answer = Message(Advertisement, address, asker);
        return Leaves(asks, question) && Arrives(answers, question) && Leaves(answers, answer) && Arrives(asks, answer);
    }

    private static Packet Message(byte type, IpAddress from, IpAddress to) =>
        new(from, to, Packet.IcmpV6) { Message = new IcmpKind(type, 0), TimeToLive = byte.MaxValue, Length = Bytes };

    private static bool Leaves(Station at, Packet packet)
    {
        var sent = new Traveller(at.Space, Stage.Output, packet, Memory.Empty) { Out = at.Device };
        return Passes(sent, ChainHook.Output) is { } passed && Passes(passed, ChainHook.Postrouting) is not null;
    }

    private static bool Arrives(Station at, Packet packet)
    {
        var came = new Traveller(at.Space, Stage.Prerouting, packet, Memory.Empty) { In = at.Device };
        return Passes(came, ChainHook.Prerouting) is { } passed && Passes(passed, ChainHook.Input) is not null;
    }

    // What cannot be decided is not said of a question beside the packet's way: it is taken to pass.
    private static Traveller? Passes(Traveller traveller, ChainHook hook)
    {
        foreach (var step in Hooks.Pass(traveller, hook, static passed => new Step.On(passed)))
        {
            if (step is Step.On { Traveller: var passed })
            {
                return passed;
            }
            if (step is Step.End { Ending: Ending.Undecided })
            {
                return traveller;
            }
        }
        return null;
    }

    /// <summary>The group in which whoever has an address listens (RFC 4291, 2.7.1).</summary>
    private static IpAddress GroupOf(IpAddress address) =>
        IpAddress.FromNumber(IpFamily.V6, ((UInt128)0xff02_0000_0000_0000UL << 64) | 0x1_ff00_0000UL | (address.Number & 0xff_ffff));
}
