using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Snapshots.Redaction;

/// <summary>
/// Entries of nf_tables, whose addresses are bytes: which bytes are some is known by what a rule has loaded before it compares, and by the types of a set's fields.
/// </summary>
internal sealed class RuleMask(TextMask text)
{
    private const int SourceV4 = 12;
    private const int DestinationV4 = 16;
    private const int SourceV6 = 8;
    private const int DestinationV6 = 24;

    public Entry Of(Entry entry) => entry switch
    {
        ChainEntry chain => chain with { Name = text.Of(chain.Name), Rules = [.. chain.Rules.AsSpan().ToArray().Select(Of)] },
        SetEntry set => new SetEntry(set.Namespace, Of(set.Schema)),
        ElementEntry element => new ElementEntry(element.Namespace, Of(element.Set), Of(element.Set, element.Element)),
        _ => entry,
    };

    private SetSchema Of(SetSchema schema) => schema with { Name = text.Of(schema.Name) };

    private SetElement Of(SetSchema schema, SetElement element)
    {
        var (first, last) = (element.Key.Span.ToArray(), element.Last.Span.ToArray());
        Fields(schema.Key, first, last);
        var data = element.Data.Span.ToArray();
        if (schema.Data is MapData.Fields fields)
        {
            Fields(fields.Items, data, []);
        }
        return element with
        {
            Key = new Octets(first),
            Last = last.Length == 0 ? default : new Octets(last),
            Data = new Octets(data),
            Verdict = Of(element.Verdict),
            Statements = Of(element.Statements),
        };
    }

    private void Fields(ValueList<SetField> fields, byte[] first, byte[] last)
    {
        var at = 0;
        foreach (var field in fields)
        {
            if ((field.Type == DataType.Ipv4Address || field.Type == DataType.Ipv6Address) && at + field.Bytes <= first.Length
                && IpAddress.TryRead(first.AsSpan(at, field.Bytes), out var low))
            {
                if (at + field.Bytes <= last.Length && IpAddress.TryRead(last.AsSpan(at, field.Bytes), out var high) && high != low)
                {
                    text.Addresses.FirstOf(low, high).WriteBytes(first.AsSpan(at));
                    text.Addresses.LastOf(low, high).WriteBytes(last.AsSpan(at));
                }
                else
                {
                    text.Addresses.Of(low).WriteBytes(first.AsSpan(at));
                    if (last.Length > 0)
                    {
                        text.Addresses.Of(low).WriteBytes(last.AsSpan(at));
                    }
                }
            }
            at += fields.Count == 1 ? field.Bytes : field.PaddedBytes;
        }
    }

    private Rule Of(Rule rule) => rule with { Comment = rule.Comment is { } comment ? text.Of(comment) : null, Expressions = Of(rule.Expressions) };

    private ValueList<Expression> Of(ValueList<Expression> expressions)
    {
        if (expressions.Count == 0)
        {
            return expressions;
        }
        // Of each slot, what address stands there, and by how many bits of it.
        var held = new Dictionary<int, (IpFamily Family, int Bits)>();
        var masked = new List<Expression>(expressions.Count);
        foreach (var expression in expressions)
        {
            masked.Add(Of(expression, held, expressions));
        }
        return [.. masked];
    }

    private Expression Of(Expression expression, Dictionary<int, (IpFamily Family, int Bits)> held, ValueList<Expression> all)
    {
        switch (expression)
        {
            case PayloadExpression { Writes: null } load:
                Hold(load.Register, load.Base == PayloadBase.Network ? FamilyAt((int)load.OffsetBytes, (int)load.LengthBytes) : null, (int)load.LengthBytes * 8);
                return load;
            case ConntrackExpression { Sets: false } load:
                Hold(load.Register, load.Key switch { ConntrackKey.SourceIp or ConntrackKey.DestinationIp => IpFamily.V4, ConntrackKey.SourceIp6 or ConntrackKey.DestinationIp6 => IpFamily.V6, _ => null }, null);
                return load;
            case BitwiseExpression { Operation: BitwiseOperation.MaskXor } mask when held.TryGetValue(mask.Source.Slot, out var address):
                held[mask.Destination.Slot] = (address.Family, mask.Mask.Span.ToArray().Sum(static octet => int.PopCount(octet)));
                return mask;
            case CompareExpression compare when held.TryGetValue(compare.Source.Slot, out var address):
                return compare with { Value = Masked(compare.Value, address.Family, Math.Min(address.Bits, compare.Value.Length * 8)) };
            case RangeExpression range when held.TryGetValue(range.Source.Slot, out var of) && Read(range.From, of.Family) is { } from && Read(range.To, of.Family) is { } to:
                return range with { From = new Octets(text.Addresses.FirstOf(from, to).ToBytes()), To = new Octets(text.Addresses.LastOf(from, to).ToBytes()) };
            case ImmediateExpression { Verdict: { } verdict } immediate:
                return immediate with { Verdict = Of(verdict) };
            case ImmediateExpression immediate when FamilyTranslatedBy(immediate.Destination, all) is { } family && Read(immediate.Value, family) is { } to:
                return immediate with { Value = new Octets(text.Addresses.Of(to).ToBytes()) };
            case LookupExpression lookup:
                return lookup with { Set = Of(lookup.Set) };
            case DynamicSetExpression change:
                return change with { Set = Of(change.Set), Statements = Of(change.Statements) };
            default:
                return expression;
        }

        void Hold(Register register, IpFamily? family, int? bits)
        {
            held.Remove(register.Slot);
            if (family is { } known)
            {
                held[register.Slot] = (known, bits ?? (known == IpFamily.V4 ? 32 : 128));
            }
        }
    }

    private SetReference Of(SetReference set) => set switch
    {
        NamedSet named => new NamedSet(text.Of(named.Name)),
        AnonymousSet inline => new AnonymousSet(inline.Schema, [.. inline.Elements.AsSpan().ToArray().Select(element => Of(inline.Schema, element))]),
        _ => set,
    };

    private Verdict? Of(Verdict? verdict) => verdict is { Chain: { } chain } ? verdict with { Chain = text.Of(chain) } : verdict;

    private Octets Masked(Octets value, IpFamily family, int bits)
    {
        var whole = new byte[family == IpFamily.V4 ? 4 : 16];
        value.Span[..Math.Min(value.Length, whole.Length)].CopyTo(whole);
        _ = IpAddress.TryRead(whole, out var address);
        return new Octets(text.Addresses.Of(new IpPrefix(address, Math.Min(bits, address.BitLength))).Address.ToBytes().AsSpan(0, value.Length));
    }

    private static IpAddress? Read(Octets value, IpFamily family) => value.Length == (family == IpFamily.V4 ? 4 : 16) && IpAddress.TryRead(value.Span, out var address) ? address : null;

    private static IpFamily? FamilyAt(int offset, int length) => (offset, length) switch
    {
        (SourceV4, <= 4) or (DestinationV4, <= 4) => IpFamily.V4,
        (SourceV6, <= 16) or (DestinationV6, <= 16) => IpFamily.V6,
        _ => null,
    };

    private static IpFamily? FamilyTranslatedBy(Register register, ValueList<Expression> all)
    {
        foreach (var expression in all)
        {
            if (expression is NatExpression nat && (nat.Address == register || nat.AddressLast == register))
            {
                return nat.Family == TableFamily.Ip6 ? IpFamily.V6 : IpFamily.V4;
            }
            if (expression is TransparentProxyExpression proxy && proxy.Address == register)
            {
                return proxy.Family == (uint)TableFamily.Ip6 ? IpFamily.V6 : IpFamily.V4;
            }
        }
        return null;
    }
}
