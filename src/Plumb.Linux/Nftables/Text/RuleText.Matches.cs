using System.Text;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Text;

internal sealed partial class RuleText
{
    private static string Sign(Comparison comparison) => comparison switch
    {
        Comparison.Equal => "",
        Comparison.NotEqual => "!= ",
        Comparison.Less => "< ",
        Comparison.LessOrEqual => "<= ",
        Comparison.Greater => "> ",
        Comparison.GreaterOrEqual => ">= ",
        _ => "? ",
    };

    private void Compare(CompareExpression compare)
    {
        var left = Get(compare.Source);
        var sign = Sign(compare.Operator);
        if (left.Beginning is { } field)
        {
            SayPrefix(field, sign, compare.Value.Span, compare.Value.Length * 8);
        }
        else if (left.Bitwise is { } bitwise)
        {
            CompareMasked(left, bitwise.Mask, bitwise.Xor, compare);
        }
        else if (left.Type.IsText && compare.Value.Length < left.Bytes && compare.Value.Span.IndexOf((byte)0) < 0)
        {
            var name = new StringBuilder();
            ValueText.AppendName(name, compare.Value.Span, wildcard: true);
            Say($"{left.Text} {sign}{name}");
        }
        else if (compare.Operator == Comparison.Equal
            && left is { Raw: { Header: not Header.Raw } raw }
            && left.Text.StartsWith('@')
            && Apart(raw, compare.Value) is { } fields)
        {
            fields.ForEach(Say);
        }
        else
        {
            Say($"{left.Text} {sign}{ValueText.Of(left.Type, compare.Value.Span, left.Order)}");
            _protocols.Learn(left.Text, compare.Operator, compare.Value, _statements.Count - 1);
        }
    }

    // Tests of neighbouring fields are joined into one when nft writes a rule; here they are taken apart again.
    private static List<string>? Apart((Header Header, int OffsetBits) at, Octets value)
    {
        var number = value.ToNumber(ByteOrder.Big);
        var left = value.Length * 8;
        var tests = new List<string>();
        for (var offset = at.OffsetBits; left > 0;)
        {
            var field = Array.Find(HeaderFields.All, field => field.Header == at.Header && field.OffsetBits == offset && field.WidthBits <= left);
            if (field is null)
            {
                return null;
            }
            left -= field.WidthBits;
            offset += field.WidthBits;
            var text = new StringBuilder();
            ValueText.AppendNumber(text, field.Type, (number >> left) & ((UInt128.One << field.WidthBits) - 1), field.Bytes);
            tests.Add($"{field.Text} {text}");
        }
        return tests;
    }

    private void SayPrefix(HeaderField field, string sign, ReadOnlySpan<byte> value, int length)
    {
        Span<byte> whole = stackalloc byte[16];
        whole.Clear();
        value.CopyTo(whole);
        Say($"{field.Text} {sign}{ValueText.Of(field.Type, whole[..field.Bytes], ByteOrder.Big)}/{length}");
    }

    private void CompareMasked(Operand left, UInt128 mask, UInt128 xor, CompareExpression compare)
    {
        var value = compare.Value.ToNumber(left.Order);
        var sign = Sign(compare.Operator);
        if (xor == 0 && left.Raw is { } raw && PartOf(raw.Header, raw.OffsetBits, left.Bits, mask) is { } part)
        {
            _protocols.Used(part.Base, part.Header);
            var text = new StringBuilder();
            ValueText.AppendNumber(text, part.Type, value >> part.ShiftBits, 1);
            Say($"{part.Text} {sign}{text}");
            return;
        }
        if (xor == 0 && (left.Type == DataType.Ipv4Address || left.Type == DataType.Ipv6Address) && MaskLength(mask, left.Bits) is { } length)
        {
            Say($"{left.Text} {sign}{ValueText.Of(left.Type, compare.Value.Span, left.Order)}/{length}");
            return;
        }
        if (xor == 0 && Symbols.IsBits(left.Type))
        {
            var names = new StringBuilder();
            ValueText.AppendBits(names, left.Type, (ulong)mask, ",");
            if (value == 0)
            {
                Say(compare.Operator == Comparison.NotEqual ? $"{left.Text} {names}" : $"{left.Text} ! {names}");
            }
            else
            {
                var wanted = new StringBuilder();
                ValueText.AppendBits(wanted, left.Type, (ulong)value, ",");
                Say($"{left.Text} {sign}{wanted} / {names}");
            }
            return;
        }
        Say($"{left.WithBitwise} {(compare.Operator == Comparison.Equal ? "== " : sign)}{ValueText.Of(left.Type, compare.Value.Span, left.Order)}");
    }

    private static int? MaskLength(UInt128 mask, int bits)
    {
        var host = ~mask & (bits >= 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1);
        return (host & (host + 1)) == 0 ? bits - (int)UInt128.PopCount(host) : null;
    }

    /// <summary>The field that the masked bits are, where a header names them (<c>ip dscp</c>).</summary>
    private static HeaderField? PartOf(Header header, int offsetBits, int bits, UInt128 mask)
    {
        var low = (int)UInt128.TrailingZeroCount(mask);
        var width = (int)UInt128.PopCount(mask);
        var contiguous = mask >> low == (UInt128.One << width) - 1;
        var field = contiguous ? HeaderFields.At(header, offsetBits + bits - low - width, width) : null;
        return field is { IsWholeBytes: false } ? field : null;
    }

    private void Between(Register source, Octets from, Octets to, bool inverted)
    {
        var left = Get(source);
        var range = new StringBuilder();
        ValueText.Append(range, left.Type, from.Span, left.Order, names: false);
        range.Append('-');
        ValueText.Append(range, left.Type, to.Span, left.Order, names: false);
        Say($"{left.Text} {(inverted ? "!= " : "")}{range}");
    }

    private void Bitwise(BitwiseExpression bitwise)
    {
        var source = Get(bitwise.Source);
        if (bitwise.Operation != BitwiseOperation.MaskXor)
        {
            if (bitwise.Operation == BitwiseOperation.ShiftRight
                && source is { Bitwise: { } bits, Raw: { } raw }
                && PartOf(raw.Header, raw.OffsetBits, source.Bits, bits.Mask) is { } part)
            {
                Put(bitwise.Destination, Operand.Of(part));
                return;
            }
            var sign = bitwise.Operation == BitwiseOperation.ShiftLeft ? "<<" : ">>";
            var count = bitwise.Shift.ToNumber(ByteOrder.Host);
            Put(bitwise.Destination, source with { Text = $"{source.WithBitwise} {sign} {count}", Bitwise = null });
            return;
        }
        var mask = bitwise.Mask.ToNumber(source.Order);
        var xor = bitwise.Xor.ToNumber(source.Order);
        Put(bitwise.Destination, source.Bitwise is null
            ? source with { Bitwise = (mask, xor) }
            : source with { Text = $"({source.WithBitwise})", Bitwise = (mask, xor) });
    }

    private void Lookup(LookupExpression lookup)
    {
        var schema = lookup.Set is AnonymousSet anonymous ? anonymous.Schema : _schemas(((NamedSet)lookup.Set).Name);
        var key = KeyOf(lookup.Source, schema, out var fields);
        var set = SetName(lookup.Set, fields);
        if (lookup.Destination is not { } destination)
        {
            Say($"{key} {(lookup.Inverted ? "!= " : "")}{set}");
        }
        else if (destination.IsVerdict)
        {
            Say($"{key} vmap {set}");
        }
        else
        {
            var data = schema?.Data is MapData.Fields { Items: var items } ? items : [new SetField(DataType.Integer, 32)];
            var operand = new Operand($"{key} map {set}", data[0].Type, SetSchema.Bytes(data) * 8, data.Count == 1 ? data[0].Order : ByteOrder.None);
            Put(destination, operand with { IsMapped = true, MapFields = data });
        }
    }

    private string KeyOf(Register source, SetSchema? schema, out Operand?[] fields)
    {
        var parts = schema?.Key.Count ?? 1;
        fields = new Operand?[parts];
        var slot = source.Slot;
        for (var i = 0; i < parts && slot < Register.Slots; i++)
        {
            fields[i] = slot >= 0 ? _registers[slot] : null;
            slot += Math.Max(1, ((fields[i]?.Bytes ?? 4) + 3) / 4);
        }
        if (parts == 1
            && fields[0] is { Bitwise: { Xor: var xor } bits, Raw: { } raw } masked
            && xor == 0
            && PartOf(raw.Header, raw.OffsetBits, masked.Bits, bits.Mask) is { } part)
        {
            fields[0] = Operand.Of(part) with { ShiftBits = part.ShiftBits };
            _protocols.Used(part.Base, part.Header);
            return part.Text;
        }
        return parts == 1 ? Get(source).WithBitwise : Key(source, int.MaxValue, parts);
    }

    // Types of a set without a name are those of what is looked up in it: nft keeps no others.
    private static string SetName(SetReference set, Operand?[] fields)
    {
        if (set is not AnonymousSet anonymous)
        {
            return set.ToString()!;
        }
        var key = new SetField[fields.Length];
        for (var i = 0; i < key.Length; i++)
        {
            var declared = anonymous.Schema.Key[i];
            key[i] = fields[i] is { } operand && operand.Bytes == declared.Bytes
                ? new SetField(operand.Type with { Order = operand.Order }, operand.Bits)
                : declared;
        }
        var schema = anonymous.Schema with { Key = [.. key] };
        var text = new StringBuilder("{ ");
        for (var i = 0; i < anonymous.Elements.Count; i++)
        {
            text.Append(i == 0 ? "" : ", ");
            var element = anonymous.Elements[i];
            if (fields[0] is { ShiftBits: > 0 and var shift })
            {
                element = element with { Key = Octets.From(element.Key.ToNumber(ByteOrder.Big) >> shift, element.Key.Length, ByteOrder.Big) };
            }
            ElementText.Append(text, schema, element, comment: null);
        }
        return text.Append(" }").ToString();
    }

    private void Dynamic(DynamicSetExpression dynamic)
    {
        var schema = _schemas((dynamic.Set as NamedSet)?.Name ?? "");
        var text = new StringBuilder(dynamic.Operation switch
        {
            DynamicSetOperation.Add => "add ",
            DynamicSetOperation.Update => "update ",
            _ => "delete ",
        });
        text.Append(dynamic.Set).Append(" { ").Append(KeyOf(dynamic.Key, schema, out _));
        if (dynamic.TimeoutMilliseconds is { } timeout)
        {
            ValueText.AppendTime(text.Append(" timeout "), timeout);
        }
        foreach (var statement in dynamic.Statements)
        {
            text.Append(' ').Append(StatementText.Of(statement));
        }
        if (dynamic.Data is { } data)
        {
            var fields = schema?.Data is MapData.Fields { Items: var items } ? items : [];
            var operand = Get(data);
            text.Append(" : ").Append(operand.Constant is { } constant && fields.Count > 0
                ? ValueText.Of(fields[0].Type, constant.Span, fields[0].Order)
                : fields.Count > 1 ? Key(data, int.MaxValue, fields.Count) : operand.WithBitwise);
        }
        // A statement with a state of its own is without it in a rule: it begins anew for each element.
        Say(text.Append(" }").Replace(" packets 0 bytes 0", "").ToString());
    }

    private void ObjectMap(ObjectReferenceExpression reference, SetReference map)
    {
        var schema = map is AnonymousSet anonymous ? anonymous.Schema : _schemas(((NamedSet)map).Name);
        var key = KeyOf(reference.Key, schema, out var fields);
        var kind = schema?.Data is MapData.Objects objects ? objects.Kind : reference.Kind;
        Say(StatementText.ObjectReference(kind, $"{key} map {SetName(map, fields)}"));
    }
}
