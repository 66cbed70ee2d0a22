using System.Globalization;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Expressions;

/// <summary>The set or map that an expression looks in.</summary>
public abstract record SetReference;

/// <summary>A set of the same table, by its name.</summary>
public sealed record NamedSet(string Name) : SetReference
{
    public override string ToString() => "@" + Name;
}

/// <summary>
/// A set without a name, written inside its rule: <c>{ tcp, udp, sctp }</c>. The kernel keeps it as a constant set called
/// <c>__set7</c>; here it belongs to its rule, elements in one order, so that two equal rules are equal.
/// </summary>
public sealed record AnonymousSet : SetReference
{
    public AnonymousSet(SetSchema schema, ValueList<SetElement> elements)
    {
        Schema = schema with
        {
            Table = default,
            Name = "",
            Key = WithoutTypeof(schema.Key),
            Data = schema.Data is MapData.Fields { Items: var items } ? new MapData.Fields(WithoutTypeof(items)) : schema.Data,
        };
        Elements = SetElement.Sorted(elements, schema);
    }

    public SetSchema Schema { get; }

    public ValueList<SetElement> Elements { get; }

    /// <summary>The name by which the kernel tells of it.</summary>
    internal string NameInKernel(uint number) => KernelName.Replace("%d", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <summary>The kernel puts a number where %d stands.</summary>
    internal string KernelName => Schema.Data is null ? "__set%d" : "__map%d";

    // What is looked up in it says where its values come from.
    private static ValueList<SetField> WithoutTypeof(ValueList<SetField> fields)
    {
        var plain = new SetField[fields.Count];
        for (var i = 0; i < plain.Length; i++)
        {
            plain[i] = fields[i] with { Typeof = null };
        }
        return [.. plain];
    }
}
