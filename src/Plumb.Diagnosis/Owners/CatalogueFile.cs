using System.Globalization;
using System.Text.Json;

namespace Plumb.Diagnosis.Owners;

/// <summary>Reads <c>owners.jsonc</c>. What it does not know it refuses by name: a misspelt word there would silently explain nothing.</summary>
internal static class CatalogueFile
{
    private const string OwnerField = "owner";

    private static readonly Dictionary<string, Sign> Fields = new(StringComparer.Ordinal)
    {
        ["chains"] = Sign.Chain,
        ["tables"] = Sign.Table,
        ["comments"] = Sign.Comment,
        ["sets"] = Sign.Set,
        ["devices"] = Sign.Device,
        ["routes"] = Sign.Route,
        ["protocols"] = Sign.Protocol,
        ["routeTables"] = Sign.RouteTable,
        ["priorities"] = Sign.Priority,
        ["marks"] = Sign.Mark,
        ["vxlanIds"] = Sign.VxlanId,
    };

    /// <exception cref="FormatException">It is no catalogue; the message says what and whose.</exception>
    public static List<Claim> Read(ReadOnlyMemory<byte> json)
    {
        var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip };
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, options);
        }
        catch (JsonException bad)
        {
            throw new FormatException($"the catalogue of owners is no JSON: {bad.Message}", bad);
        }
        using (document)
        {
            var claims = new List<Claim>();
            foreach (var owner in Items(document.RootElement, JsonValueKind.Array, "the catalogue").EnumerateArray())
            {
                Read(Items(owner, JsonValueKind.Object, "an owner"), claims);
            }
            return claims;
        }
    }

    private static void Read(JsonElement owner, List<Claim> claims)
    {
        if (!owner.TryGetProperty(OwnerField, out var named) || named.ValueKind != JsonValueKind.String || named.GetString() is not { Length: > 0 } name)
        {
            throw new FormatException($"someone in the catalogue of owners has no name: \"{OwnerField}\": \"…\" is missing");
        }
        foreach (var field in owner.EnumerateObject())
        {
            if (field.Name == OwnerField)
            {
                continue;
            }
            if (!Fields.TryGetValue(field.Name, out var sign))
            {
                throw new FormatException($"{name} in the catalogue of owners: '{field.Name}' is none of {string.Join(", ", Fields.Keys)}");
            }
            foreach (var claim in Items(field.Value, JsonValueKind.Object, $"'{field.Name}' of {name}").EnumerateObject())
            {
                if (claim.Value.ValueKind != JsonValueKind.String || claim.Value.GetString() is not { Length: > 0 } meaning)
                {
                    throw new FormatException($"{name} in the catalogue of owners: '{claim.Name}' has no meaning");
                }
                Check(name, sign, claim.Name);
                claims.Add(new Claim(name, sign, claim.Name, meaning));
            }
        }
    }

    private static void Check(string owner, Sign sign, string pattern)
    {
        var isGood = sign switch
        {
            Sign.Mark => MarkBits.TryParse(pattern, out _),
            Sign.Protocol => byte.TryParse(pattern, NumberStyles.None, CultureInfo.InvariantCulture, out _),
            Sign.RouteTable or Sign.Priority or Sign.VxlanId => uint.TryParse(pattern, NumberStyles.None, CultureInfo.InvariantCulture, out _),
            _ => pattern.Length > 0,
        };
        if (!isGood)
        {
            throw new FormatException($"{owner} in the catalogue of owners: '{pattern}' is no {sign}");
        }
    }

    private static JsonElement Items(JsonElement element, JsonValueKind kind, string what) =>
        element.ValueKind == kind ? element : throw new FormatException($"in the catalogue of owners {what} is no {kind}");
}
