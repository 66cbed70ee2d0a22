using System.Text.Json.Nodes;

namespace Plumb.Api.Access;

/// <summary>Who asks.</summary>
internal sealed record UserInfo(string Name, string Uid, IReadOnlyList<string> Groups)
{
    public const string Masters = "system:masters";
    public const string Authenticated = "system:authenticated";
    public const string Unauthenticated = "system:unauthenticated";

    /// <summary>The holder of the lab's own token, and everybody inside its process.</summary>
    public static readonly UserInfo Admin = new("kubernetes-admin", "", [Masters, Authenticated]);

    /// <summary>The server, where it acts on its own.</summary>
    public static readonly UserInfo Server = new("system:apiserver", "", [Masters]);

    /// <summary>What else is known of them, by names of the authenticator's.</summary>
    public IReadOnlyDictionary<string, string[]> Extra { get; init; } = new Dictionary<string, string[]>();

    /// <summary>Whom no rule stops.</summary>
    public bool IsMaster => Groups.Contains(Masters);

    /// <summary>As reviews and admission show it (authentication.k8s.io/v1 UserInfo); what is empty is left out.</summary>
    public JsonObject ToJson()
    {
        var shown = new JsonObject { ["username"] = Name };
        if (Uid.Length > 0)
            shown["uid"] = Uid;
        shown["groups"] = new JsonArray([.. Groups.Select(static group => (JsonNode)group)]);
        if (Extra.Count > 0)
            shown["extra"] = new JsonObject(Extra.Select(static one => KeyValuePair.Create(one.Key, (JsonNode?)new JsonArray([.. one.Value.Select(static text => (JsonNode)text)]))));
        return shown;
    }

    public static UserInfo ServiceAccount(string @namespace, string name, string uid) =>
        new($"system:serviceaccount:{@namespace}:{name}", uid, ["system:serviceaccounts", "system:serviceaccounts:" + @namespace, Authenticated]);
}
