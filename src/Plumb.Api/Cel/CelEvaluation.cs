using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Api.Cel;

/// <summary>A rule could not be evaluated: `no such key: a`.</summary>
internal sealed class CelException(string message) : Exception(message);

/// <summary>
/// Evaluates a rule over JSON. Values are null, bool, long, double, string, TimeSpan, <see cref="JsonObject"/> and lists of values. Types are found out as it
/// goes: what the compiler of a real server would refuse fails here when it is met.
/// </summary>
internal sealed class CelEvaluation(IReadOnlyDictionary<string, object?> names, int steps)
{
    private readonly Dictionary<string, object?> _names = new(names);
    private int _left = steps;

    /// <summary>How many steps are left for other rules.</summary>
    public int Left => _left;

    /// <exception cref="CelException"/>
    public object? Value(CelNode node)
    {
        Spend(1);
        switch (node)
        {
            case CelLiteral literal:
                return literal.Value;
            case CelName name:
                return _names[name.Name];
            case CelMember member:
                return Members(Value(member.Of)).TryGetPropertyValue(member.Name, out var found) ? Found(found) : throw new CelException($"no such key: {member.Name}");
            case CelHas has:
                return Members(Value(has.Member.Of)).ContainsKey(has.Member.Name);
            case CelIndex index:
                return At(Value(index.Of), Value(index.Key));
            case CelList list:
                return list.Items.Select(Value).ToList();
            case CelChoice choice:
                return Value(Truth(choice.If) ? choice.Then : choice.Else);
            case CelPrefix { Sign: "!" } not:
                return !Truth(not.Of);
            case CelPrefix minus:
                return Value(minus.Of) switch { long.MinValue => throw new CelException("integer overflow"), long number => -number, double real => -real, _ => throw Overload() };
            case CelOperator { Sign: "&&" or "||" } both:
                return Both(both);
            case CelOperator pair:
                return Applied(pair.Sign, Value(pair.Left), Value(pair.Right));
            case CelMacro macro:
                return Macro(macro);
            case CelCall call:
                return CelFunctions.Call(call.Name, [.. (call.Of is null ? call.Arguments : call.Arguments.Prepend(call.Of)).Select(Value)], Spend);
            default:
                throw Overload();
        }
    }

    /// <exception cref="CelException"/>
    public bool Truth(CelNode node) => Value(node) is bool truth ? truth : throw Overload();

    public static CelException Overload() => new("no such overload");

    /// <summary>A value of JSON as the language has it.</summary>
    public static object? From(JsonNode? node) => node switch
    {
        null => null,
        JsonObject members => members,
        JsonArray list => list.Select(From).ToList(),
        _ => node.GetValueKind() switch
        {
            JsonValueKind.String => node.GetValue<string>(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number when long.TryParse(node.ToJsonString(), CultureInfo.InvariantCulture, out var number) => number,
            JsonValueKind.Number => double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture),
            _ => null,
        },
    };

    private void Spend(int steps)
    {
        if ((_left -= steps) < 0)
            throw new CelException("operation cancelled: actual cost limit exceeded");
    }

    private object Applied(string sign, object? left, object? right)
    {
        SpendOn(left);
        SpendOn(right);
        return CelOperators.Apply(sign, left, right);
    }

    private object? Found(JsonNode? node)
    {
        SpendOn(node);
        return From(node);
    }

    /// <summary>What is copied, compared or looked through costs by its size.</summary>
    private void SpendOn(object? value)
    {
        switch (value)
        {
            case string text:
                Spend(text.Length / 10);
                break;
            case List<object?> list:
                Spend(list.Count);
                list.ForEach(SpendOn);
                break;
            case JsonArray list:
                Spend(list.Count);
                foreach (var item in list)
                    SpendOn(item);
                break;
        }
    }

    private static JsonObject Members(object? value) => value as JsonObject ?? throw Overload();

    private object? At(object? of, object? key) => (of, key) switch
    {
        (List<object?> list, long index) => index >= 0 && index < list.Count ? list[(int)index] : throw new CelException($"index out of bounds: {index}"),
        (JsonObject members, string name) => members.TryGetPropertyValue(name, out var found) ? Found(found) : throw new CelException($"no such key: {name}"),
        _ => throw Overload(),
    };

    /// <summary>One side can settle it, even when the other fails.</summary>
    private bool Both(CelOperator both)
    {
        var settles = both.Sign == "||";
        CelException? failed = null;
        foreach (var side in (ReadOnlySpan<CelNode>)[both.Left, both.Right])
        {
            try
            {
                if (Truth(side) == settles)
                    return settles;
            }
            catch (CelException fault) when (_left >= 0)
            {
                failed ??= fault;
            }
        }

        return failed is null ? !settles : throw failed;
    }

    private object? Macro(CelMacro macro)
    {
        var items = Value(macro.Of) switch
        {
            List<object?> list => list,
            JsonObject members => members.Select(static member => (object?)member.Key).ToList(),
            _ => throw Overload(),
        };
        var hadName = _names.TryGetValue(macro.Name, out var before);
        try
        {
            return Macro(macro, items);
        }
        finally
        {
            if (hadName)
                _names[macro.Name] = before;
            else
                _names.Remove(macro.Name);
        }
    }

    private object? Macro(CelMacro macro, List<object?> items)
    {
        var kept = new List<object?>();
        var count = 0;
        CelException? failed = null;
        foreach (var item in items)
        {
            Spend(1);
            _names[macro.Name] = item;
            try
            {
                if (macro.Kind == "map")
                {
                    if (macro.Filter is null || Truth(macro.Filter))
                        kept.Add(Value(macro.Body));
                    continue;
                }

                var holds = Truth(macro.Body);
                if (macro.Kind is "all" && !holds)
                    return false;
                if (macro.Kind is "exists" && holds)
                    return true;
                if (holds)
                {
                    count++;
                    kept.Add(item);
                }
            }
            catch (CelException fault) when (macro.Kind is "all" or "exists" && _left >= 0)
            {
                failed ??= fault;
            }
        }

        if (failed is not null)
            throw failed;
        return macro.Kind switch { "all" => true, "exists" => false, "exists_one" => count == 1, _ => kept };
    }
}
