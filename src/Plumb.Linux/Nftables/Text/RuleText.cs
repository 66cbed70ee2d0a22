using System.Text;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Text;

/// <summary>
/// A rule in nft's words: registers are traced back to what was loaded into them, and tests that only say what a later field
/// implies (<c>meta l4proto tcp</c> before <c>tcp dport</c>) are left out where nft leaves them out.
/// </summary>
internal sealed partial class RuleText
{
    private readonly TableFamily _family;
    private readonly Func<string, SetSchema?> _schemas;
    private readonly Operand?[] _registers = new Operand?[Register.Slots];
    private readonly List<string?> _statements = [];
    private readonly Protocols _protocols;

    private RuleText(TableFamily family, Func<string, SetSchema?> schemas)
    {
        _family = family;
        _schemas = schemas;
        _protocols = new Protocols(family, _statements);
    }

    /// <param name="schemas">Finds a set of the table by name; without it a key of several parts is shown by its first.</param>
    public static string Of(TableFamily family, Rule rule, Func<string, SetSchema?> schemas)
    {
        var text = new RuleText(family, schemas);
        var expressions = rule.Expressions.AsSpan();
        for (var i = 0; i < expressions.Length; i++)
        {
            // Two comparisons of one value with both ends of a range.
            if (expressions[i] is CompareExpression { Operator: Comparison.GreaterOrEqual } low
                && i + 1 < expressions.Length
                && expressions[i + 1] is CompareExpression { Operator: Comparison.LessOrEqual } high
                && low.Source == high.Source)
            {
                text.Between(low.Source, low.Value, high.Value, inverted: false);
                i++;
            }
            else
            {
                text.Step(expressions[i]);
            }
        }
        return text.Join(rule.Comment);
    }

    private string Join(string? comment)
    {
        var text = new StringBuilder();
        foreach (var statement in _statements)
        {
            if (statement is not null)
            {
                text.Append(text.Length == 0 ? "" : " ").Append(statement);
            }
        }
        if (comment is not null)
        {
            text.Append(text.Length == 0 ? "" : " ").Append("comment \"").Append(comment).Append('"');
        }
        return text.ToString();
    }

    private void Step(Expression expression)
    {
        switch (expression)
        {
            case MetaExpression { Sets: false } meta when MetaField.Knows(meta.Key):
                Put(meta.Register, Operand.Of(MetaField.Of(meta.Key)));
                break;
            case MetaExpression { Sets: true } meta when MetaField.Knows(meta.Key):
                var target = MetaField.Of(meta.Key);
                Say($"{target.Text} set {Assigned(meta.Register, target)}");
                break;
            case ConntrackExpression { Sets: false } ct:
                Put(ct.Register, Operand.Of(new ConntrackField(ct.Key, ct.Direction)));
                break;
            case ConntrackExpression { Sets: true } ct:
                var connection = new ConntrackField(ct.Key, ct.Direction);
                Say($"{connection.Text} set {Assigned(ct.Register, connection)}");
                break;
            case PayloadExpression { Writes: null } payload:
                Put(payload.Register, Payload(payload));
                break;
            case PayloadExpression payload:
                var field = Payload(payload);
                Say($"{field.Text} set {Assigned(payload.Register, field)}");
                break;
            case NumberGeneratorExpression number:
                Put(number.Destination, Operand.Of(new NumberGenerator(number.Source, number.Modulus, number.Offset)));
                break;
            case HashExpression hash:
                Put(hash.Destination, Hash(hash));
                break;
            case FibExpression fib:
                Put(fib.Destination, Operand.Of(new FibField(fib.Flags, fib.Result)));
                break;
            case SocketExpression socket:
                Put(socket.Destination, Operand.Of(new SocketField(socket.Key, socket.Level)));
                break;
            case RouteExpression route:
                Put(route.Destination, Operand.Of(new RouteField(route.Key)));
                break;
            case ExtensionExpression extension:
                Extension(extension);
                break;
            case CompareExpression compare:
                Compare(compare);
                break;
            case RangeExpression range:
                Between(range.Source, range.From, range.To, range.Inverted);
                break;
            case BitwiseExpression bitwise:
                Bitwise(bitwise);
                break;
            case ByteOrderExpression order:
                Put(order.Destination, Get(order.Source) with { Order = order.ToNetwork ? ByteOrder.Big : ByteOrder.Host });
                break;
            case ImmediateExpression { Verdict: null } immediate:
                Put(immediate.Destination, new Operand("", DataType.Integer, immediate.Value.Length * 8, ByteOrder.Host) { Constant = immediate.Value });
                break;
            case LookupExpression lookup:
                Lookup(lookup);
                break;
            case DynamicSetExpression dynamic:
                Dynamic(dynamic);
                break;
            case ObjectReferenceExpression { Map: { } map } reference:
                ObjectMap(reference, map);
                break;
            case NatExpression or MasqueradeExpression or RedirectExpression or TransparentProxyExpression or QueueExpression
                or DuplicateExpression or ForwardExpression:
                Steer(expression);
                break;
            case RejectExpression reject:
                Reject(reject);
                break;
            default:
                Say(StatementText.Of(expression));
                break;
        }
    }

    private void Say(string statement) => _statements.Add(statement);

    private void Put(Register register, Operand operand)
    {
        if (!register.IsVerdict)
        {
            _registers[register.Slot] = operand;
        }
    }

    private Operand Get(Register register) =>
        (register.IsVerdict ? null : _registers[register.Slot]) ?? new Operand(register.ToString(), DataType.Integer, 32, ByteOrder.Host);

    private string Assigned(Register source, Selector target) => Assigned(source, Operand.Of(target));

    private string Assigned(Register source, Operand target)
    {
        var value = Get(source);
        return value.Constant is { } constant ? ValueText.Of(target.Type, constant.Span, target.Order) : value.WithBitwise;
    }

    private Operand Payload(PayloadExpression payload)
    {
        var header = _protocols.HeaderAt(payload.Base, payload.OffsetBytes);
        var offset = (int)payload.OffsetBytes * 8;
        var bits = (int)payload.LengthBytes * 8;
        if (header == Header.Vlan)
        {
            return new Operand("vlan", DataType.Integer, bits, ByteOrder.Big) { Raw = (header, offset) };
        }
        _protocols.Used(payload.Base, header);
        if (header != Header.Raw)
        {
            if (HeaderFields.At(header, offset, bits) is { } field)
            {
                return Operand.Of(field) with { Raw = (header, offset) };
            }
            if (HeaderFields.Beginning(header, offset) is { } longer && longer.WidthBits > bits && longer.WidthBits >= 32)
            {
                return new Operand(longer.Text, longer.Type, bits, ByteOrder.Big) { Beginning = longer };
            }
        }
        var start = payload.Base switch
        {
            PayloadBase.LinkLayer => "ll",
            PayloadBase.Network => "nh",
            PayloadBase.Transport => "th",
            _ => "ih",
        };
        return new Operand($"@{start},{offset},{bits}", DataType.Integer, bits, ByteOrder.Big) { Raw = (header, offset) };
    }

    private Operand Hash(HashExpression hash)
    {
        var of = hash.Of is { } source ? Key(source.Source, (int)source.LengthBytes, parts: null) : null;
        var text = Operand.Of(new HashSelector(null, hash.Modulus, hash.Seed, hash.Offset));
        return of is null ? text : text with { Text = text.Text.Replace("symhash", $"jhash {of}", StringComparison.Ordinal) };
    }

    private void Extension(ExtensionExpression extension)
    {
        var name = ExtensionText.Name(extension);
        switch (extension.Action)
        {
            case ExtensionAction.Write:
                Say($"{name} set {Assigned(extension.Register, new Operand(name, DataType.Integer, (int)extension.LengthBytes * 8, ByteOrder.Big))}");
                break;
            case ExtensionAction.Reset:
                Say($"reset {name}");
                break;
            case ExtensionAction.Test:
                Put(extension.Register, new Operand(ExtensionText.Kind(extension), DataType.Boolean, 8, ByteOrder.Host));
                _protocols.UsedExtension(extension.Kind);
                break;
            default:
                Put(extension.Register, new Operand(name, DataType.Integer, (int)extension.LengthBytes * 8, ByteOrder.Big));
                _protocols.UsedExtension(extension.Kind);
                break;
        }
    }

    /// <summary>What lies side by side from a register on: <c>ip daddr . th dport</c>.</summary>
    private string Key(Register first, int bytes, int? parts)
    {
        var text = new StringBuilder();
        var slot = first.Slot;
        var count = 0;
        while (bytes > 0 && slot < Register.Slots && (parts is null || count < parts))
        {
            var operand = _registers[slot] ?? new Operand(Register.At(slot).ToString(), DataType.Integer, 32, ByteOrder.Host);
            text.Append(count == 0 ? "" : " . ").Append(operand.WithBitwise);
            var padded = Math.Max(4, (operand.Bytes + 3) & ~3);
            bytes -= padded;
            slot += padded / 4;
            count++;
        }
        return text.ToString();
    }
}
