using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Access;
using Plumb.Api.Custom;
using Plumb.Api.Http.Requests;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Apply;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Schema;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Endpoints;

/// <summary>autoscaling/v1 Scale of the workloads: their replicas, seen alone.</summary>
internal sealed class ScaleEndpoint(Registry registry)
{
    public async Task ServeAsync(HttpContext context, Target target)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method))
        {
            var stored = registry.Store.Find(target.Key) ?? throw ApiException.NotFound(target.Definition.Resource, target.Name);
            await Answer.JsonAsync(context, 200, ScaleOf(target.Definition, stored));
            return;
        }

        if (!HttpMethods.IsPut(method) && !HttpMethods.IsPatch(method))
            throw ResourceEndpoints.NotAllowed();
        var query = WriteQuery.Parse(context, HttpMethods.IsPut(method) ? "UpdateOptions" : "PatchOptions");
        var body = await RequestBody.ReadAsync(context);
        var patch = HttpMethods.IsPatch(method) ? Patching.Read(context, body, null, out _) : null;
        var written = registry.Update(target.Definition, target.Key, Part.Main, (present, root) =>
        {
            query.Warnings.Clear();
            var scale = patch is null ? FieldCheck.Request(body, "Scale", "v1", query) : patch(ScaleOf(target.Definition, present));
            Check(target, present, scale);
            var replicas = Fields.Number(Fields.Find(scale, "spec"), "replicas") ?? 0;
            Ask(target, present, replicas, query.Options);
            ScalePaths.Set(root, target.Definition.Scale.Spec, replicas);
            if (query.Options.Manager is { } manager)
                ScaleOwner.Take(root, present.ToNode(), target.Definition.Scale.Spec, new Writer(manager, Applies: false, target.Definition.ApiVersion, "scale"));
            return root;
        }, query.Options with { Applies = true, IsAsked = true });
        Answer.Warn(context, query.Warnings);
        await Answer.JsonAsync(context, 200, ScaleOf(target.Definition, written));
    }

    private void Ask(Target target, StoredObject present, long replicas, WriteOptions options)
    {
        if (!registry.Policies.IsAny)
            return;
        var next = ScaleOf(target.Definition, present);
        Fields.Object(next, "spec")["replicas"] = replicas;
        registry.Policies.Require(new PolicyRequest(target.Definition, "UPDATE", "scale", target.Namespace, target.Name, next, ScaleOf(target.Definition, present), options));
    }

    private static void Check(Target target, StoredObject present, JsonObject scale)
    {
        if (Fields.Text(scale, "apiVersion") is { Length: > 0 } version && version != "autoscaling/v1")
        {
            throw ApiException.BadRequest(
                $"Scale in version \"v1\" cannot be handled as a Scale: no kind \"Scale\" is registered for version \"{version}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"");
        }

        if (FieldWalk.Over(TypeTable.Named("Scale"), scale).Mismatch is { } mismatch)
            throw FieldCheck.InvalidPatch(scale, mismatch);
        var metadata = Fields.Object(scale, "metadata");
        WriteEndpoint.RequireName(target, metadata);
        WriteEndpoint.RequireVersion(present, WriteEndpoint.ExpectedVersion(metadata));
        var replicas = Fields.Number(Fields.Find(scale, "spec"), "replicas") ?? 0;
        if (replicas >= 0)
            return;
        var errors = new FieldErrors();
        errors.Invalid("spec.replicas", replicas.ToString(), "must be greater than or equal to 0");
        throw errors.ToException("autoscaling", "Scale", target.Name);
    }

    private static JsonObject ScaleOf(ResourceDefinition definition, StoredObject stored)
    {
        var root = stored.ToNode();
        var metadata = Fields.Object(root, "metadata");
        var paths = definition.Scale;
        var status = new JsonObject { ["replicas"] = Fields.Number(ScalePaths.Find(root, paths.Status)) ?? 0 };
        var selector = definition.Custom is null
            ? SelectorText.Of(definition.Kind == "ReplicationController" ? ReplicationControllerStrategy.SelectorOf(Fields.Find(root, "spec")) : Fields.Find(Fields.Find(root, "spec"), "selector"))
            : paths.Selector is { } at ? ScalePaths.Find(root, at)?.ToString() ?? "" : "";
        if (selector.Length > 0)
            status["selector"] = selector;
        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = new JsonObject
            {
                ["name"] = stored.Name,
                ["namespace"] = stored.Namespace,
                ["uid"] = stored.Uid,
                ["resourceVersion"] = metadata["resourceVersion"]!.DeepClone(),
                ["creationTimestamp"] = metadata["creationTimestamp"]!.DeepClone(),
            },
            ["spec"] = new JsonObject { ["replicas"] = Fields.Number(ScalePaths.Find(root, paths.Spec)) ?? 0 },
            ["status"] = status,
        };
    }
}
