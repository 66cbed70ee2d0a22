using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Access;
using Plumb.Api.Http.Requests;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Endpoints;

/// <summary>The eviction of a pod: a deletion that its PodDisruptionBudget allows.</summary>
internal sealed class EvictionEndpoint(Registry registry)
{
    private const int MostAttempts = 20;

    public async Task ServeAsync(HttpContext context, Target target)
    {
        var query = WriteQuery.Parse(context, "CreateOptions");
        var body = FieldCheck.Request(await RequestBody.ReadAsync(context), "Eviction", "v1", query);
        if (Fields.Text(Fields.Find(body, "metadata"), "name") != target.Name)
            throw ApiException.BadRequest("name in URL does not match name in Eviction object");
        var asked = Fields.Find(body, "deleteOptions");
        var preconditions = Fields.Find(asked, "preconditions");
        var options = new DeleteOptions
        {
            GracePeriodSeconds = Fields.Number(asked, "gracePeriodSeconds"),
            Uid = Fields.Text(preconditions, "uid") is { Length: > 0 } uid ? uid : null,
            ResourceVersion = long.TryParse(Fields.Text(preconditions, "resourceVersion"), out var version) ? version : null,
            User = query.User,
            IsAsked = true, // as a real server: an eviction is neither DELETE pods nor UPDATE pods/status
            DryRun = query.DryRun || Fields.Array(asked, "dryRun") is { Count: > 0 },
        };
        registry.Policies.Require(new PolicyRequest(target.Definition, "CREATE", "eviction", target.Namespace, target.Name, body, null, query.Options));
        Evict(target, options);
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

    /// <remarks>A pod that may go because of its state (pending, not ready) must still be in that state when it goes; else it is looked at anew.</remarks>
    private void Evict(Target target, DeleteOptions options)
    {
        for (var attempt = 1; ; attempt++)
        {
            var pod = registry.Store.Find(target.Key) ?? throw ApiException.NotFound(target.Definition.Resource, target.Name);
            // Whoever asks for another pod than there is takes nothing from its budget.
            registry.Delete(target.Definition, target.Key, options with { DryRun = true });
            var taken = DisruptionBudgets.Take(registry, pod, options.DryRun);
            var unchanged = options.ResourceVersion ?? taken;
            try
            {
                var marked = options.DryRun || pod.IsDeleting ? unchanged : Mark(target, pod.Uid, unchanged);
                registry.Delete(target.Definition, target.Key, options with { ResourceVersion = marked });
                return;
            }
            catch (ApiException changed) when (changed.IsConflict && options.ResourceVersion is null && options.Uid is null && attempt < MostAttempts)
            {
                // Another writer came between.
            }
        }
    }

    /// <summary>The pod tells why it goes.</summary>
    /// <returns>The version to delete; null: whichever.</returns>
    private long? Mark(Target target, string uid, long? unchanged)
    {
        var marked = registry.Update(target.Definition, target.Key, Part.Status, (present, root) =>
        {
            if (present.Uid != uid || (unchanged is { } version && version != present.ResourceVersion))
                throw ApiException.Modified(present.Key);
            PodConditions.Set(root, "DisruptionTarget", registry.Time.GetUtcNow(), "EvictionByEvictionAPI", "Eviction API: evicting");
            return root;
        }, WriteOptions.Default with { IsAsked = true });
        return unchanged is null ? null : marked.ResourceVersion;
    }
}
