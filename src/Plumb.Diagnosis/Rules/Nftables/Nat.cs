using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Steering;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>Rules that translate (nft_nat, nft_masq, nft_redir). Each gives the verdict accept: no further rule of the chain is asked.</summary>
internal static class Nat
{
    private const NatFlags AnyRandom = NatFlags.Random | NatFlags.FullyRandom;
    private const string Unknown = "where it leads is not known here";

    public static List<Machine>? Translate(NatExpression nat, Machine machine)
    {
        var packet = machine.Packet;
        if (nat.Family is TableFamily.Ip or TableFamily.Ip6 && (byte)nat.Family != (byte)packet.Family)
        {
            machine.CannotDecide("it translates addresses of the other family");
            return null;
        }
        var range = new NatRange(
            Address(nat.Address, machine), Address(nat.AddressLast, machine), Port(nat.Port, machine), Port(nat.PortLast, machine), (nat.Flags & AnyRandom) != 0);
        if ((nat.Flags & NatFlags.NetMap) != 0 && range is { First: { } first, Last: { } last })
        {
            var mapped = NetMap(nat.Destination ? packet.Destination : packet.Source, first, last);
            range = range with { First = mapped, Last = null };
        }
        return Apply(machine, nat.Destination, range, nat.Destination ? "dnat" : "snat");
    }

    public static List<Machine>? Masquerade(MasqueradeExpression masquerade, Machine machine)
    {
        if (OwnAddresses.ToMasquerade(machine.Addresses, machine.Place, machine.Packet) is not { } own)
        {
            machine.CannotDecide("which address the device that it leaves by has is not known here");
            return null;
        }
        var range = new NatRange(own, null, Port(masquerade.Port, machine), Port(masquerade.PortLast, machine), (masquerade.Flags & AnyRandom) != 0);
        return Apply(machine, destination: false, range, "masquerade");
    }

    public static List<Machine>? Redirect(RedirectExpression redirect, Machine machine)
    {
        var device = machine.Hook == ChainHook.Output ? null : machine.Place.InDevice;
        if (OwnAddresses.Of(machine.Addresses, device, machine.Packet.Family) is not { } own)
        {
            machine.CannotDecide("which address the device that it came in by has is not known here");
            return null;
        }
        var range = new NatRange(own, null, Port(redirect.Port, machine), Port(redirect.PortLast, machine), (redirect.Flags & AnyRandom) != 0);
        return Apply(machine, destination: true, range, "redirect");
    }

    private static List<Machine>? Apply(Machine machine, bool destination, NatRange range, string what)
    {
        if (machine.Undecided is not null)
        {
            return null;
        }
        if (machine.Connection is not { IsTracked: true } connection)
        {
            machine.CannotDecide("nobody tracks the connection that it translates");
            return null;
        }
        // A second decision of one kind is a mistake of the kernel's callers, and drops the packet.
        if (destination ? connection.DestinationDecided : connection.SourceDecided)
        {
            machine.Verdict = Verdict.Accept;
            return null;
        }
        var ways = destination ? Translation.OfDestination(machine.Packet, connection, range) : Translation.OfSource(machine.Packet, connection, range);
        if (ways.Count == 0)
        {
            machine.CannotDecide("too many addresses or ports to choose from");
            return null;
        }
        var all = new List<Machine>(ways.Count);
        foreach (var (packet, changed) in ways)
        {
            var copy = ways.Count == 1 ? machine : machine.Copy(1.0 / ways.Count);
            (copy.Packet, copy.Connection, copy.Verdict) = (packet, changed, Verdict.Accept);
            copy.Did(Translation.Describe(what, destination, packet, changed));
            all.Add(copy);
        }
        return ways.Count == 1 ? null : all;
    }

    private static IpAddress? Address(Register? register, Machine machine)
    {
        var length = machine.Packet.Source.ByteLength;
        return register is { } at && machine.Knows(at, length, Unknown) && IpAddress.TryRead(machine.Registers.Values(at, length), out var address) ? address : null;
    }

    private static ushort? Port(Register? register, Machine machine) =>
        register is { } at && machine.Knows(at, sizeof(ushort), Unknown) ? machine.Registers.Get16BigEndian(at) : null;

    // nft_nat_setup_netmap: bits in which both ends agree are the network's.
    private static IpAddress NetMap(IpAddress present, IpAddress first, IpAddress last)
    {
        var mask = ~(first.Number ^ last.Number);
        var all = present.Family == IpFamily.V4 ? uint.MaxValue : UInt128.MaxValue;
        return IpAddress.FromNumber(present.Family, ((first.Number & mask) | (present.Number & ~mask)) & all);
    }
}
