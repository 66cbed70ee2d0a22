using Plumb.Diagnosis.Packets;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Expressions.Xtables;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>Runs one rule. Where it chooses at random, each way is run to the rule's end, and ways that ended alike go on as one.</summary>
internal static class RuleRunner
{
    /// <returns>The machines with which the rule ended; for most rules the one that it began with.</returns>
    public static List<Machine>? Run(Machine machine, ReadOnlySpan<Expression> expressions)
    {
        machine.BeginRule();
        return Run(machine, expressions, 0);
    }

    private static List<Machine>? Run(Machine machine, ReadOnlySpan<Expression> expressions, int from)
    {
        for (var i = from; i < expressions.Length && machine.IsGoingOn; i++)
        {
            var ways = Execute(expressions[i], machine, expressions[(i + 1)..]);
            if (ways is null)
            {
                continue;
            }
            var ends = new List<Machine>(ways.Count);
            foreach (var way in ways)
            {
                if (Run(way, expressions, i + 1) is { } several)
                {
                    ends.AddRange(several);
                }
                else
                {
                    ends.Add(way);
                }
            }
            return Joined(ends);
        }
        return null;
    }

    private static List<Machine>? Execute(Expression expression, Machine machine, ReadOnlySpan<Expression> rest)
    {
        switch (expression)
        {
            case PayloadExpression { Writes: null } load:
                Loads.Payload(load, machine);
                break;
            case PayloadExpression write:
                Assignments.Payload(write, machine);
                break;
            case MetaExpression { Sets: false } load:
                Loads.Meta(load, machine);
                break;
            case MetaExpression set:
                Assignments.Meta(set, machine);
                break;
            case ConntrackExpression { Sets: false } load:
                Loads.Connection(load, machine);
                break;
            case ConntrackExpression set:
                Assignments.Connection(set, machine);
                break;
            case FibExpression fib:
                Loads.Fib(fib, machine);
                break;
            case ImmediateExpression immediate:
                Operations.Immediate(immediate, machine);
                break;
            case BitwiseExpression bitwise:
                Operations.Bitwise(bitwise, machine);
                break;
            case ByteOrderExpression order:
                Operations.ByteOrder(order, machine);
                break;
            case CompareExpression compare:
                Operations.Compare(compare, machine);
                break;
            case RangeExpression range:
                Operations.Range(range, machine);
                break;
            case LookupExpression lookup:
                SetOperations.Lookup(lookup, machine);
                break;
            case DynamicSetExpression change:
                SetOperations.Change(change, machine);
                break;
            case ObjectReferenceExpression reference:
                SetOperations.Object(reference, machine);
                break;
            case NumberGeneratorExpression numgen:
                return Choices.Generate(numgen, machine, rest);
            case HashExpression hash:
                return Choices.Hash(hash, machine, rest);
            case NatExpression nat:
                return Nat.Translate(nat, machine);
            case MasqueradeExpression masquerade:
                return Nat.Masquerade(masquerade, machine);
            case RedirectExpression redirect:
                return Nat.Redirect(redirect, machine);
            case RejectExpression reject:
                Statements.Reject(reject, machine);
                break;
            case QueueExpression:
                Statements.Queue(machine);
                break;
            case TransparentProxyExpression proxy:
                Statements.TransparentProxy(proxy, machine);
                break;
            case NoTrackExpression:
                Assignments.NoTrack(machine);
                break;
            case RouteExpression route:
                machine.Registers.Forget(route.Destination, 16);
                break;
            case SocketExpression socket:
                machine.Registers.Forget(socket.Destination, sizeof(ulong));
                break;
            case ExtensionExpression extension:
                Extension(extension, machine);
                break;
            case XtMatchExpression { Match: "comment" }:
                break;
            case XtMatchExpression match:
                machine.CannotDecide($"'{match.Match}' of iptables is not read from nftables");
                break;
            case XtTargetExpression target:
                machine.CannotDecide($"'{target.Target}' of iptables is not read from nftables");
                break;
            default:
                Statements.Run(expression, machine);
                break;
        }
        return null;
    }

    // Options are nothing that a packet here has, or does not have; an IPv6 packet here has no extension headers.
    private static void Extension(ExtensionExpression extension, Machine machine)
    {
        var isThere = extension.Kind switch
        {
            ExtensionKind.TcpOption => machine.Packet.Protocol == Packet.Tcp,
            ExtensionKind.SctpChunk => machine.Packet.Protocol == Packet.Sctp,
            ExtensionKind.Ipv6 => false,
            _ => true,
        };
        if (extension.Action is ExtensionAction.Write or ExtensionAction.Reset)
        {
            return; // changes no path
        }
        if (isThere)
        {
            machine.Registers.Forget(extension.Register, Math.Max(1, (int)extension.LengthBytes));
        }
        else if (extension.Action == ExtensionAction.Test)
        {
            machine.Registers.Set8(extension.Register, 0);
        }
        else
        {
            machine.Verdict = Machine.Break;
        }
    }

    private static List<Machine> Joined(List<Machine> ends)
    {
        if (ends.Count == 1)
        {
            return ends;
        }
        // What a rule leaves in registers no later rule reads: nf_tables refuses one that would.
        var byEnd = new Dictionary<(Verdict, Packet, Connection?, string, object, string?, object?), Machine>();
        var joined = new List<Machine>();
        foreach (var end in ends)
        {
            var key = (end.Verdict, end.Packet, end.Connection, end.Effects, (object)end.Changes, end.Undecided, (object?)end.Element);
            if (byEnd.TryGetValue(key, out var same))
            {
                same.Probability += end.Probability;
            }
            else
            {
                byEnd[key] = end;
                joined.Add(end);
            }
        }
        return joined;
    }
}
