using System.Text.RegularExpressions;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Cel;

/// <summary>A format of the library `format` (Kubernetes 1.31): what a text must look like.</summary>
internal sealed record CelFormat(string Name)
{
    public static readonly string[] Names =
    [
        "dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix", "dns1123SubdomainPrefix", "dns1035LabelPrefix", "labelValue",
        "uri", "uuid", "byte", "date", "datetime",
    ];

    /// <returns>None, or what is wrong.</returns>
    public CelOptional Validate(string text)
    {
        List<object?> faults = [.. Faults(text)];
        return faults.Count == 0 ? CelOptional.None : new CelOptional(true, faults);
    }

    private IEnumerable<string> Faults(string text) => Name switch
    {
        "dns1123Label" => NameSyntax.Check(NameRule.Label, text),
        "dns1123LabelPrefix" => NameSyntax.Check(NameRule.Label, text, isPrefix: true),
        "dns1123Subdomain" => NameSyntax.Check(NameRule.Subdomain, text),
        "dns1123SubdomainPrefix" => NameSyntax.Check(NameRule.Subdomain, text, isPrefix: true),
        "dns1035Label" => NameSyntax.Check(NameRule.Rfc1035Label, text),
        "dns1035LabelPrefix" => NameSyntax.Check(NameRule.Rfc1035Label, text, isPrefix: true),
        "qualifiedName" => NameSyntax.QualifiedName(text) is { } fault ? [fault] : [],
        "labelValue" => NameSyntax.LabelValue(text) is { } fault ? [fault] : [],
        "uri" => Uri.TryCreate(text, UriKind.Absolute, out _) ? [] : ["invalid URI"],
        "uuid" => Regex.IsMatch(text, "^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$", RegexOptions.NonBacktracking) ? [] : ["does not match the UUID format"],
        "byte" => Convert.TryFromBase64String(text, new byte[text.Length], out _) ? [] : ["invalid base64"],
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", out _) ? [] : ["invalid date"],
        _ => DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out _) && text.Contains('T', StringComparison.OrdinalIgnoreCase) ? [] : ["invalid datetime"],
    };
}
