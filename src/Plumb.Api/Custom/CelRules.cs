using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Plumb.Api.Cel;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Custom;

/// <summary>`x-kubernetes-validations`: the rules of a schema, compiled with their definition and held by its objects.</summary>
internal static class CelRules
{
    public const string Member = "x-kubernetes-validations";

    /// <summary>For all rules of one object together.</summary>
    private const int MostSteps = 1_000_000;

    private const string OldSelf = "oldSelf";
    private const string Optional = "optionalOldSelf";

    private static readonly ConditionalWeakTable<JsonObject, Rule> Compiled = [];

    /// <summary>What rules of a schema must be; what is not understood is refused by its name.</summary>
    /// <param name="at">Of the schema.</param>
    public static void ValidateDefinition(JsonObject schema, string at, bool isRoot, FieldErrors errors)
    {
        var index = 0;
        foreach (var rule in Fields.Objects(schema, Member))
        {
            var here = $"{at}.{Member}[{index++}]";
            var text = Fields.Text(rule, "rule");
            if (text.Trim().Length == 0)
                errors.Required(here + ".rule", "rule is not specified");
            else if (Fault(text, rule, schema, isRoot) is { } fault)
                errors.Invalid(here + ".rule", Shown(rule), fault);
            if (Fields.Text(rule, "messageExpression") is { Length: > 0 } message && Fault(message, rule, schema, isRoot) is { } broken)
                errors.Invalid(here + ".messageExpression", Shown(rule), "messageExpression " + broken);
            if (Fields.Flag(rule, Optional) && !Mentions(text, OldSelf))
                errors.Invalid(here + ".optionalOldSelf", "true", "may not be set if oldSelf is not used in rule");
            if (Fields.Text(rule, "reason") is { Length: > 0 } reason && reason is not ("FieldValueRequired" or "FieldValueForbidden" or "FieldValueInvalid" or "FieldValueDuplicate"))
                errors.NotSupported(here + ".reason", reason, "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired");
        }
    }

    /// <summary>Rules about the object as it is, and about what may become of it (`oldSelf`). What was wrong before and has not changed is let through (KEP-4008).</summary>
    /// <param name="old">Null: the object is new.</param>
    public static void Validate(JsonObject root, JsonObject? old, JsonObject schema, FieldErrors errors) => new Walk(errors).Value(root, old, schema, "");

    /// <summary>What an item of a list was before: items are the same ones only in lists that have keys.</summary>
    public static JsonNode? Same(JsonNode? item, JsonArray? before, JsonObject schema)
    {
        if (before is null || item is not JsonObject members || Fields.Text(schema, "x-kubernetes-list-type") != "map")
            return null;
        var keys = MetadataValidation.Texts(schema, "x-kubernetes-list-map-keys");
        return before.FirstOrDefault(other => other is JsonObject known && keys.TrueForAll(key => JsonNode.DeepEquals(known[key], members[key])));
    }

    private static bool Mentions(string text, string name)
    {
        try
        {
            return CelLexer.Read(text).Exists(token => token.Kind == CelTokenKind.Name && token.Text == name);
        }
        catch (CelSyntaxException)
        {
            return true;
        }
    }

    private static string? Fault(string text, JsonObject rule, JsonObject schema, bool isRoot)
    {
        try
        {
            CelFieldCheck.Check(CelParser.Parse(text, "self", OldSelf), schema, isRoot, Fields.Flag(rule, Optional));
            return null;
        }
        catch (CelSyntaxException broken)
        {
            var before = text[..broken.At];
            var start = before.LastIndexOf('\n') + 1;
            var line = text[start..].Split('\n')[0];
            var column = broken.At - start;
            return $"compilation failed: ERROR: <input>:{before.Count(static letter => letter == '\n') + 1}:{column + 1}: {broken.Message}\n | {line}\n | {new string('.', column)}^";
        }
    }

    private static JsonObject Shown(JsonObject rule) => new()
    {
        ["Rule"] = Fields.Text(rule, "rule"),
        ["Message"] = Fields.Text(rule, "message"),
        ["MessageExpression"] = Fields.Text(rule, "messageExpression"),
        ["Reason"] = rule["reason"]?.DeepClone(),
        ["FieldPath"] = Fields.Text(rule, "fieldPath"),
        ["OptionalOldSelf"] = rule["optionalOldSelf"]?.DeepClone(),
    };

    private static Rule Compile(JsonObject rule) => Compiled.GetValue(rule, static rule =>
    {
        var text = Fields.Text(rule, "rule");
        var message = Fields.Text(rule, "messageExpression");
        return new Rule(
            CelParser.Parse(text, "self", OldSelf), message.Length > 0 ? CelParser.Parse(message, "self", OldSelf) : null,
            Mentions(text, OldSelf), Fields.Flag(rule, Optional), Fields.Text(rule, "message").Trim(), text.Trim());
    });

    private sealed record Rule(CelNode Condition, CelNode? MessageExpression, bool UsesOldSelf, bool IsOptional, string Message, string Text);

    private sealed record Walk(FieldErrors Errors)
    {
        private int _steps = MostSteps;

        public void Value(JsonNode? value, JsonNode? old, JsonObject schema, string path)
        {
            if (value is null)
                return;
            foreach (var rule in Fields.Objects(schema, Member))
                Hold(rule, Compile(rule), value, old, schema, path);
            if (value is JsonObject members)
            {
                foreach (var (name, member) in members)
                {
                    if (Fields.Find(Fields.Find(schema, "properties"), name) is { } property)
                        Value(member, (old as JsonObject)?[name], property, path.Length == 0 ? name : $"{path}.{name}");
                    else if (Fields.Find(schema, "additionalProperties") is { } others)
                        Value(member, (old as JsonObject)?[name], others, $"{path}[{name}]");
                }
            }
            else if (value is JsonArray list && Fields.Find(schema, "items") is { } items)
            {
                for (var i = 0; i < list.Count; i++)
                    Value(list[i], Same(list[i], old as JsonArray, schema), items, $"{path}[{i}]");
            }
        }

        private void Hold(JsonObject rule, Rule compiled, JsonNode value, JsonNode? old, JsonObject schema, string path)
        {
            if (compiled.UsesOldSelf && old is null && !compiled.IsOptional)
                return;
            var before = CelEvaluation.From(old);
            var names = new Dictionary<string, object?>
            {
                ["self"] = CelEvaluation.From(value),
                [OldSelf] = !compiled.IsOptional ? before : old is null ? CelOptional.None : new CelOptional(true, before),
            };
            var type = FieldErrors.Quote(Fields.Text(schema, "type"));
            var field = path.Length == 0 ? "<nil>" : path;
            var evaluation = new CelEvaluation(names, Math.Max(0, _steps));
            try
            {
                if (evaluation.Truth(compiled.Condition) || (!compiled.UsesOldSelf && old is not null && JsonNode.DeepEquals(value, old)))
                    return;
                var at = Fields.Text(rule, "fieldPath") is { Length: > 0 } below ? (path.Length == 0 ? below.TrimStart('.') : path + below) : field;
                var message = Message(compiled, evaluation);
                switch (Fields.Text(rule, "reason"))
                {
                    case "FieldValueForbidden":
                        Errors.Forbidden(at, message);
                        break;
                    case "FieldValueRequired":
                        Errors.Required(at, message);
                        break;
                    case "FieldValueDuplicate":
                        Errors.Duplicate(at, type);
                        break;
                    default:
                        Errors.Invalid(at, type, message);
                        break;
                }
            }
            catch (CelException fault) when (fault.Message.StartsWith("operation cancelled", StringComparison.Ordinal))
            {
                Errors.Invalid(field, type, $"'{fault.Message}': no further validation rules will be run due to call cost exceeds limit for rule: {compiled.Text}");
            }
            catch (CelException fault) when (fault.Message == "no such overload")
            {
                Errors.Invalid(field, type, $"'{fault.Message}': call arguments did not match a supported operator, function or macro signature for rule: {compiled.Text}");
            }
            catch (CelException fault)
            {
                Errors.Invalid(field, type, $"{fault.Message} evaluating rule: {compiled.Text}");
            }
            finally
            {
                _steps = evaluation.Left;
            }
        }

        private static string Message(Rule rule, CelEvaluation evaluation)
        {
            var plain = rule.Message.Length > 0 ? rule.Message : $"failed rule: {rule.Text}";
            if (rule.MessageExpression is not { } expression)
                return plain;
            try
            {
                return evaluation.Value(expression) is string said && said.Trim().Length > 0 && !said.Contains('\n', StringComparison.Ordinal) ? said : plain;
            }
            catch (CelException)
            {
                return plain;
            }
        }
    }
}
