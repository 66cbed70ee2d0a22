using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Validation;

/// <summary>LabelSelectors inside objects.</summary>
internal static class SelectorValidation
{
    public static void Validate(JsonObject? selector, string field, FieldErrors errors)
    {
        MetadataValidation.Labels(Fields.Find(selector, "matchLabels"), field + ".matchLabels", errors);
        var index = 0;
        foreach (var expression in Fields.Objects(selector, "matchExpressions"))
        {
            var at = $"{field}.matchExpressions[{index++}]";
            var values = Fields.Array(expression, "values")?.Count ?? 0;
            var op = Fields.Text(expression, "operator");
            if (op is "In" or "NotIn")
            {
                if (values == 0)
                    errors.Required(at + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
            }
            else if (op is "Exists" or "DoesNotExist")
            {
                if (values > 0)
                    errors.Forbidden(at + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
            }
            else
            {
                errors.InvalidText(at + ".operator", op, "not a valid selector operator");
            }

            var key = Fields.Text(expression, "key");
            if (NameSyntax.QualifiedName(key) is { } fault)
                errors.InvalidText(at + ".key", key, fault);
        }
    }

    public static bool IsEmpty(JsonObject? selector) =>
        (Fields.Find(selector, "matchLabels")?.Count ?? 0) == 0 && (Fields.Array(selector, "matchExpressions")?.Count ?? 0) == 0;

    /// <summary>Whether a selector that is valid selects these labels.</summary>
    public static bool Selects(JsonObject? selector, JsonObject? labels)
    {
        foreach (var (key, value) in Fields.Find(selector, "matchLabels") ?? [])
        {
            if (labels is null || !JsonNode.DeepEquals(labels[key], value))
                return false;
        }

        foreach (var expression in Fields.Objects(selector, "matchExpressions"))
        {
            var key = Fields.Text(expression, "key");
            var has = labels?.ContainsKey(key) == true;
            var listed = has && MetadataValidation.Texts(expression, "values").Contains(Fields.Text(labels, key));
            var holds = Fields.Text(expression, "operator") switch
            {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => has,
                "DoesNotExist" => !has,
                _ => true,
            };
            if (!holds)
                return false;
        }

        return true;
    }
}
