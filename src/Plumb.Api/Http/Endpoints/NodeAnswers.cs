using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Endpoints;

/// <summary>
/// What a kubelet would answer at its own port (`nodes/NAME/proxy/PATH`), as far as a node here has it to tell. Who may ask is who may do `nodes/proxy`, as with a
/// real server; what a kubelet itself asks of those who come to its port (`nodes/metrics`, `nodes/pods`: KEP-2862) nobody comes to here.
/// </summary>
internal sealed class NodeAnswers(ObjectStore store)
{
    /// <summary>A kubelet's.</summary>
    public const string Port = "10250";

    /// <exception cref="ApiException">404: it has no such thing; 405.</exception>
    public Task ServeAsync(HttpContext context, string node, string path)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
            throw ResourceEndpoints.NotAllowed();
        return path.TrimEnd('/') switch
        {
            "healthz" => Answer.TextAsync(context, 200, "ok"),
            "pods" => Answer.JsonAsync(context, 200, PodsOf(node)),
            var other => throw new ApiException(404, "NotFound", $"node \"{node}\" is no machine with a kubelet: it tells healthz and pods, and has no \"{other}\""),
        };
    }

    private JsonObject PodsOf(string node)
    {
        var items = new JsonArray();
        foreach (var stored in store.List(GroupResource.Pods))
        {
            if (stored.NodeName != node)
                continue;
            var pod = stored.ToNode();
            pod.Remove("kind");
            pod.Remove("apiVersion");
            items.Add((JsonNode)pod);
        }

        return new JsonObject { ["kind"] = "PodList", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["items"] = items };
    }
}
