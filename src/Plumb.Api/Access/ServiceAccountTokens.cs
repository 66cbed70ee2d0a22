using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Api.Http;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Access;

/// <summary>Tokens of service accounts: JSON web tokens (RFC 7519), signed with a key that only this server has (ES256) and that others can check by <see cref="Keys"/>.</summary>
internal sealed class ServiceAccountTokens(ObjectStore store, TimeProvider time) : IDisposable
{
    public const string Audience = "https://kubernetes.default.svc.cluster.local";

    private readonly Lazy<(ECDsa Key, ECParameters Public, string Id)> _key = new(MakeKey);

    /// <summary>Keys that check and are not in use: each serves one request at a time, and there are as many as there were requests at once.</summary>
    private readonly ConcurrentBag<ECDsa> _checkers = [];

    /// <summary>`/openid/v1/jwks` (RFC 7517).</summary>
    public JsonObject Keys()
    {
        var (_, parameters, id) = _key.Value;
        return new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["use"] = "sig", ["kty"] = "EC", ["kid"] = id, ["crv"] = "P-256", ["alg"] = "ES256", ["x"] = Encode(parameters.Q.X!), ["y"] = Encode(parameters.Q.Y!),
            }),
        };
    }

    /// <summary>`/.well-known/openid-configuration` (OpenID Connect Discovery 1.0): who issues the tokens, and where its keys are.</summary>
    public static JsonObject Issuer(string host) => new()
    {
        ["issuer"] = Audience,
        ["jwks_uri"] = $"https://{host}/openid/v1/jwks",
        ["response_types_supported"] = new JsonArray("id_token"),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray("ES256"),
    };

    public void Dispose()
    {
        if (_key.IsValueCreated)
            _key.Value.Key.Dispose();
        while (_checkers.TryTake(out var checker))
            checker.Dispose();
    }

    /// <param name="bound">The token ends with this object, too: a pod, a node or a secret.</param>
    public string Issue(StoredObject account, JsonArray audiences, DateTimeOffset until, StoredObject? bound = null)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var own = new JsonObject { ["namespace"] = account.Namespace };
        if (bound is not null)
            own[KindOf(bound.Key.Resource)] = Reference(bound);
        // Where the pod runs is told beside it.
        if (bound?.NodeName is { Length: > 0 } on && store.Find(new StoreKey(GroupResource.Nodes, "", on)) is { } node)
            own[KindOf(GroupResource.Nodes)] = Reference(node);
        own["serviceaccount"] = new JsonObject { ["name"] = account.Name, ["uid"] = account.Uid };
        var claims = new JsonObject
        {
            ["aud"] = audiences.DeepClone(),
            ["exp"] = until.ToUnixTimeSeconds(),
            ["iat"] = now,
            ["iss"] = Audience,
            ["jti"] = Guid.NewGuid().ToString(),
            ["kubernetes.io"] = own,
            ["nbf"] = now,
            ["sub"] = $"system:serviceaccount:{account.Namespace}:{account.Name}",
        };
        var (key, _, id) = _key.Value;
        var signed = $"{Segment(new JsonObject { ["alg"] = "ES256", ["kid"] = id })}.{Segment(claims)}";
        lock (key)
            return $"{signed}.{Encode(key.SignData(Encoding.UTF8.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    /// <param name="audiences">One of them must be the token's; empty: the server's own.</param>
    /// <returns>Null: it is no token of ours, or too old, or its account is gone, or what it is bound to.</returns>
    public (UserInfo User, List<string> Audiences)? Verify(string token, IReadOnlyList<string> audiences)
    {
        var parts = token.Split('.');
        if (parts.Length != 3 || Decode(parts[2]) is not { } signature || Decode(parts[1]) is not { } payload
            || !IsOurs(Encoding.UTF8.GetBytes($"{parts[0]}.{parts[1]}"), signature))
        {
            return null;
        }

        var claims = JsonNode.Parse(payload) as JsonObject;
        var bound = Fields.Find(claims, "kubernetes.io");
        var account = Fields.Find(bound, "serviceaccount");
        if (Fields.Number(claims, "exp") is not { } until || until <= time.GetUtcNow().ToUnixTimeSeconds())
            return null;
        var accepted = MetadataValidation.Texts(claims, "aud").Where(audience => audiences.Count == 0 ? audience == Audience : audiences.Contains(audience)).ToList();
        var found = store.Find(new StoreKey(GroupResource.ServiceAccounts, Fields.Text(bound, "namespace"), Fields.Text(account, "name")));
        return accepted.Count > 0 && found is { IsDeleting: false } && found.Uid == Fields.Text(account, "uid") && IsThere(bound)
            ? (UserInfo.ServiceAccount(found.Namespace, found.Name, found.Uid) with { Extra = ExtraOf(claims, bound) }, accepted)
            : null;
    }

    private static JsonObject Reference(StoredObject to) => new() { ["name"] = to.Name, ["uid"] = to.Uid };

    /// <summary>What else is known of a token's holder: which token it was (KEP-4193), in which pod, and on which node.</summary>
    private static Dictionary<string, string[]> ExtraOf(JsonObject? claims, JsonObject? bound)
    {
        const string prefix = "authentication.kubernetes.io/";
        var extra = new Dictionary<string, string[]>();
        if (Fields.Text(claims, "jti") is { Length: > 0 } identity)
            extra[prefix + "credential-id"] = ["JTI=" + identity];
        foreach (var resource in (ReadOnlySpan<GroupResource>)[GroupResource.Nodes, GroupResource.Pods])
        {
            var kind = KindOf(resource);
            if (Fields.Find(bound, kind) is not { } to)
                continue;
            extra[$"{prefix}{kind}-name"] = [Fields.Text(to, "name")];
            extra[$"{prefix}{kind}-uid"] = [Fields.Text(to, "uid")];
        }

        return extra;
    }

    /// <summary>What a token may be bound to, as its claims name it.</summary>
    public static GroupResource? ResourceOf(string kind) => kind switch
    {
        "Pod" => GroupResource.Pods,
        "Node" => GroupResource.Nodes,
        "Secret" => GroupResource.Secrets,
        _ => null,
    };

    private static string KindOf(GroupResource resource) => resource.Resource[..^1];

    /// <summary>Whether what a token is bound to, if anything, is still the same object.</summary>
    private bool IsThere(JsonObject? claims)
    {
        foreach (var resource in (ReadOnlySpan<GroupResource>)[GroupResource.Pods, GroupResource.Nodes, GroupResource.Secrets])
        {
            if (Fields.Find(claims, KindOf(resource)) is not { } bound)
                continue;
            // Of a pod's node only is told.
            if (resource == GroupResource.Nodes && claims!.ContainsKey(KindOf(GroupResource.Pods)))
                continue;
            var home = resource == GroupResource.Nodes ? "" : Fields.Text(claims, "namespace");
            if (store.Find(new StoreKey(resource, home, Fields.Text(bound, "name")))?.Uid != Fields.Text(bound, "uid"))
                return false;
        }

        return true;
    }

    private bool IsOurs(byte[] signed, byte[] signature)
    {
        var checker = _checkers.TryTake(out var idle) ? idle : ECDsa.Create(_key.Value.Public);
        var isOurs = checker.VerifyData(signed, signature, HashAlgorithmName.SHA256);
        _checkers.Add(checker);
        return isOurs;
    }

    private static (ECDsa Key, ECParameters Public, string Id) MakeKey()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (key, key.ExportParameters(includePrivateParameters: false), Encode(SHA256.HashData(key.ExportSubjectPublicKeyInfo())));
    }

    private static string Segment(JsonObject part) => Encode(Answer.Bytes(part));

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static byte[]? Decode(string text)
    {
        var base64 = text.Replace('-', '+').Replace('_', '/');
        var buffer = new byte[base64.Length];
        return Convert.TryFromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='), buffer, out var length) ? buffer[..length] : null;
    }
}
