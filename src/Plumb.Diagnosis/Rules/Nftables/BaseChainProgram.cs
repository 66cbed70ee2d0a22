using Plumb.Diagnosis.Packets;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>A base chain and all that it leads to, run as nft_do_chain runs it.</summary>
internal sealed class BaseChainProgram(Chain chain, BaseChain hooked, IReadOnlyList<AddressEntry> addresses) : IHookProgram
{
    private const int MostCallers = 16; // NFT_JUMP_STACK_SIZE

    /// <summary>The kernel refuses chains that lead back to themselves; a state from a file may hold such.</summary>
    private const int MostJumps = 10_000;

    public int Priority => hooked.Priority;

    public bool IsNat => hooked.Type == ChainType.Nat;

    public IReadOnlyList<HookOutcome> Run(Packet packet, Connection? connection, HookPlace place)
    {
        if (IsNat && !Translation.IsTracked(connection))
        {
            return [new HookOutcome(1, Decision.Accept, packet, connection, []) { Changes = place.Changes }];
        }
        var outcomes = new List<HookOutcome>();
        var waiting = new Stack<Machine>();
        waiting.Push(new Machine(hooked.Hook, chain, packet, connection, place, addresses));
        while (waiting.TryPop(out var machine))
        {
            Advance(machine, waiting, outcomes);
        }
        return outcomes;
    }

    private void Advance(Machine machine, Stack<Machine> waiting, List<HookOutcome> outcomes)
    {
        while (true)
        {
            if (machine.Next >= machine.Chain.Rules.Count)
            {
                if (!Return(machine))
                {
                    outcomes.Add(AtPolicy(machine));
                    return;
                }
                continue;
            }
            var (number, before) = (machine.Next++, machine.Probability);
            var ends = RuleRunner.Run(machine, machine.Chain.Rules[number].Expressions.AsSpan());
            if (ends is null)
            {
                if (Conclude(machine, number, before) is { } outcome)
                {
                    outcomes.Add(outcome);
                    return;
                }
                continue;
            }
            // What waits is taken from the end: the first way goes on first.
            var goingOn = new List<Machine>();
            foreach (var end in ends)
            {
                if (Conclude(end, number, before) is { } outcome)
                {
                    outcomes.Add(outcome);
                }
                else
                {
                    goingOn.Add(end);
                }
            }
            for (var i = goingOn.Count - 1; i >= 0; i--)
            {
                waiting.Push(goingOn[i]);
            }
            return;
        }
    }

    /// <summary>Does what a rule's verdict says; null: the packet goes on.</summary>
    private HookOutcome? Conclude(Machine machine, int rule, double before)
    {
        var verdict = machine.Verdict;
        if (machine.Undecided is { } why)
        {
            return End(machine, rule, before, Decision.Undecided, $"cannot be decided: {why}");
        }
        switch (verdict.Code)
        {
            case VerdictCode.Continue or VerdictCode.Break:
                if (machine.Effects.Length > 0)
                {
                    Tell(machine, rule, before, machine.Effects);
                }
                return null;
            case VerdictCode.Jump or VerdictCode.Goto:
                return Enter(machine, rule, before, verdict);
            case VerdictCode.Return:
                Tell(machine, rule, before, With(machine.Effects, "return"));
                return Return(machine) ? null : AtPolicy(machine);
            case VerdictCode.Accept:
                return End(machine, rule, before, Decision.Accept, machine.Effects.Length > 0 ? machine.Effects : "accept");
            case VerdictCode.Queue:
                return End(machine, rule, before, Decision.Queue, machine.Effects.Length > 0 ? machine.Effects : "handed to a program");
            case VerdictCode.Drop:
                return machine.Rejected
                    ? End(machine, rule, before, Decision.Reject, machine.Effects) with { Answer = machine.Answer }
                    : End(machine, rule, before, Decision.Drop, With(machine.Effects, "drop"));
            default:
                return End(machine, rule, before, Decision.Undecided, $"cannot be decided: {verdict} is not known here");
        }
    }

    private static HookOutcome? Enter(Machine machine, int rule, double before, Verdict verdict)
    {
        var isJump = verdict.Code == VerdictCode.Jump;
        if (verdict.Chain is null || !machine.Chain.Table.Chains.TryGetValue(verdict.Chain, out var target))
        {
            return End(machine, rule, before, Decision.Undecided, $"cannot be decided: there is no chain {verdict.Chain}");
        }
        if (++machine.Jumps > MostJumps || (isJump && Depth(machine.Callers) >= MostCallers))
        {
            return End(machine, rule, before, Decision.Undecided, "cannot be decided: chains lead back to themselves");
        }
        var (from, next, earlier) = (machine.Chain, machine.Next, machine.Steps);
        Tell(machine, rule, before, With(machine.Effects, verdict.ToString()));
        machine.Steps = machine.Steps! with { OnlyLeads = machine.Effects.Length == 0 };
        if (isJump)
        {
            machine.Callers = new Caller(from, next, earlier, machine.Callers);
        }
        (machine.Chain, machine.Next) = (target, 0);
        return null;
    }

    // Back to where the chain was jumped to from; false: from nowhere.
    private static bool Return(Machine machine)
    {
        if (machine.Callers is not { } caller)
        {
            return false;
        }
        machine.Steps = Steps.WithoutIdle(machine.Steps, caller.Before);
        (machine.Chain, machine.Next, machine.Callers) = (caller.Chain, caller.Next, caller.Outer);
        return true;
    }

    // Only a base chain has one; the last is the one that everything began in, wherever a goto has led.
    private HookOutcome AtPolicy(Machine machine)
    {
        var policy = hooked.Policy;
        if (policy == VerdictCode.Drop)
        {
            machine.Steps = new Steps(new RuleStep(chain.Entry.Key, 0, "policy drop", "drop by policy"), machine.Steps);
        }
        else
        {
            machine.Steps = Steps.WithoutIdle(machine.Steps, null);
        }
        return Outcome(machine, policy == VerdictCode.Drop ? Decision.Drop : Decision.Accept);
    }

    private static HookOutcome End(Machine machine, int rule, double before, Decision decision, string what)
    {
        Tell(machine, rule, before, what);
        return Outcome(machine, decision);
    }

    private static HookOutcome Outcome(Machine machine, Decision decision) =>
        new(machine.Probability, decision, machine.Packet, machine.Connection, Steps.InOrder(machine.Steps)) { Proxy = machine.Proxy, Changes = machine.Changes };

    private static void Tell(Machine machine, int rule, double before, string what)
    {
        var source = machine.Chain.Rules[rule];
        machine.Steps = new Steps(
            new RuleStep(machine.Chain.Entry.Key, source.Handle, machine.Chain.Text(rule), what)
            {
                Element = machine.Element?.Entry.Key,
                Stamp = machine.Element?.Stamp ?? (source.Comment is { } comment ? new Stamp(comment) : null),
                Chance = machine.Probability / before,
            },
            machine.Steps);
    }

    private static string With(string effects, string verdict) => effects.Length == 0 ? verdict : $"{effects}, {verdict}";

    private static int Depth(Caller? caller)
    {
        var depth = 0;
        for (; caller is not null; caller = caller.Outer)
        {
            depth++;
        }
        return depth;
    }
}
