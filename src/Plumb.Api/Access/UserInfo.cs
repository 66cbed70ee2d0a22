namespace Plumb.Api.Access;

/// <summary>Who asks.</summary>
internal sealed record UserInfo(string Name, string Uid, IReadOnlyList<string> Groups)
{
    public const string Masters = "system:masters";
    public const string Authenticated = "system:authenticated";
    public const string Unauthenticated = "system:unauthenticated";

    /// <summary>The holder of the lab's own token, and everybody inside its process.</summary>
    public static readonly UserInfo Admin = new("kubernetes-admin", "", [Masters, Authenticated]);

    /// <summary>Whom no rule stops.</summary>
    public bool IsMaster => Groups.Contains(Masters);

    public static UserInfo ServiceAccount(string @namespace, string name, string uid) =>
        new($"system:serviceaccount:{@namespace}:{name}", uid, ["system:serviceaccounts", "system:serviceaccounts:" + @namespace, Authenticated]);
}
