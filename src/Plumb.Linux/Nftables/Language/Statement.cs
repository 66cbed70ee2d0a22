using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Language;

/// <summary>One step of a rule in words: a test, a change, a verdict. <see cref="Statements"/> and the selectors make them.</summary>
public abstract record Statement
{
    internal abstract void Compile(RuleCompiler compiler);
}

/// <summary>A statement that is one expression as it stands.</summary>
internal sealed record PlainStatement(Expression Expression) : Statement
{
    internal override void Compile(RuleCompiler compiler) => compiler.Add(Expression);
}

/// <summary>A statement that needs to know the table or takes several steps.</summary>
internal sealed record StepsStatement(Action<RuleCompiler> Steps) : Statement
{
    internal override void Compile(RuleCompiler compiler) => Steps(compiler);
}

internal sealed record ValueMatch(Selector Selector, Comparison Operator, Value Value) : Statement
{
    internal override void Compile(RuleCompiler compiler)
    {
        Selector.Require(compiler);
        var register = RuleCompiler.First;
        var field = SetField.Of(Selector);
        if (Value.NamePrefixBytes is { } nameBytes)
        {
            Selector.Load(compiler, register);
            Compare(compiler, register, new Octets(Octets.From(Value.First(field), 16, ByteOrder.Big).Span[..nameBytes]));
        }
        else if (Value.PrefixLength is { } length)
        {
            Prefix(compiler, register, field, length);
        }
        else if (Value.IsRange)
        {
            Range(compiler, register, field);
        }
        else if (Selector is HeaderField { IsWholeBytes: false } part)
        {
            part.LoadUnshifted(compiler, register);
            Compare(compiler, register, Octets.From(Value.First(field) << part.ShiftBits, part.LoadBytes, ByteOrder.Big));
        }
        else
        {
            Selector.Load(compiler, register);
            var order = Selector.Type.IsText ? ByteOrder.Big : Selector.Order;
            if (Operator > Comparison.NotEqual && order == ByteOrder.Host)
            {
                compiler.ToNetworkOrder(register, Selector.Bytes);
                order = ByteOrder.Big;
            }
            Compare(compiler, register, Octets.From(Value.First(field), Selector.Bytes, order));
        }
        if (Operator == Comparison.Equal && !Value.IsRange)
        {
            compiler.Learn(Selector, Value);
        }
    }

    private void Compare(RuleCompiler compiler, Register register, Octets value) =>
        compiler.Add(new CompareExpression(register, Operator, value));

    // A prefix of whole bytes loads only those; any other is masked.
    private void Prefix(RuleCompiler compiler, Register register, SetField field, int length)
    {
        var first = Octets.From(Value.First(field), field.Bytes, ByteOrder.Big);
        if (length % 8 == 0 && length > 0 && Selector is HeaderField header)
        {
            compiler.Add(new Expressions.Loads.PayloadExpression(header.Base, (uint)header.OffsetBits / 8, (uint)length / 8, register));
            Compare(compiler, register, new Octets(first.Span[..(length / 8)]));
            return;
        }
        Selector.Load(compiler, register);
        var mask = Octets.From(~(Value.Last(field) ^ Value.First(field)), field.Bytes, ByteOrder.Big);
        compiler.Add(BitwiseExpression.MaskXor(register, mask, Octets.From(0, field.Bytes, ByteOrder.Big)));
        Compare(compiler, register, first);
    }

    private void Range(RuleCompiler compiler, Register register, SetField field)
    {
        Selector.Load(compiler, register);
        if (Selector.Order == ByteOrder.Host)
        {
            compiler.ToNetworkOrder(register, Selector.Bytes);
        }
        var first = Octets.From(Value.First(field), field.Bytes, ByteOrder.Big);
        var last = Octets.From(Value.Last(field), field.Bytes, ByteOrder.Big);
        if (Operator == Comparison.NotEqual)
        {
            compiler.Add(new RangeExpression(register, Inverted: true, first, last));
        }
        else
        {
            compiler.Add(new CompareExpression(register, Comparison.GreaterOrEqual, first));
            compiler.Add(new CompareExpression(register, Comparison.LessOrEqual, last));
        }
    }
}

internal sealed record BitsMatch(Selector Selector, Value Bits) : Statement
{
    internal override void Compile(RuleCompiler compiler)
    {
        Selector.Require(compiler);
        var register = RuleCompiler.First;
        Selector.Load(compiler, register);
        var zero = Octets.From(0, Selector.Bytes, Selector.Order);
        compiler.Add(BitwiseExpression.MaskXor(register, Octets.From(Bits.First(SetField.Of(Selector)), Selector.Bytes, Selector.Order), zero));
        compiler.Add(new CompareExpression(register, Comparison.NotEqual, zero));
    }
}

internal sealed record SetMatch(Selector Selector, SetEntry Set, bool Inverted) : Statement
{
    internal override void Compile(RuleCompiler compiler)
    {
        Selector.Require(compiler);
        compiler.LoadKey(Selector, RuleCompiler.First, Set.Schema);
        compiler.Add(new LookupExpression(new NamedSet(Set.Schema.Name), RuleCompiler.First, Inverted: Inverted));
    }
}

internal sealed record InlineMatch(Selector Selector, ValueList<Value> Values, bool Inverted) : Statement
{
    internal override void Compile(RuleCompiler compiler)
    {
        Selector.Require(compiler);
        var interval = false;
        foreach (var value in Values)
        {
            interval |= value.IsRange;
        }
        var schema = Inline.Schema(Selector, interval);
        var elements = new SetElement[Values.Count];
        for (var i = 0; i < elements.Length; i++)
        {
            elements[i] = SetElement.Of(schema, [Values[i]], default);
        }
        compiler.LoadKey(Selector, RuleCompiler.First, schema);
        compiler.Add(new LookupExpression(new AnonymousSet(schema, [.. elements]), RuleCompiler.First, Inverted: Inverted));
    }
}

internal sealed record VerdictMapStatement(Selector Selector, SetEntry Map) : Statement
{
    internal override void Compile(RuleCompiler compiler)
    {
        Selector.Require(compiler);
        compiler.LoadKey(Selector, RuleCompiler.First, Map.Schema);
        compiler.Add(new LookupExpression(new NamedSet(Map.Schema.Name), RuleCompiler.First, Register.Verdict));
    }
}

internal sealed record InlineVerdictMap(Selector Selector, ValueList<(Value Key, Verdict Verdict)> Map) : Statement
{
    internal override void Compile(RuleCompiler compiler)
    {
        Selector.Require(compiler);
        var interval = false;
        foreach (var (key, _) in Map)
        {
            interval |= key.IsRange;
        }
        var schema = Inline.Schema(Selector, interval) with { Data = new MapData.Verdicts() };
        var elements = new SetElement[Map.Count];
        for (var i = 0; i < elements.Length; i++)
        {
            elements[i] = SetElement.Of(schema, [Map[i].Key], default) with { Verdict = Map[i].Verdict };
        }
        compiler.LoadKey(Selector, RuleCompiler.First, schema);
        compiler.Add(new LookupExpression(new AnonymousSet(schema, [.. elements]), RuleCompiler.First, Register.Verdict));
    }
}

internal static class Inline
{
    public static SetSchema Schema(Selector selector, bool interval) =>
        new(default, "", [new SetField(selector.Type, selector.Bits)])
        {
            Flags = SetFlags.Constant | (interval ? SetFlags.Interval : SetFlags.None),
        };
}

internal sealed record SetValueStatement(Selector Target, Value Value, Func<Register, Expression> Assign) : Statement
{
    internal override void Compile(RuleCompiler compiler)
    {
        var bytes = Octets.From(Value.First(SetField.Of(Target)), Target.Bytes, Target.Order);
        compiler.Add(new ImmediateExpression(RuleCompiler.First, bytes));
        compiler.Add(Assign(RuleCompiler.First));
    }
}

internal sealed record SetSelectorStatement(Selector Target, Selector Value, Func<Register, Expression> Assign) : Statement
{
    internal override void Compile(RuleCompiler compiler)
    {
        Value.Require(compiler);
        Value.Load(compiler, RuleCompiler.First);
        if (Target.Order == ByteOrder.Host && Value.Order == ByteOrder.Big && Value.Bytes > 1)
        {
            compiler.FromNetworkOrder(RuleCompiler.First, Value.Bytes);
        }
        compiler.Add(Assign(RuleCompiler.First));
    }
}
