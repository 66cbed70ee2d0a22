using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.Api.Cel;

/// <summary>A rule could not be evaluated: `no such key: a`.</summary>
internal class CelException(string message) : Exception(message);

/// <summary>A member or an item that is not there.</summary>
internal sealed class CelMissingException(string message) : CelException(message);

/// <summary>
/// Evaluates a rule over JSON. Values are null, bool, long, ulong, double, string, TimeSpan, DateTimeOffset, <see cref="JsonObject"/>, lists of values, and those of <see cref="CelValues"/>. Types are found out as it
/// goes: what the compiler of a real server would refuse fails here when it is met.
/// </summary>
internal sealed class CelEvaluation(IReadOnlyDictionary<string, object?> names, int steps)
{
    private readonly Dictionary<string, CelNode> _variables = [];
    private readonly Dictionary<string, (object? Value, string? Fault)> _known = [];
    private Dictionary<string, object?> _names = new(names);
    private int _left = steps;

    /// <summary>How many steps are left for other rules.</summary>
    public int Left => _left;

    /// <summary>This is a member of <see cref="CelVariables"/> from now on: evaluated once, when somebody asks for it.</summary>
    public void Define(string name, CelNode value) => _variables[name] = value;

    /// <exception cref="CelException"/>
    public object? Value(CelNode node)
    {
        Spend(1);
        try
        {
            return Evaluated(node);
        }
        catch (Exception broken) when (broken is ArgumentException or ArithmeticException or FormatException or InvalidOperationException)
        {
            // What a rule makes of its values is never the server's own fault.
            throw new CelException(broken.Message);
        }
    }

    private object? Evaluated(CelNode node)
    {
        switch (node)
        {
            case CelLiteral literal:
                return literal.Value;
            case CelName name:
                return _names[name.Name];
            case CelMember member:
                return Maybe(Value(member.Of), member.IsOptional, of => Member(of, member.Name));
            case CelHas has:
                return Has(Value(has.Member.Of), has.Member.Name);
            case CelIndex index:
                return Maybe(Value(index.Of), index.IsOptional, of => At(of, Value(index.Key)));
            case CelMap map:
                return Made(map);
            case CelList list:
                return list.Items.SelectMany(Items).ToList();
            case CelChoice choice:
                return Value(Truth(choice.If) ? choice.Then : choice.Else);
            case CelPrefix { Sign: "!" } not:
                return !Truth(not.Of);
            case CelPrefix minus:
                return Value(minus.Of) switch { long.MinValue => throw new CelException("integer overflow"), long number => (object)-number, double real => -real, _ => throw Overload() };
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
        // An object that is looked into by its key, or compared with something else, is not walked.
        if (left is not JsonObject || right is JsonObject)
            SpendOn(left);
        if (right is not JsonObject || left is JsonObject)
            SpendOn(right);
        return CelOperators.Apply(sign, left, right);
    }

    private object? Member(object? of, string name) =>
        of is CelVariables ? Variable(name) : Members(of).TryGetPropertyValue(name, out var found) ? Found(found) : throw new CelMissingException($"no such key: {name}");

    private object? Found(JsonNode? node)
    {
        if (node is not JsonObject)
            SpendOn(node);
        return From(node);
    }

    /// <remarks>It sees what the expression sees that defines it, and not the names of the macro around whoever asks.</remarks>
    private object? Variable(string name)
    {
        if (!_known.TryGetValue(name, out var known))
        {
            if (!_variables.TryGetValue(name, out var node))
                throw new CelMissingException($"no such key: {name}");
            // Each may ask for the one before it.
            if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
                throw new CelException("variables are nested too deeply");
            // What asks for itself meets this.
            _known[name] = (null, "it asks for itself");
            var around = _names;
            _names = new(names);
            try
            {
                known = (Value(node), null);
            }
            catch (CelException fault) when (_left >= 0)
            {
                known = (null, fault.Message);
            }
            finally
            {
                _names = around;
            }

            _known[name] = known;
        }

        return known.Fault is null ? known.Value : throw new CelException($"composited variable \"{name}\" fails to evaluate: {known.Fault}");
    }

    /// <summary>None, where it is an optional value that is not there.</summary>
    private IEnumerable<object?> Items(CelNode node)
    {
        if (node is not CelOptionalItem maybe)
            return [Value(node)];
        return Value(maybe.Of) is not CelOptional optional ? throw Overload() : optional.HasValue ? [optional.Value] : [];
    }

    private JsonObject Made(CelMap map)
    {
        var made = new JsonObject();
        foreach (var (name, value) in map.Entries)
        {
            var key = CelValues.Key(Value(name));
            foreach (var item in Items(value))
            {
                if (!made.TryAdd(key, Copied(item)))
                    throw new CelException($"failed with repeated key: {key}");
            }
        }

        return made;
    }

    private JsonNode? Copied(object? value)
    {
        Spend(CelValues.Size(value));
        return CelValues.ToJson(value);
    }

    /// <summary>What is copied, compared or looked through costs by its size.</summary>
    private void SpendOn(object? value)
    {
        switch (value)
        {
            case string text:
                Spend(text.Length / 10);
                break;
            case CelBytes bytes:
                Spend(bytes.Count / 10);
                break;
            case List<object?> list:
                Spend(list.Count);
                list.ForEach(SpendOn);
                break;
            case JsonObject members:
                Spend(CelValues.Size(members));
                break;
            case JsonArray list:
                Spend(list.Count);
                foreach (var item in list)
                {
                    // Its objects are not copied.
                    if (item is not JsonObject)
                        SpendOn(item);
                }

                break;
        }
    }

    /// <summary>What is asked of an optional value, or optionally, is none where it is missing, and else an optional value itself.</summary>
    private static object? Maybe(object? of, bool isOptional, Func<object?, object?> get)
    {
        if (of is CelOptional { HasValue: false } none)
            return none;
        if (!isOptional && of is not CelOptional)
            return get(of);
        try
        {
            return new CelOptional(true, get(of is CelOptional { Value: var inner } ? inner : of));
        }
        catch (CelMissingException)
        {
            return CelOptional.None;
        }
    }

    private bool Has(object? of, string name) => of switch
    {
        CelVariables => _variables.ContainsKey(name),
        CelOptional { HasValue: false } => false,
        CelOptional some => Members(some.Value).ContainsKey(name),
        _ => Members(of).ContainsKey(name),
    };

    private static JsonObject Members(object? value) => value as JsonObject ?? throw Overload();

    private object? At(object? of, object? key) => (of, key) switch
    {
        (List<object?> list, long index) => index >= 0 && index < list.Count ? list[(int)index] : throw new CelMissingException($"index out of bounds: {index}"),
        (JsonObject or CelVariables, string name) => Member(of, name),
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
        var of = Value(macro.Of);
        if (macro.Kind is "optMap" or "optFlatMap")
            return OfOptional(macro, of);
        List<(object? Key, object? Item)> items = of switch
        {
            List<object?> list when macro.Second is null => [.. list.Select(static item => (item, item))],
            List<object?> list => [.. list.Select(static (item, index) => ((object?)(long)index, item))],
            JsonObject members => [.. members.Select(member => ((object?)member.Key, macro.Second is null ? null : From(member.Value)))],
            _ => throw Overload(),
        };
        return With(macro, () => Macro(macro, items));
    }

    private object? OfOptional(CelMacro macro, object? of)
    {
        if (of is not CelOptional optional)
            throw Overload();
        if (!optional.HasValue)
            return optional;
        return With(macro, () =>
        {
            _names[macro.Name] = optional.Value;
            var made = Value(macro.Body);
            return macro.Kind == "optMap" ? new CelOptional(true, made) : made as CelOptional ?? throw Overload();
        });
    }

    /// <summary>Afterwards a macro's names mean again what they meant before.</summary>
    private object? With(CelMacro macro, Func<object?> evaluate)
    {
        List<(string Name, bool WasThere, object? Before)> names = [];
        foreach (var name in (ReadOnlySpan<string?>)[macro.Name, macro.Second])
        {
            if (name is not null)
                names.Add((name, _names.TryGetValue(name, out var before), before));
        }

        try
        {
            return evaluate();
        }
        finally
        {
            foreach (var (name, wasThere, before) in names)
            {
                if (wasThere)
                    _names[name] = before;
                else
                    _names.Remove(name);
            }
        }
    }

    private object? Macro(CelMacro macro, List<(object? Key, object? Item)> items)
    {
        var kept = new List<object?>();
        var made = new JsonObject();
        var count = 0;
        CelException? failed = null;
        foreach (var (key, item) in items)
        {
            Spend(1);
            _names[macro.Name] = key;
            if (macro.Second is { } second)
                _names[second] = item;
            try
            {
                if (macro.Kind is "map" or "transformList" or "transformMap" or "transformMapEntry")
                {
                    if (macro.Filter is not null && !Truth(macro.Filter))
                        continue;
                    if (macro.Kind == "transformMap")
                        made[CelValues.Key(key)] = Copied(Value(macro.Body));
                    else if (macro.Kind == "transformMapEntry")
                        Insert(Members(Value(macro.Body)), made);
                    else
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
                    kept.Add(key);
                }
            }
            catch (CelException fault) when (macro.Kind is "all" or "exists" && _left >= 0)
            {
                failed ??= fault;
            }
        }

        if (failed is not null)
            throw failed;
        return macro.Kind switch { "all" => true, "exists" => false, "exists_one" or "existsOne" => count == 1, "transformMap" or "transformMapEntry" => made, _ => kept };
    }

    private void Insert(JsonObject entries, JsonObject into)
    {
        foreach (var (key, value) in entries)
        {
            Spend(CelValues.Size(value));
            if (!into.TryAdd(key, value?.DeepClone()))
                throw new CelException($"insert failed: key {key} already exists");
        }
    }
}
