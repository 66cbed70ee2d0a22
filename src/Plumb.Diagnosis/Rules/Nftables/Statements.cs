using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>
/// Statements that rules, elements and objects share, and those that end a rule. A packet comes alone: a limit lets it pass, and one that acts on what is
/// over the limit does not see it.
/// </summary>
internal static class Statements
{
    public static void RunAll(ValueList<Expression> statements, Machine machine)
    {
        foreach (var statement in statements)
        {
            if (machine.IsGoingOn)
            {
                Run(statement, machine);
            }
        }
    }

    public static void Run(Expression statement, Machine machine)
    {
        switch (statement)
        {
            case CounterExpression or LastUsedExpression or LogExpression or DuplicateExpression:
                break;
            case LimitExpression limit:
                Continue(machine, !limit.Inverted);
                break;
            case QuotaExpression quota:
                var isOver = quota.UsedBytes + (ulong)machine.Packet.Length >= quota.Bytes;
                Continue(machine, isOver == quota.Inverted);
                break;
            case ConnectionLimitExpression:
                machine.CannotDecide("how many connections there are is not known here");
                break;
            default:
                machine.CannotDecide($"'{statement.Name}' is not known here");
                break;
        }
    }

    public static void Reject(RejectExpression reject, Machine machine)
    {
        machine.Verdict = Verdict.Drop;
        machine.Rejected = true;
        var isV4 = machine.Packet.Family == IpFamily.V4;
        machine.Answer = reject.Kind switch
        {
            RejectKind.TcpReset => Rejections.Reset(machine.Packet),
            RejectKind.Icmp => new RejectAnswer(Reset: false, new IcmpKind(isV4 ? IcmpUnreachable : IcmpV6Unreachable, reject.Code)),
            _ => new RejectAnswer(Reset: false, isV4 ? new IcmpKind(IcmpUnreachable, CodeV4(reject.Code)) : new IcmpKind(IcmpV6Unreachable, CodeV6(reject.Code))),
        };
        machine.Did(reject.Kind == RejectKind.TcpReset ? "reject with a reset" : "reject");
    }

    public static void Queue(Machine machine)
    {
        machine.Verdict = new Verdict(VerdictCode.Queue);
        machine.Did("handed to a program");
    }

    public static void TransparentProxy(TransparentProxyExpression proxy, Machine machine)
    {
        if (machine.Packet.Protocol is not (Packet.Tcp or Packet.Udp))
        {
            machine.Verdict = Machine.Break;
            return;
        }
        var packet = machine.Packet;
        var address = IpAddress.Unspecified(packet.Family);
        if (proxy.Address is { } register && machine.Knows(register, packet.Source.ByteLength, "where it leads is not known here")
            && IpAddress.TryRead(machine.Registers.Values(register, packet.Source.ByteLength), out var stated))
        {
            address = stated;
        }
        var port = proxy.Port is { } at && machine.Knows(at, sizeof(ushort), "where it leads is not known here") ? machine.Registers.Get16BigEndian(at) : packet.DestinationPort;
        machine.Proxy = (address, port);
        machine.Did($"to the transparent socket at {EndpointText.Of(address, port)}");
    }

    private const byte IcmpUnreachable = 3;
    private const byte IcmpV6Unreachable = 1;

    // NFT_REJECT_ICMPX_*: no route, port, host unreachable, administratively prohibited.
    private static byte CodeV4(byte code) => code switch { 0 => 0, 1 => 3, 2 => 1, _ => 13 };

    private static byte CodeV6(byte code) => code switch { 0 => 0, 1 => 4, 2 => 3, _ => 1 };

    private static void Continue(Machine machine, bool holds)
    {
        if (!holds)
        {
            machine.Verdict = Machine.Break;
        }
    }
}
