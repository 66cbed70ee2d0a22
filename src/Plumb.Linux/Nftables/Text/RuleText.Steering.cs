using System.Text;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Steering;

namespace Plumb.Linux.Nftables.Text;

internal sealed partial class RuleText
{
    private void Steer(Expression expression)
    {
        switch (expression)
        {
            case NatExpression nat:
                Say(Nat(nat));
                break;
            case MasqueradeExpression masquerade:
                Say("masquerade" + Ports(masquerade.Port, masquerade.PortLast) + Flags(masquerade.Flags));
                break;
            case RedirectExpression redirect:
                Say("redirect" + Ports(redirect.Port, redirect.PortLast) + Flags(redirect.Flags));
                break;
            case TransparentProxyExpression proxy:
                Say(Proxy(proxy));
                break;
            case QueueExpression queue:
                Say(Queue(queue));
                break;
            case DuplicateExpression duplicate:
                Say($"dup to {(duplicate.Address is { } to ? Plain(to, Address(_family)) : "")}"
                    + (duplicate.Device is { } device ? $"{(duplicate.Address is null ? "" : " device ")}{Plain(device, DataType.InterfaceIndex)}" : ""));
                break;
            case ForwardExpression forward:
                Say($"fwd {(forward.Address is { } next ? $"{(forward.Family == 10 ? "ip6" : "ip")} to {Plain(next, Address((TableFamily)forward.Family!))} device " : "to ")}"
                    + Plain(forward.Device, DataType.InterfaceIndex));
                break;
            default:
                Say(StatementText.Of(expression));
                break;
        }
    }

    private static DataType Address(TableFamily family) => family == TableFamily.Ip6 ? DataType.Ipv6Address : DataType.Ipv4Address;

    private string Plain(Register register, DataType type)
    {
        var operand = Get(register);
        return operand.Constant is { } constant ? ValueText.Of(type, constant.Span, type.Order) : operand.WithBitwise;
    }

    private string Nat(NatExpression nat)
    {
        var text = new StringBuilder(nat.Destination ? "dnat" : "snat");
        var address = nat.Address is { } register ? Get(register) : null;
        var isPrefix = (nat.Flags & NatFlags.NetMap) != 0;
        if (nat.Address is not null || nat.Port is not null)
        {
            var namesFamily = _family is not (TableFamily.Ip or TableFamily.Ip6) || address is { IsMapped: true, MapFields.Count: > 1 };
            text.Append(namesFamily ? (nat.Family == TableFamily.Ip6 ? " ip6" : " ip") : "").Append(isPrefix ? " prefix" : "").Append(" to ");
        }
        if (nat.Address is { } first)
        {
            var type = Address(nat.Family);
            var bracket = nat.Family == TableFamily.Ip6 && nat.Port is not null && address!.Constant is not null;
            text.Append(bracket ? "[" : "").Append(Plain(first, type));
            if (nat.AddressLast is { } last)
            {
                text.Append('-').Append(Plain(last, type));
            }
            text.Append(bracket ? "]" : "");
        }
        // The second part of a concatenation that a map gives is its port.
        if (nat.Port is { } port && address is not { IsMapped: true, MapFields.Count: > 1 })
        {
            text.Append(':').Append(Plain(port, DataType.Port));
            if (nat.PortLast is { } lastPort)
            {
                text.Append('-').Append(Plain(lastPort, DataType.Port));
            }
        }
        return text.Append(Flags(nat.Flags)).ToString();
    }

    private string Ports(Register? first, Register? last) => first is not { } register
        ? ""
        : $" to :{Plain(register, DataType.Port)}{(last is { } end ? "-" + Plain(end, DataType.Port) : "")}";

    private static string Flags(NatFlags flags)
    {
        List<string> names = [];
        if ((flags & NatFlags.Random) != 0)
        {
            names.Add("random");
        }
        if ((flags & NatFlags.FullyRandom) != 0)
        {
            names.Add("fully-random");
        }
        if ((flags & NatFlags.Persistent) != 0)
        {
            names.Add("persistent");
        }
        return names.Count == 0 ? "" : " " + string.Join(',', names);
    }

    private string Proxy(TransparentProxyExpression proxy)
    {
        var family = proxy.Family switch
        {
            2 when _family == TableFamily.Inet => " ip",
            10 when _family == TableFamily.Inet => " ip6",
            _ => "",
        };
        var address = proxy.Address is { } register
            ? proxy.Family == 10 ? $"[{Plain(register, DataType.Ipv6Address)}]" : Plain(register, DataType.Ipv4Address)
            : "";
        var port = proxy.Port is { } number ? $":{Plain(number, DataType.Port)}" : "";
        return $"tproxy{family} to {address}{port}";
    }

    private string Queue(QueueExpression queue)
    {
        var flags = (queue.Flags & QueueFlags.Bypass, queue.Flags & QueueFlags.CpuFanout) switch
        {
            (not 0, not 0) => " flags bypass,fanout",
            (not 0, _) => " flags bypass",
            (_, not 0) => " flags fanout",
            _ => "",
        };
        var to = queue.Number is { } register ? Get(register).WithBitwise
            : queue.Count > 1 ? $"{queue.First}-{queue.First + queue.Count - 1}"
            : $"{queue.First ?? 0}";
        return $"queue{flags} to {to}";
    }

    private void Reject(RejectExpression reject)
    {
        if (reject.Kind == RejectKind.TcpReset)
        {
            if (_family is TableFamily.Ip or TableFamily.Ip6)
            {
                _protocols.ImpliedTransport();
            }
            Say("reject with tcp reset");
            return;
        }
        var (type, usual) = reject.Kind == RejectKind.Icmpx ? (DataType.IcmpxCode, (byte)1)
            : _family == TableFamily.Ip6 || _protocols.Network == 10 ? (DataType.Icmpv6Code, (byte)4)
            : (DataType.IcmpCode, (byte)3);
        var isUsual = reject.Code == usual && (reject.Kind == RejectKind.Icmpx || _family is TableFamily.Ip or TableFamily.Ip6);
        if (reject.Kind == RejectKind.Icmp)
        {
            _protocols.ImpliedNetwork();
        }
        var name = reject.Kind == RejectKind.Icmpx ? "icmpx" : type == DataType.Icmpv6Code ? "icmpv6" : "icmp";
        Say(isUsual ? "reject" : $"reject with {name} {Symbols.Name(type, reject.Code) ?? reject.Code.ToString()}");
    }
}
