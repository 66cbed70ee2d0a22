using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>What rules find in sets and put there (nft_lookup_eval, nft_dynset_eval, nft_objref_map_eval).</summary>
internal static class SetOperations
{
    public static void Lookup(LookupExpression lookup, Machine machine)
    {
        if (!TryFind(machine, lookup.Set, lookup.Source, out var found))
        {
            return;
        }
        if (found is null == !lookup.Inverted)
        {
            machine.Verdict = Machine.Break;
            return;
        }
        if (found is not { } element)
        {
            return;
        }
        machine.Found(element.Observed);
        if (lookup.Destination is { IsVerdict: true })
        {
            machine.Verdict = element.Element.Verdict ?? Verdict.Continue;
        }
        else if (lookup.Destination is { } register)
        {
            machine.Registers.Set(register, element.Element.Data.Span);
        }
        // A verdict of the element comes before what its statements would say.
        if (machine.IsGoingOn)
        {
            Statements.RunAll(element.Element.Statements, machine);
        }
    }

    public static void Object(ObjectReferenceExpression reference, Machine machine)
    {
        var name = reference.ObjectName;
        if (reference.Map is { } map)
        {
            if (!TryFind(machine, map, reference.Key, out var found))
            {
                return;
            }
            if (found is not { Element.ObjectName: { } mapped } element)
            {
                machine.Verdict = Machine.Break;
                return;
            }
            machine.Found(element.Observed);
            name = mapped;
        }
        if (machine.Chain.Table.Object(name!) is { } does)
        {
            Statements.Run(does, machine);
        }
        else
        {
            machine.CannotDecide($"there is no object {name}");
        }
    }

    public static void Change(DynamicSetExpression change, Machine machine)
    {
        if (change.Set is not NamedSet { Name: var name } || machine.Chain.Table.Set(name) is not { } set)
        {
            machine.CannotDecide($"there is no set {change.Set}");
            return;
        }
        if (!TryFind(machine, change.Set, change.Key, out var found))
        {
            return;
        }
        var key = new Octets(machine.Registers.Values(change.Key, set.Schema.KeyBytes));
        if (change.Operation == DynamicSetOperation.Delete)
        {
            if (found is not null)
            {
                machine.Changes = machine.Changes.With(set.Schema.Table, name, key, null);
                machine.Did($"takes an element out of {name}");
            }
            return;
        }
        if (found is { } present)
        {
            machine.Found(present.Observed);
            Statements.RunAll(present.Element.Statements, machine);
        }
        else if (set.Size is { } size && CountOf(machine, name) >= size)
        {
            // Full: nothing is put in. (What packets have taken out counts on until the kernel tidies up; how much that is nobody tells.)
            if (!change.Inverted)
            {
                machine.Verdict = Machine.Break;
            }
            return;
        }
        else
        {
            var data = change.Data is { } register && set.Schema.Data is MapData.Fields fields
                ? new Octets(machine.Registers.Values(register, SetSchema.Bytes(fields.Items)))
                : default;
            var element = new SetElement(key) { Data = data, Statements = change.Statements, TimeoutMilliseconds = change.TimeoutMilliseconds };
            machine.Changes = machine.Changes.With(set.Schema.Table, name, key, element);
            machine.Did($"puts an element into {name}");
            Statements.RunAll(change.Statements, machine);
        }
        if (change.Inverted && machine.IsGoingOn)
        {
            machine.Verdict = Machine.Break;
        }
    }

    /// <returns>Whether it is known if there is one.</returns>
    private static bool TryFind(Machine machine, SetReference reference, Linux.Nftables.Expressions.Register source, out FoundElement? found)
    {
        found = null;
        if (machine.Chain.Table.Elements(reference) is not { } elements)
        {
            machine.CannotDecide($"there is no set {reference}");
            return false;
        }
        var length = elements.Schema.KeyBytes;
        var key = machine.Registers.Values(source, length);
        if (!machine.Registers.IsKnown(source, length))
        {
            // Of ICMP, "port" reads the checksum; where all elements are of TCP it does not matter.
            if (machine.Changes.IsEmpty && !elements.MayHold(key, machine.Registers.Unknown(source, length)))
            {
                return true;
            }
            if (!machine.Knows(source, length, "what it looks up is not known here"))
            {
                return false;
            }
        }
        if (!machine.Changes.IsEmpty && reference is NamedSet { Name: var name } && machine.Changes.TryFind(elements.Schema.Table, name, new Octets(key), out var changed))
        {
            found = changed is null ? null : new FoundElement(changed, null);
            return true;
        }
        found = elements.Find(key);
        return true;
    }

    private static int CountOf(Machine machine, string set) =>
        machine.Chain.Table.Elements(new NamedSet(set)) is { } elements
            ? elements.Count + machine.Changes.More(elements.Schema.Table, set, key => elements.Find(key.Span) is not null)
            : 0;
}
