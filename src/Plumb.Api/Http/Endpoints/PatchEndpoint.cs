using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Access;
using Plumb.Api.Http.Requests;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Apply;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Patches;

namespace Plumb.Api.Http.Endpoints;

/// <summary>patch: JSON, merge, strategic merge, and server-side apply.</summary>
internal sealed class PatchEndpoint(Registry registry, Gate gate)
{
    private readonly ReadEndpoint _read = new(registry);

    public Task ServeAsync(HttpContext context, Target target) =>
        RequestBody.MediaType(context) == Patch.ApplyMediaType ? ApplyAsync(context, target) : PatchAsync(context, target);

    private async Task PatchAsync(HttpContext context, Target target)
    {
        var negotiated = Negotiated.From(context.Request.Headers.Accept.ToString());
        var query = WriteQuery.Parse(context, "PatchOptions");
        var body = await RequestBody.ReadAsync(context);
        var definition = target.Definition;
        var patch = Patching.Read(context, body, definition, out var members);
        var stored = registry.Update(definition, target.Key, target.Part, (present, root) =>
        {
            query.Warnings.Clear();
            var patched = patch(definition.Show is { } show ? show(root) : root);
            Check(target, present, patched, members, query);
            return WriteEndpoint.Accepted(target, patched);
        }, query.Options);
        Answer.Warn(context, query.Warnings);
        await _read.ObjectAsync(context, 200, definition, stored, negotiated);
    }

    private async Task ApplyAsync(HttpContext context, Target target)
    {
        var negotiated = Negotiated.From(context.Request.Headers.Accept.ToString());
        var query = WriteQuery.Parse(context, "PatchOptions");
        if (context.Request.Query["fieldManager"].ToString().Length == 0)
        {
            var errors = new FieldErrors();
            errors.Required("fieldManager", "is required for apply patch");
            throw errors.ToException("meta.k8s.io", "PatchOptions", "");
        }

        var definition = target.Definition;
        var applied = RequestBody.Parse(Yaml.ToJson(await RequestBody.ReadAsync(context), "error decoding YAML: error converting YAML to JSON: "), definition.Kind, []);
        RequireApplicable(target, applied);
        AppliedType.Check(definition, applied);
        Fields.DefaultText(Fields.Object(applied, "metadata"), "name", target.Name);
        var configuration = new AppliedConfiguration(definition, applied, query.FieldManager, target.Subresource);
        if (registry.Store.Find(target.Key) is null && target.Subresource.Length == 0)
        {
            if (Fields.Text(Fields.Object(applied, "metadata"), "uid") is { Length: > 0 } uid)
                throw ApiException.Conflict(target.Key, $"uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            WriteEndpoint.RequireName(target, Fields.Object(applied, "metadata"));
            gate.Require(Gate.UserOf(context), Gate.Of(context.Request, target, legacyWatch: false) with { Verb = "create", Name = "" });
            try
            {
                var created = registry.Create(definition, target.Namespace, configuration.Create(registry.Now()), query.Options with { Applies = true });
                Answer.Warn(context, query.Warnings);
                await _read.ObjectAsync(context, 201, definition, created, negotiated);
                return;
            }
            catch (ApiException raced) when (raced.IsAlreadyExists)
            {
                // Somebody else created it meanwhile: apply to what is there.
            }
        }

        var stored = registry.Update(definition, target.Key, target.Part, (present, root) => Apply(present, root), query.Options with { Applies = true });
        Answer.Warn(context, query.Warnings);
        await _read.ObjectAsync(context, 200, definition, stored, negotiated);

        JsonObject Apply(StoredObject present, JsonObject root)
        {
            WriteEndpoint.RequireVersion(present, WriteEndpoint.ExpectedVersion(Fields.Object(applied, "metadata")));
            var next = configuration.ApplyTo(root, query.Force, registry.Now());
            WriteEndpoint.RequireName(target, Fields.Object(applied, "metadata"));
            return next;
        }
    }

    private static void Check(Target target, StoredObject present, JsonObject patched, HashSet<string>? members, WriteQuery query)
    {
        var metadata = Fields.Object(patched, "metadata");
        WriteEndpoint.RequireName(target, metadata);
        WriteEndpoint.RequireNamespace(target, metadata);
        WriteEndpoint.RequireVersion(present, WriteEndpoint.ExpectedVersion(metadata));
        if (Fields.Text(patched, "kind") != target.Definition.Kind || Fields.Text(patched, "apiVersion") != target.Definition.ApiVersion)
            throw FieldCheck.InvalidPatch(patched, $"no kind \"{Fields.Text(patched, "kind")}\" is registered for version \"{Fields.Text(patched, "apiVersion")}\"");
        FieldCheck.ApplyToPatched(target.Definition, patched, members, query);
    }

    private static void RequireApplicable(Target target, JsonObject applied)
    {
        var version = Fields.Text(applied, "apiVersion");
        var kind = Fields.Text(applied, "kind");
        if (version.Length == 0 || kind.Length == 0)
            throw ApiException.BadRequest($"invalid object type: {version}/, Kind={kind}");
        if (version != target.Definition.ApiVersion || kind != target.Definition.Kind)
            throw ApiException.BadRequest($"incorrect object type: {version}, Kind={kind}, expected {target.Definition.ApiVersion}, Kind={target.Definition.Kind}");
        var metadata = Fields.Object(applied, "metadata");
        if (metadata["managedFields"] is JsonArray { Count: > 0 })
            throw ApiException.BadRequest("metadata.managedFields must be nil");
        WriteEndpoint.RequireNamespace(target, metadata);
    }
}
