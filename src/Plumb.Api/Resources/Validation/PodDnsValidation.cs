using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Validation;

/// <summary>A pod's <c>dnsPolicy</c> and <c>dnsConfig</c>, and what resolvers can bear of the latter (core/v1 PodDNSConfig; KEP-2595).</summary>
internal static class PodDnsValidation
{
    private const int MostServers = 3;
    private const int MostSearches = 32;
    private const int MostSearchCharacters = 2048;

    public static void Check(JsonObject spec, string at, FieldErrors errors)
    {
        var config = Fields.Find(spec, "dnsConfig");
        var here = at + ".dnsConfig";
        if (Fields.Text(spec, "dnsPolicy") == "None")
        {
            if (config is null)
                errors.Required(here, "must provide `dnsConfig` when `dnsPolicy` is None");
            else if (Fields.Array(config, "nameservers") is not { Count: > 0 })
                errors.Required(here + ".nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None");
        }
        if (config is null)
            return;
        Servers(config, here + ".nameservers", errors);
        Searches(config, here + ".searches", errors);
        var index = 0;
        foreach (var option in Fields.Objects(config, "options"))
        {
            if (Fields.Text(option, "name").Length == 0)
                errors.Required($"{here}.options[{index}]", "must not be empty");
            index++;
        }
    }

    private static void Servers(JsonObject config, string at, FieldErrors errors)
    {
        var servers = Fields.Array(config, "nameservers") ?? [];
        if (servers.Count > MostServers)
            errors.Invalid(at, servers, $"must not have more than {MostServers} nameservers");
        for (var i = 0; i < servers.Count; i++)
        {
            var text = TextOf(servers[i]);
            if (!NameSyntax.IsAddress(text))
                errors.InvalidText($"{at}[{i}]", text, NameSyntax.AddressText);
        }
    }

    private static void Searches(JsonObject config, string at, FieldErrors errors)
    {
        var searches = Fields.Array(config, "searches") ?? [];
        if (searches.Count > MostSearches)
            errors.Invalid(at, searches, $"must not have more than {MostSearches} search paths");
        // The spaces between them count, too.
        if (searches.Sum(static one => TextOf(one).Length + 1) - 1 > MostSearchCharacters)
            errors.Invalid(at, searches, $"must not have more than {MostSearchCharacters} characters (including spaces) in the search list");
        for (var i = 0; i < searches.Count; i++)
        {
            var text = TextOf(searches[i]);
            if (text == ".")
                continue;
            // Underscores are allowed where SRV records are looked for.
            foreach (var fault in NameSyntax.Subdomain(text.TrimEnd('.').Replace('_', 'x')))
                errors.InvalidText($"{at}[{i}]", text, fault);
        }
    }

    private static string TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";
}
