using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>
/// Numbers that the kernel makes up (nft_numgen, nft_hash): the machine is copied for each that makes a difference. <c>numgen inc</c> goes round, and which is
/// next is not told: for one packet that is as good as chance.
/// </summary>
internal static class Choices
{
    /// <summary>More numbers than this are taken together where the rest of the rule cannot tell them apart.</summary>
    private const uint MostNumbers = 1024;

    public static List<Machine>? Generate(NumberGeneratorExpression numgen, Machine machine, ReadOnlySpan<Expression> rest) =>
        Spread(machine, numgen.Destination, numgen.Modulus, numgen.Offset, rest);

    public static List<Machine>? Hash(HashExpression hash, Machine machine, ReadOnlySpan<Expression> rest)
    {
        if (hash is { Of: { } of, Seed: { } seed })
        {
            if (machine.Knows(of.Source, (int)of.LengthBytes, "what it hashes is not known here"))
            {
                var number = JenkinsHash.Of(machine.Registers.Values(of.Source, (int)of.LengthBytes), seed);
                machine.Registers.Set(hash.Destination, hash.Offset + JenkinsHash.Scale(number, hash.Modulus));
            }
            return null;
        }
        return Spread(machine, hash.Destination, hash.Modulus, hash.Offset, rest);
    }

    private static List<Machine>? Spread(Machine machine, Register register, uint modulus, uint offset, ReadOnlySpan<Expression> rest)
    {
        if (modulus <= 1)
        {
            machine.Registers.Set(register, offset);
            return null;
        }
        var all = new List<Machine>();
        if (modulus <= MostNumbers)
        {
            for (uint i = 0; i < modulus; i++)
            {
                all.Add(With(machine, register, offset + i, 1.0 / modulus));
            }
            return all;
        }
        if (Bounds(machine.Chain.Table, register, rest) is not { } bounds)
        {
            machine.CannotDecide($"one of {modulus} numbers is taken at random");
            return null;
        }
        uint from = 0;
        foreach (var bound in bounds)
        {
            // Each bound is the first number of a stretch within which no comparison tells two apart.
            var to = bound <= offset ? 0 : Math.Min(bound - offset, modulus);
            if (to > from)
            {
                all.Add(With(machine, register, offset + from, (double)(to - from) / modulus));
                from = to;
            }
        }
        all.Add(With(machine, register, offset + from, (double)(modulus - from) / modulus));
        return all;
    }

    private static Machine With(Machine machine, Register register, uint number, double chance)
    {
        var copy = machine.Copy(chance);
        copy.Registers.Set(register, number);
        return copy;
    }

    // Null: something other than comparisons and look-ups is done with the number.
    private static SortedSet<uint>? Bounds(Table table, Register register, ReadOnlySpan<Expression> rest)
    {
        var bounds = new SortedSet<uint>();
        var order = Linux.Nftables.ByteOrder.Host;
        foreach (var expression in rest)
        {
            switch (expression)
            {
                case ByteOrderExpression { SizeBytes: sizeof(uint), LengthBytes: sizeof(uint) } turned when turned.Source == register && turned.Destination == register:
                    order = turned.ToNetwork ? Linux.Nftables.ByteOrder.Big : Linux.Nftables.ByteOrder.Host;
                    break;
                // Order of numbers in the machine's own order is not memcmp's.
                case CompareExpression compare when compare.Source == register && compare.Value.Length == sizeof(uint)
                    && (order == Linux.Nftables.ByteOrder.Big || compare.Operator is Comparison.Equal or Comparison.NotEqual):
                    Add(compare.Value, compare.Value);
                    break;
                case RangeExpression range when range.Source == register && range.From.Length == sizeof(uint) && order == Linux.Nftables.ByteOrder.Big:
                    Add(range.From, range.To);
                    break;
                case LookupExpression lookup when lookup.Source == register && table.Elements(lookup.Set) is { Schema: { IsConcatenation: false, KeyBytes: sizeof(uint) } } elements
                    && (order == Linux.Nftables.ByteOrder.Big || !elements.Schema.IsInterval):
                    foreach (var (first, last) in elements.Bounds())
                    {
                        Add(first, last);
                    }
                    break;
                case CompareExpression or RangeExpression or ByteOrderExpression or LookupExpression or BitwiseExpression or HashExpression or DynamicSetExpression:
                    return null;
                default:
                    break;
            }
        }
        return bounds;

        void Add(Octets first, Octets last)
        {
            bounds.Add((uint)first.ToNumber(order));
            bounds.Add(unchecked((uint)last.ToNumber(order) + 1));
        }
    }
}
