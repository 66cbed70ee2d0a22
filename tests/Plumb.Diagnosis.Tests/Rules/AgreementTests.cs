using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>Rules run here and rules run by the kernel: which of them a packet matched, and what came out.</summary>
public sealed class AgreementTests
{
    private const int RulesetsOfEach = 30;
    private const int PacketsOfEach = 20;

    private ushort _number = 1024;

    [Fact]
    public void Random_rules_do_to_random_packets_what_the_kernel_does()
    {
        using var crossing = new Crossing();
        var packets = 0;
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => packets += Agree(crossing, seed)).Check(Config.QuickThrowOnFailure.WithMaxTest(RulesetsOfEach));
        Assert.True(packets >= RulesetsOfEach * PacketsOfEach, $"{packets} packets");
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
        if (Predicted.Describe(predicted.Out, predicted.HasRandomPort) != Predicted.Describe(arrived, predicted.HasRandomPort))
        {
            trouble.Append($"predicted {Predicted.Describe(predicted.Out, predicted.HasRandomPort)}, arrived {Predicted.Describe(arrived, predicted.HasRandomPort)}\n");
        }
        var counts = Counts(before);
        foreach (var (rule, (count, chain, isTold)) in Counts(after))
        {
            var matched = count > counts[rule].Count;
            // What leads into a chain where nothing happens is not told.
            if (matched != predicted.Steps.Exists(step => (step.Entry, step.Handle) == rule) && (isTold || !matched))
            {
                trouble.Append($"{chain.Key}: rule {Index(chain, rule.Handle)} {(matched ? "matched, not predicted" : "predicted, not matched")}\n");
            }
        }
        return trouble.ToString();
    }

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
                    // Nor is a rule that counted and then did not find what it looked for, or only changed a set.
                    var looksUp = rule.Expressions.SkipWhile(static step => step is not CounterExpression).Any(static step => step is LookupExpression);
                    var isTold = !looksUp && rule.Expressions[^1] is (ImmediateExpression { Verdict.Code: VerdictCode.Accept or VerdictCode.Drop or VerdictCode.Return }
                        or MetaExpression { Sets: true, Key: MetaKey.Mark } or NatExpression or MasqueradeExpression or RedirectExpression);
                    counts[(chain.Key, rule.Handle)] = (counter.Packets, chain, isTold);
                }
            }
        }
        return counts;
    }
}
