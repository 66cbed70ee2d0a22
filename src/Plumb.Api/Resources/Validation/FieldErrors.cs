using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Validation;

/// <summary>What is wrong with an object, field by field, in the real server's words.</summary>
internal sealed class FieldErrors
{
    private readonly List<(string Reason, string Message, string Field)> _errors = [];

    public int Count => _errors.Count;

    public void Required(string field, string detail = "") =>
        _errors.Add(("FieldValueRequired", detail.Length == 0 ? "Required value" : $"Required value: {detail}", field));

    public void Invalid(string field, JsonNode? value, string detail) => Invalid(field, Show(value), detail);

    /// <param name="shown">The value as the message shows it: text in quotes, others as JSON.</param>
    public void Invalid(string field, string shown, string detail) =>
        _errors.Add(("FieldValueInvalid", $"Invalid value: {shown}{(detail.Length > 0 ? ": " + detail : "")}", field));

    /// <summary>A value of another type than its schema's.</summary>
    public void WrongType(string field, string shown, string detail) => _errors.Add(("FieldValueTypeInvalid", $"Invalid value: {shown}: {detail}", field));

    /// <summary>Takes what was found wrong with a part, as faults of one field.</summary>
    public void Take(FieldErrors found, string field)
    {
        foreach (var (reason, message, inner) in found._errors)
            _errors.Add((reason, message, field + inner));
    }

    public void InvalidText(string field, string value, string detail) => Invalid(field, Quote(value), detail);

    public void Duplicate(string field, string shown) => _errors.Add(("FieldValueDuplicate", $"Duplicate value: {shown}", field));

    public void NotFound(string field, string shown) => _errors.Add(("FieldValueNotFound", $"Not found: {shown}", field));

    public void Forbidden(string field, string detail) => _errors.Add(("FieldValueForbidden", $"Forbidden: {detail}", field));

    public void TooLong(string field, int most) =>
        _errors.Add(("FieldValueTooLong", $"Too long: may not be more than {most} bytes", field));

    public void TooMany(string field, int count, int most) =>
        _errors.Add(("FieldValueTooMany", $"Too many: {count}: must have at most {most} items", field));

    /// <param name="supported">In the order in which the message lists them.</param>
    public void NotSupported(string field, string value, params IEnumerable<string> supported) =>
        NotSupportedShown(field, Quote(value), supported);

    public void NotSupportedShown(string field, string shown, params IEnumerable<string> supported) =>
        _errors.Add(("FieldValueNotSupported", $"Unsupported value: {shown}: supported values: {string.Join(", ", supported.Select(Quote))}", field));

    /// <exception cref="ApiException">422 with all of them.</exception>
    public void ThrowIfAny(ResourceDefinition definition, string name)
    {
        if (_errors.Count > 0)
            throw ToException(definition.Resource.Group, definition.Kind, name);
    }

    internal ApiException ToException(string group, string kind, string name)
    {
        var causes = new JsonArray();
        var texts = new List<string>(_errors.Count);
        foreach (var (reason, message, field) in _errors)
        {
            causes.Add(new JsonObject { ["reason"] = reason, ["message"] = message, ["field"] = field });
            var text = $"{field}: {message}";
            if (!texts.Contains(text))
                texts.Add(text);
        }

        var details = new JsonObject();
        if (name.Length > 0)
            details["name"] = name;
        if (group.Length > 0)
            details["group"] = group;
        details["kind"] = kind;
        details["causes"] = causes;
        var qualified = group.Length == 0 ? kind : $"{kind}.{group}";
        var all = texts.Count == 1 ? texts[0] : $"[{string.Join(", ", texts)}]";
        return new ApiException(422, "Invalid", $"{qualified} \"{name}\" is invalid: {all}", details);
    }

    public static string Quote(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    public static string Show(JsonNode? value) => value is null ? "null" : value.ToJsonString();
}
