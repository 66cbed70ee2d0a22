using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Access;
using Plumb.Api.Http.Requests;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Apply;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Schema;
using Plumb.Api.Storage;
using Plumb.Api.Streaming;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Http.Endpoints;

/// <summary>Subresources that are not a part of their object: pods' binding, eviction and conversations, service accounts' token, scale.</summary>
internal sealed class SubresourceEndpoints(Registry registry, ServiceAccountTokens tokens, PodStreams? streams, TimeProvider time)
{
    private const string TokenGroup = "authentication.k8s.io";

    private readonly ScaleEndpoint _scale = new(registry);
    private readonly EvictionEndpoint _eviction = new(registry);
    private readonly ProxyEndpoint _proxy = new(registry);

    public Task ServeAsync(HttpContext context, Target target)
    {
        var method = context.Request.Method;
        var isCreate = HttpMethods.IsPost(method);
        switch (target.Subresource)
        {
            case "scale":
                return _scale.ServeAsync(context, target);
            case "proxy":
                return _proxy.ServeAsync(context, target, Streams().Runtime);
            case "binding" when isCreate:
                return BindAsync(context, target);
            case "eviction" when isCreate:
                return _eviction.ServeAsync(context, target);
            case "token" when isCreate:
                return TokenAsync(context, target);
            case "log" when HttpMethods.IsGet(method):
                var logged = Pod(target, mustBeScheduled: false);
                return logged.Node.Length > 0 ? Streams().LogAsync(context, logged) : LogEndpoint.ServeNoneAsync(context, logged, time);
            case "exec" when isCreate || HttpMethods.IsGet(method):
                return Streams().ExecAsync(context, Pod(target, mustBeScheduled: true));
            case "attach" when isCreate || HttpMethods.IsGet(method):
                return Streams().AttachAsync(context, Pod(target, mustBeScheduled: true));
            case "portforward" when isCreate || HttpMethods.IsGet(method):
                return Streams().PortForwardAsync(context, Pod(target, mustBeScheduled: true));
            default:
                throw ResourceEndpoints.NotAllowed();
        }
    }

    private PodStreams Streams() => streams ?? throw new ApiException(503, "ServiceUnavailable", "the cluster has no nodes that could be asked");

    private PodIdentity Pod(Target target, bool mustBeScheduled)
    {
        var stored = registry.Store.Find(target.Key) ?? throw ApiException.NotFound(target.Definition.Resource, target.Name);
        if (mustBeScheduled && stored.NodeName.Length == 0)
            throw ApiException.BadRequest($"pod {stored.Name} does not have a host assigned");
        return Identity(stored);
    }

    internal static PodIdentity Identity(StoredObject stored)
    {
        var spec = Fields.Find(stored.ToNode(), "spec");
        var names = new List<string>();
        foreach (var container in Fields.Objects(spec, "containers"))
            names.Add(Fields.Text(container, "name"));
        var main = names.Count;
        foreach (var member in (ReadOnlySpan<string>)["initContainers", "ephemeralContainers"])
        {
            foreach (var container in Fields.Objects(spec, member))
                names.Add(Fields.Text(container, "name"));
        }

        return new PodIdentity(stored.Namespace, stored.Name, stored.Uid, stored.NodeName, names) { MainContainers = main };
    }

    private async Task BindAsync(HttpContext context, Target target)
    {
        var query = WriteQuery.Parse(context, "CreateOptions");
        var body = FieldCheck.Request(await RequestBody.ReadAsync(context), "Binding", "v1", query);
        var node = Fields.Text(Fields.Find(body, "target"), "name");
        if (node.Length == 0)
            throw new ApiException(500, "", "target.name: Required value");
        registry.Bind(target.Key, node, query.Options);
        Answer.Warn(context, query.Warnings);
        await Answer.JsonAsync(context, 201, new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["code"] = 201,
        });
    }

    private async Task TokenAsync(HttpContext context, Target target)
    {
        var query = WriteQuery.Parse(context, "CreateOptions");
        var body = FieldCheck.Request(await RequestBody.ReadAsync(context), "TokenRequest", "v1", query);
        var metadata = Fields.Object(body, "metadata");
        RequireSame(metadata, "name", target.Name, target);
        RequireSame(metadata, "namespace", target.Namespace, target);
        var account = registry.Store.Find(target.Key) ?? throw ApiException.NotFound(target.Definition.Resource, target.Name);
        if (Fields.Text(metadata, "uid") is { Length: > 0 } uid && uid != account.Uid)
        {
            throw ApiException.Conflict(target.Key with { Resource = new GroupResource(TokenGroup, "TokenRequest") },
                $"the UID in the token request ({uid}) does not match the UID of the service account ({account.Uid})");
        }

        var spec = Fields.Object(body, "spec");
        var seconds = Fields.Number(spec, "expirationSeconds") ?? 3600;
        var errors = new FieldErrors();
        if (seconds < 600)
            errors.Invalid("spec.expirationSeconds", seconds.ToString(), "may not specify a duration less than 10 minutes");
        if (seconds > 1L << 32)
            errors.Invalid("spec.expirationSeconds", seconds.ToString(), "may not specify a duration larger than 2^32 seconds");
        if (errors.Count > 0)
            throw errors.ToException(TokenGroup, "TokenRequest", "");
        var bound = Bound(Fields.Find(spec, "boundObjectRef"), account);
        spec["expirationSeconds"] = seconds;
        spec["boundObjectRef"] ??= null;
        if (Fields.Array(spec, "audiences") is not { Count: > 0 })
            spec["audiences"] = new JsonArray(ServiceAccountTokens.Audience);
        registry.Policies.Require(new PolicyRequest(target.Definition, "CREATE", "token", target.Namespace, target.Name, body, null, query.Options));
        var now = time.GetUtcNow();
        var owners = new ManagedFields();
        owners.Update(
            FieldChanges.Between(ManagedFields.Zero(body, isTyped: true), body, TypeTable.Named("TokenRequest").Shape), new Writer(query.FieldManager, Applies: false, TokenGroup + "/v1", "token"), registry.Now());
        owners.Write(body);
        metadata = Fields.Object(body, "metadata");
        Answer.Warn(context, query.Warnings);
        await Answer.JsonAsync(context, 201, new JsonObject
        {
            ["kind"] = "TokenRequest",
            ["apiVersion"] = TokenGroup + "/v1",
            ["metadata"] = new JsonObject { ["name"] = account.Name, ["namespace"] = account.Namespace, ["uid"] = account.Uid, ["creationTimestamp"] = registry.Now(), ["managedFields"] = metadata["managedFields"]?.DeepClone() },
            ["spec"] = spec.DeepClone(),
            ["status"] = new JsonObject
            {
                ["token"] = tokens.Issue(account, spec["audiences"]!.AsArray(), now.AddSeconds(seconds), bound),
                ["expirationTimestamp"] = Rfc3339.Format(now.AddSeconds(seconds)),
            },
        });
    }

    /// <summary>The object that a token shall end with; null: none.</summary>
    private StoredObject? Bound(JsonObject? reference, StoredObject account)
    {
        if (reference is null)
            return null;
        var (version, kind, name) = (Fields.Text(reference, "apiVersion"), Fields.Text(reference, "kind"), Fields.Text(reference, "name"));
        if (version is not ("" or "v1") || ServiceAccountTokens.ResourceOf(kind) is not { } resource)
            throw ApiException.BadRequest($"cannot bind token to object of type {version}, Kind={kind}");
        var key = new StoreKey(resource, resource == GroupResource.Nodes ? "" : account.Namespace, name);
        var found = registry.Store.Find(key) ?? throw ApiException.NotFound(key);
        if (kind == "Pod" && Fields.Text(Fields.Find(found.ToNode(), "spec"), "serviceAccountName") != account.Name)
            throw ApiException.BadRequest($"cannot bind token for serviceaccount {FieldErrors.Quote(account.Name)} to pod running with different serviceaccount name.");
        if (Fields.Text(reference, "uid") is { Length: > 0 } uid && uid != found.Uid)
        {
            throw ApiException.Conflict(key with { Resource = new GroupResource("", kind) },
                $"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated");
        }

        return found;
    }

    private static void RequireSame(JsonObject metadata, string member, string asked, Target target)
    {
        var said = Fields.Text(metadata, member);
        if (said.Length == 0 || said == asked)
            return;
        var errors = new FieldErrors();
        errors.InvalidText("metadata." + member, said, $"must match the service account {member} if specified");
        throw errors.ToException(TokenGroup, "TokenRequest", target.Name);
    }
}
