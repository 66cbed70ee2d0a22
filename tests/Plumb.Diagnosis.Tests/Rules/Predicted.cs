using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Addresses;
using Plumb.Linux.Ipset;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>A packet's way through the hooks of <see cref="Crossing"/>'s router, as a walk would take it.</summary>
internal sealed class Predicted
{
    private readonly HookPrograms _programs;
    private readonly IReadOnlyList<IpSet> _sets;
    private readonly List<string> _told = [];
    private ElementChanges _changes = ElementChanges.None;

    /// <param name="sets">Of ip_set; null: there are none.</param>
    public Predicted(IReadOnlyList<Observed> entries, Packet packet, IReadOnlyList<IpSet>? sets = null)
    {
        _sets = sets ?? [];
        _programs = new HookPrograms([.. entries, Own("c", "192.0.2.1/24"), Own("s", "198.51.100.1/24")], Crossing.Router);
        if (Pass(packet, null, Place(ChainHook.Prerouting, "c", null)) is not { } come)
        {
            return;
        }
        if (IsOwn(come.Packet.Destination))
        {
            Pass(come.Packet, come.Connection, Place(ChainHook.Input, "c", null));
            return;
        }
        // ip_forward: the priority follows from the TOS, of which these packets have none.
        var forwarded = come.Packet with { TimeToLive = (byte)(come.Packet.TimeToLive - 1), Priority = 0 };
        if (Pass(forwarded, come.Connection, Place(ChainHook.Forward, "c", "s")) is { } through
            && Pass(through.Packet, through.Connection, Place(ChainHook.Postrouting, "c", "s")) is { } gone)
        {
            (Out, HasRandomPort) = (gone.Packet, gone.Connection?.HasRandomSourcePort ?? false);
        }
    }

    /// <summary>As it leaves; null: it does not.</summary>
    public Packet? Out { get; }

    public bool HasRandomPort { get; }

    public List<RuleStep> Steps { get; } = [];

    public static string Describe(Packet? packet, bool hasRandomPort) => packet is null
        ? "nothing"
        : $"{packet.Protocol} {packet.Source}:{(hasRandomPort ? "*" : packet.SourcePort)} -> {packet.Destination}:{packet.DestinationPort} ttl {packet.TimeToLive}";

    public override string ToString() => string.Join('\n', _told);

    private HookOutcome? Pass(Packet packet, Connection? connection, HookPlace place)
    {
        var outcome = Assert.Single(Hooks.Run(_programs, packet, connection, place with { Changes = _changes, Sets = name => _sets.FirstOrDefault(set => set.Name == name) }));
        _changes = outcome.Changes;
        Assert.NotEqual(Decision.Undecided, outcome.Decision);
        foreach (var step in outcome.Steps)
        {
            _told.Add($"{place.Hook}: {step.Entry.Name} {step.Text} => {step.What}");
            Steps.Add(step);
        }
        return outcome.Decision == Decision.Accept ? outcome : null;
    }

    private static HookPlace Place(ChainHook hook, string? incoming, string? outgoing) => new(Crossing.Router, hook, incoming, outgoing)
    {
        In = incoming is null ? null : new DeviceFacts(incoming, 2, new LinkType.Veth(null, null)),
        Out = outgoing is null ? null : new DeviceFacts(outgoing, 3, new LinkType.Veth(null, null)),
        Fib = static address => IsOwn(address) ? new FibAnswer(2, "lo") : new FibAnswer(1, "s"),
    };

    private static bool IsOwn(IpAddress address) => address == Crossing.RouterAddress || address == IpAddress.V4(198, 51, 100, 1);

    private static Observed Own(string device, string prefix) =>
        new(new AddressEntry(Crossing.Router, device, IpPrefix.Parse(prefix)), Owner.Foreign, null, new KernelFacts());
}
