using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Language;

/// <summary>
/// Something that a rule can look at: a header's field, a fact of the packet, its connection or route, a computed number, or
/// several of them together. The same values build rules, declare sets (<c>typeof</c>) and name what a foreign rule reads.
/// </summary>
public abstract record Selector
{
    public abstract DataType Type { get; }

    public abstract int Bits { get; }

    public virtual ByteOrder Order => Type.Order;

    /// <summary>In nft's words: <c>ip daddr</c>.</summary>
    public abstract string Text { get; }

    public int Bytes => (Bits + 7) / 8;

    internal virtual ValueList<SetField> Fields => [SetField.Of(this)];

    /// <summary>Writes what must hold for the selector to have a meaning (<c>meta l4proto tcp</c> for a TCP port).</summary>
    internal virtual void Require(RuleCompiler compiler)
    {
    }

    internal abstract void Load(RuleCompiler compiler, Register destination);

    public Statement Is(Value value) => new ValueMatch(this, Comparison.Equal, value);

    public Statement IsNot(Value value) => new ValueMatch(this, Comparison.NotEqual, value);

    public Statement IsLess(Value value) => new ValueMatch(this, Comparison.Less, value);

    public Statement IsGreater(Value value) => new ValueMatch(this, Comparison.Greater, value);

    /// <summary>At least one of these bits is set: <c>ct state established,related</c>.</summary>
    public Statement HasAny(Value bits) => new BitsMatch(this, bits);

    public Statement In(SetEntry set) => new SetMatch(this, set, Inverted: false);

    public Statement NotIn(SetEntry set) => new SetMatch(this, set, Inverted: true);

    /// <summary>Any of these: <c>{ tcp, udp, sctp }</c>.</summary>
    public Statement In(params ReadOnlySpan<Value> values) => new InlineMatch(this, [.. values], Inverted: false);

    public Statement NotIn(params ReadOnlySpan<Value> values) => new InlineMatch(this, [.. values], Inverted: true);

    /// <summary>What the map gives for it; the rule ends where the map has nothing.</summary>
    public Selector Map(SetEntry map) => new MappedSelector(this, map);

    /// <summary>The verdict that the map gives for it.</summary>
    public Statement VerdictMap(SetEntry map) => new VerdictMapStatement(this, map);

    /// <summary>The verdict that stands beside its value: <c>numgen random mod 2 vmap { 0 : goto a, 1 : goto b }</c>.</summary>
    public Statement VerdictMap(params ReadOnlySpan<(Value Key, Verdict Verdict)> map) => new InlineVerdictMap(this, [.. map]);

    public Selector And(uint mask) => new BitwiseSelector(this, mask, 0);

    public Selector Or(uint bits) => new BitwiseSelector(this, ~bits, bits);

    public Selector Xor(uint bits) => new BitwiseSelector(this, uint.MaxValue, bits);

    /// <summary>This and another, side by side, as one key: <c>ip daddr . th dport</c>.</summary>
    public Selector Then(Selector next) => new Concatenation([.. Parts, .. next.Parts]);

    public static Selector operator +(Selector left, Selector right) => left.Then(right);

    internal virtual ValueList<Selector> Parts => [this];

    public sealed override string ToString() => Text;
}

/// <summary>Several selectors as one key; each begins at a new 32-bit slot.</summary>
public sealed record Concatenation(ValueList<Selector> Components) : Selector
{
    public override DataType Type => Components[0].Type;

    public override int Bits
    {
        get
        {
            var bits = 0;
            foreach (var part in Components)
            {
                bits += (part.Bits + 31) & ~31;
            }
            return bits;
        }
    }

    public override ByteOrder Order => ByteOrder.None;

    public override string Text => string.Join(" . ", Components.Select(part => part.Text));

    internal override ValueList<Selector> Parts => Components;

    internal override ValueList<SetField> Fields => [.. Components.Select(SetField.Of)];

    internal override void Require(RuleCompiler compiler)
    {
        foreach (var part in Components)
        {
            part.Require(compiler);
        }
    }

    internal override void Load(RuleCompiler compiler, Register destination)
    {
        var at = destination;
        for (var i = 0; i < Components.Count; i++)
        {
            Components[i].Load(compiler, at);
            if (i + 1 < Components.Count)
            {
                at = at.After(Components[i].Bytes);
            }
        }
    }
}

/// <summary>(selector &amp; mask) ^ xor over 32 bits: what and, or and exclusive or with constants come to.</summary>
public sealed record BitwiseSelector(Selector Source, uint Mask, uint ExclusiveOr) : Selector
{
    public override DataType Type => Source.Type;

    public override int Bits => Source.Bits;

    public override ByteOrder Order => Source.Order;

    public override string Text => Nftables.Text.BitwiseText.Of(Source.Text, Mask, ExclusiveOr, Source.Type, Bits);

    internal override void Require(RuleCompiler compiler) => Source.Require(compiler);

    internal override void Load(RuleCompiler compiler, Register destination)
    {
        Source.Load(compiler, destination);
        compiler.Add(BitwiseExpression.MaskXor(destination, Octets.From(Mask, Bytes, Order), Octets.From(ExclusiveOr, Bytes, Order)));
    }
}

/// <summary>What a map gives for a selector.</summary>
public sealed record MappedSelector(Selector Key, SetEntry Table) : Selector
{
    internal ValueList<SetField> Data =>
        Table.Schema.Data is MapData.Fields fields ? fields.Items : throw new ArgumentException($"{Table.Schema.Name} is no map of values");

    public override DataType Type => Data[0].Type;

    public override int Bits => SetSchema.Bytes(Data) * 8;

    public override ByteOrder Order => Data.Count == 1 ? Data[0].Order : ByteOrder.None;

    public override string Text => $"{Key.Text} map @{Table.Schema.Name}";

    internal override void Require(RuleCompiler compiler) => Key.Require(compiler);

    internal override void Load(RuleCompiler compiler, Register destination)
    {
        compiler.LoadKey(Key, destination, Table.Schema);
        compiler.Add(new LookupExpression(new NamedSet(Table.Schema.Name), destination, destination));
    }
}
