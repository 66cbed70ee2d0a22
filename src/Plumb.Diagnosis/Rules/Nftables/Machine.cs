using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>
/// One packet on its way through a base chain and those that it jumps to: what nft_do_chain keeps on its stack. Where the kernel chooses at random, a machine
/// is copied and each copy goes on by itself.
/// </summary>
internal sealed class Machine
{
    private HeaderBytes? _headers;

    private Machine(Machine other)
    {
        (Hook, Packet, Connection, Place) = (other.Hook, other.Packet, other.Connection, other.Place);
        (Probability, Steps, Chain, Next, Callers) = (other.Probability, other.Steps, other.Chain, other.Next, other.Callers);
        (Verdict, Undecided, Rejected, Answer, Proxy, Effects, Element) =
            (other.Verdict, other.Undecided, other.Rejected, other.Answer, other.Proxy, other.Effects, other.Element);
        (Changes, Registers, Jumps) = (other.Changes, other.Registers.Copy(), other.Jumps);
    }

    public Machine(ChainHook hook, Chain chain, Packet packet, Connection? connection, HookPlace place, IReadOnlyList<AddressEntry> addresses)
    {
        (Hook, Chain, Packet, Connection, Place, Addresses) = (hook, chain, packet, connection, place, addresses);
        (Registers, Changes) = (new Registers(), place.Changes);
    }

    public ChainHook Hook { get; }

    public HookPlace Place { get; }

    /// <summary>Of the namespace's devices.</summary>
    public IReadOnlyList<AddressEntry> Addresses { get; private init; } = [];

    public Packet Packet
    {
        get;
        set => (field, _headers) = (value, null);
    }

    public HeaderBytes Headers => _headers ??= new HeaderBytes(Packet);

    public Connection? Connection { get; set; }

    public Registers Registers { get; }

    public double Probability { get; set; } = 1;

    public Steps? Steps { get; set; }

    // Where it is.
    public Chain Chain { get; set; }

    public int Next { get; set; }

    public Caller? Callers { get; set; }

    public int Jumps { get; set; }

    public ElementChanges Changes { get; set; } = ElementChanges.None;

    // What the present rule has done.
    public Verdict Verdict { get; set; } = Verdict.Continue;

    public string? Undecided { get; private set; }

    public bool Rejected { get; set; }

    public RejectAnswer? Answer { get; set; }

    public (IpAddress Address, ushort Port)? Proxy { get; set; }

    public string Effects { get; private set; } = "";

    public Observed? Element { get; private set; }

    public bool IsGoingOn => Verdict.Code == VerdictCode.Continue && Undecided is null;

    public static Verdict Break { get; } = new(VerdictCode.Break);

    public Machine Copy(double chance)
    {
        var copy = new Machine(this) { Addresses = Addresses };
        copy.Probability *= chance;
        return copy;
    }

    public void BeginRule()
    {
        Verdict = Verdict.Continue;
        Effects = "";
        Element = null;
    }

    public void Did(string what) => Effects = Effects.Length == 0 ? what : $"{Effects}, {what}";

    /// <summary>Of several elements the one that says whose it is; else the last.</summary>
    public void Found(Observed? element)
    {
        if (element is not null && (Element?.Stamp is null || element.Stamp is not null))
        {
            Element = element;
        }
    }

    /// <summary>The rest depends on what is not known here.</summary>
    public void CannotDecide(string why) => Undecided ??= why;

    /// <summary>Whether a value is known; if not, nothing after it is.</summary>
    public bool Knows(Register register, int length, string what)
    {
        if (Registers.IsKnown(register, length))
        {
            return true;
        }
        CannotDecide(what);
        return false;
    }
}

/// <summary>Where to go on after a chain that was jumped to.</summary>
/// <param name="Before">The steps before the jump.</param>
internal sealed record Caller(Chain Chain, int Next, Steps? Before, Caller? Outer);
