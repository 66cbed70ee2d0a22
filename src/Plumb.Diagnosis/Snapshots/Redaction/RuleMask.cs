using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Xtables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Snapshots.Redaction;

/// <summary>
/// Entries of nf_tables, whose addresses are bytes: which bytes are some is known by what a rule has loaded before it compares, and by the types of a set's fields.
/// </summary>
internal sealed class RuleMask(TextMask text)
{
    // In the place of an expression's attributes that Plumb has no names for: one that nobody has (its length, its type), so that it stays unknown.
    private static readonly byte[] NothingKnown = [4, 0, 0xff, 0x3f];

    public Entry Of(Entry entry) => entry switch
    {
        ChainEntry chain => chain with { Name = text.Of(chain.Name), Rules = [.. chain.Rules.AsSpan().ToArray().Select(rule => Of(rule, chain.Table.Family))] },
        SetEntry set => new SetEntry(set.Namespace, Of(set.Schema)),
        ElementEntry element => new ElementEntry(element.Namespace, Of(element.Set), Of(element.Set, element.Element, element.Set.Table.Family)),
        ObjectEntry named => named with { Name = text.Of(named.Name), Does = named.Does is UnknownExpression unknown ? unknown with { Data = new Octets(NothingKnown) } : named.Does },
        _ => entry,
    };

    private SetSchema Of(SetSchema schema) => schema with { Name = text.Of(schema.Name) };

    private SetElement Of(SetSchema schema, SetElement element, TableFamily family)
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
            ObjectName = element.ObjectName is { } name ? text.Of(name) : null,
            Statements = Of(element.Statements, family),
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
            else if (field.Type == DataType.EthernetAddress && at + field.Bytes <= first.Length && MacAddress.TryRead(first.AsSpan(at, field.Bytes), out var mac))
            {
                text.Addresses.Of(mac).WriteBytes(first.AsSpan(at));
                if (at + field.Bytes <= last.Length && MacAddress.TryRead(last.AsSpan(at, field.Bytes), out var lastMac))
                {
                    text.Addresses.Of(lastMac).WriteBytes(last.AsSpan(at));
                }
            }
            at += fields.Count == 1 ? field.Bytes : field.PaddedBytes;
        }
    }

    private Rule Of(Rule rule, TableFamily family) =>
        rule with { Comment = rule.Comment is { } comment ? text.Of(comment) : null, Expressions = Of(rule.Expressions, family) };

    private ValueList<Expression> Of(ValueList<Expression> expressions, TableFamily family)
    {
        if (expressions.Count == 0)
        {
            return expressions;
        }
        var loaded = new LoadedAddresses(family);
        var masked = new List<Expression>(expressions.Count);
        for (var at = 0; at < expressions.Count; at++)
        {
            masked.Add(Of(expressions[at], loaded, at, expressions, family));
            loaded.Run(expressions[at]);
        }
        return [.. masked];
    }

    private Expression Of(Expression expression, LoadedAddresses loaded, int at, ValueList<Expression> all, TableFamily family) => expression switch
    {
        CompareExpression compare => compare with { Value = Masked(compare.Value, loaded.At(compare.Source, compare.Value.Length)) },
        RangeExpression range => Masked(range, loaded.At(range.Source, range.From.Length)),
        ImmediateExpression { Verdict: { } verdict } immediate => immediate with { Verdict = Of(verdict) },
        ImmediateExpression immediate when LoadedAddresses.IsSentTo(immediate.Destination, all, at + 1, family) => immediate with { Value = Masked(immediate.Value, [new(0, immediate.Value.Length, immediate.Value.Length * 8)]) },
        LookupExpression lookup => lookup with { Set = Of(lookup.Set, family) },
        DynamicSetExpression change => change with { Set = Of(change.Set, family), Statements = Of(change.Statements, family) },
        ObjectReferenceExpression { Map: { } map } reference => new ObjectReferenceExpression(Of(map, family), reference.Key),
        ObjectReferenceExpression { ObjectName: { } name } reference => new ObjectReferenceExpression(reference.Kind, text.Of(name)),
        LogExpression { Prefix: not null } log => log with { Prefix = "log " },
        // Structures of each match and target of iptables: nothing here reads them, and addresses and comments stand in them.
        XtMatchExpression match => match with { Info = new Octets(new byte[match.Info.Length]) },
        XtTargetExpression target => target with { Info = new Octets(new byte[target.Info.Length]) },
        UnknownExpression unknown => unknown with { Data = new Octets(NothingKnown) },
        _ => expression,
    };

    private SetReference Of(SetReference set, TableFamily family) => set switch
    {
        NamedSet named => new NamedSet(text.Of(named.Name)),
        AnonymousSet inline => new AnonymousSet(inline.Schema, [.. inline.Elements.AsSpan().ToArray().Select(element => Of(inline.Schema, element, family))]),
        _ => set,
    };

    private Verdict? Of(Verdict? verdict) => verdict is { Chain: { } chain } ? verdict with { Chain = text.Of(chain) } : verdict;

    private Octets Masked(Octets value, IEnumerable<LoadedAddress> addresses)
    {
        var bytes = value.Span.ToArray();
        foreach (var (at, size, bits) in addresses)
        {
            // The first bytes of an address are a network's.
            var there = Math.Min(size, bytes.Length - at);
            var whole = new byte[size];
            bytes.AsSpan(at, there).CopyTo(whole);
            if (MacAddress.TryRead(whole, out var mac))
            {
                text.Addresses.Of(mac).WriteBytes(whole);
            }
            else if (IpAddress.TryRead(whole, out var address))
            {
                text.Addresses.Of(new IpPrefix(address, Math.Min(bits, there * 8))).Address.WriteBytes(whole);
            }
            whole.AsSpan(0, there).CopyTo(bytes.AsSpan(at));
        }
        return new Octets(bytes);
    }

    private RangeExpression Masked(RangeExpression range, IEnumerable<LoadedAddress> addresses)
    {
        var (from, to) = (range.From.Span.ToArray(), range.To.Span.ToArray());
        foreach (var (at, size, _) in addresses)
        {
            if (at + size <= Math.Min(from.Length, to.Length) && IpAddress.TryRead(from.AsSpan(at, size), out var low) && IpAddress.TryRead(to.AsSpan(at, size), out var high))
            {
                text.Addresses.FirstOf(low, high).WriteBytes(from.AsSpan(at));
                text.Addresses.LastOf(low, high).WriteBytes(to.AsSpan(at));
            }
        }
        return range with { From = new Octets(from), To = new Octets(to) };
    }
}
