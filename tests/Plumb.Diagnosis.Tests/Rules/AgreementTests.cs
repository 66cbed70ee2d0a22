using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>Rules run here and rules run by the kernel: which of them a packet matched, and what came out.</summary>
public sealed class AgreementTests
{
    private const int PacketsOfEach = 20;

    private ushort _number = 1024;

    [Fact]
    public void Random_rules_do_to_random_packets_what_the_kernel_does()
    {
        using var crossing = new Crossing();
        var packets = 0;
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => packets += Agree(crossing, seed)).Check(Config.QuickThrowOnFailure.WithMaxTest(25));
        Assert.True(packets >= 25 * PacketsOfEach, $"{packets} packets");
    }

    private int Agree(Crossing crossing, int seed)
    {
        var rules = new RandomRules(seed);
        crossing.Flush();
        crossing.Apply(rules.Build().Select(static entry => new DeltaItem(new Desired(entry), null)));
        var before = crossing.Observe();
        for (var i = 0; i < PacketsOfEach; i++)
        {
            var packet = rules.NextPacket(++_number);
            var predicted = new Predicted(before, packet);
            var arrived = crossing.Send(packet);
            var after = crossing.Observe();
            var trouble = Compare(predicted, arrived, before, after);
            if (trouble.Length > 0)
            {
                throw new InvalidOperationException($"seed {seed}, packet {i}, {packet}\n{trouble}\n{predicted}\n{RulesetText.Print(after)}");
            }
            before = after;
        }
        return PacketsOfEach;
    }

    private static string Compare(Predicted predicted, Packet? arrived, IReadOnlyList<Observed> before, IReadOnlyList<Observed> after)
    {
        var trouble = new StringBuilder();
        if (Describe(predicted.Out, predicted.HasRandomPort) != Describe(arrived, predicted.HasRandomPort))
        {
            trouble.Append($"predicted {Describe(predicted.Out, predicted.HasRandomPort)}, arrived {Describe(arrived, predicted.HasRandomPort)}\n");
        }
        var counts = Counts(before);
        foreach (var (rule, (count, chain, isTold)) in Counts(after))
        {
            var matched = count > counts[rule].Count;
            // A jump into a chain where nothing happened is not told.
            if (matched != predicted.Rules.Contains(rule) && (isTold || !matched))
            {
                trouble.Append($"{chain.Key}: rule {Index(chain, rule.Handle)} {(matched ? "matched, not predicted" : "predicted, not matched")}\n");
            }
        }
        return trouble.ToString();
    }

    private static string Describe(Packet? packet, bool hasRandomPort) => packet is null
        ? "nothing"
        : $"{packet.Protocol} {packet.Source}:{(hasRandomPort ? "*" : packet.SourcePort)} -> {packet.Destination}:{packet.DestinationPort} ttl {packet.TimeToLive}";

    private static int Index(ChainEntry chain, ulong handle) => Array.FindIndex(chain.Rules.AsSpan().ToArray(), rule => rule.Handle == handle);

    private static Dictionary<(EntryKey Chain, ulong Handle), (ulong Count, ChainEntry Chain, bool IsTold)> Counts(IReadOnlyList<Observed> all)
    {
        var counts = new Dictionary<(EntryKey, ulong), (ulong, ChainEntry, bool)>();
        foreach (var chain in all.Select(static observed => observed.Entry).OfType<ChainEntry>())
        {
            foreach (var rule in chain.Rules)
            {
                if (rule.Expressions.OfType<CounterExpression>().FirstOrDefault() is { } counter)
                {
                    // Nor is a rule that counted and then did not find what it looked for, or no connection to mark.
                    var looksUp = rule.Expressions.SkipWhile(static step => step is not CounterExpression).Any(static step => step is LookupExpression or ConntrackExpression);
                    var isTold = !looksUp && rule.Expressions[^1] is not ImmediateExpression { Verdict.Code: VerdictCode.Jump or VerdictCode.Continue };
                    counts[(chain.Key, rule.Handle)] = (counter.Packets, chain, isTold);
                }
            }
        }
        return counts;
    }

    /// <summary>A way through the router's hooks, as a walk would take it.</summary>
    private sealed class Predicted
    {
        private readonly List<string> _told = [];
        private readonly HookPrograms _programs;

        public Predicted(IReadOnlyList<Observed> entries, Packet packet)
        {
            Observed[] addresses =
            [
                Own("c", "192.0.2.1/24"), Own("s", "198.51.100.1/24"),
            ];
            _programs = new HookPrograms([.. entries, .. addresses], Crossing.Router);
            if (Pass(packet, null, Place(ChainHook.Prerouting, "c", null)) is not { } come)
            {
                return;
            }
            if (come.Packet.Destination == Crossing.RouterAddress)
            {
                Pass(come.Packet, come.Connection, Place(ChainHook.Input, "c", null));
                return;
            }
            var forwarded = come.Packet with { TimeToLive = (byte)(come.Packet.TimeToLive - 1) };
            if (Pass(forwarded, come.Connection, Place(ChainHook.Forward, "c", "s")) is { } through
                && Pass(through.Packet, through.Connection, Place(ChainHook.Postrouting, "c", "s")) is { } gone)
            {
                (Out, HasRandomPort) = (gone.Packet, gone.Connection?.HasRandomSourcePort ?? false);
            }
        }

        public Packet? Out { get; }

        public bool HasRandomPort { get; }

        public HashSet<(EntryKey, ulong)> Rules { get; } = [];

        public override string ToString() => string.Join('\n', _told);

        private HookOutcome? Pass(Packet packet, Connection? connection, HookPlace place)
        {
            var outcome = Assert.Single(Hooks.Run(_programs, packet, connection, place));
            Assert.NotEqual(Decision.Undecided, outcome.Decision);
            foreach (var step in outcome.Steps)
            {
                _told.Add($"{place.Hook}: {step.Entry.Name} {step.Text} => {step.What}");
                Rules.Add((step.Entry, step.Handle));
            }
            return outcome.Decision == Decision.Accept ? outcome : null;
        }

        private static HookPlace Place(ChainHook hook, string? incoming, string? outgoing) => new(Crossing.Router, hook, incoming, outgoing)
        {
            In = incoming is null ? null : new DeviceFacts(incoming, 2, new LinkType.Veth(null, null)),
            Out = outgoing is null ? null : new DeviceFacts(outgoing, 3, new LinkType.Veth(null, null)),
        };

        private static Observed Own(string device, string prefix) =>
            new(new AddressEntry(Crossing.Router, device, IpPrefix.Parse(prefix)), Owner.Foreign, null, new KernelFacts());
    }
}
