using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Plumb.Agent.Asking;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Selectors;
using Plumb.Linux.Addresses;

namespace Plumb.Agent.Http;

/// <summary>What a name comes to; null: there is nobody to ask.</summary>
internal delegate Task<byte[]?> NameQuestion(IReadOnlyDictionary<string, string> query, CancellationToken cancel);

/// <summary>
/// What people's tools ask beside the plan: <c>GET /places</c> (<see cref="NodePlaces"/>), <c>GET /holder?address=A</c> (<see cref="AddressHolder"/>),
/// <c>GET /objects?resource=services&amp;scope=default&amp;fields=metadata.name=shop</c> (an array, written as pages of the API come in) and <c>GET /dns</c> (what a name comes to, and why).
/// 400 with one line of text where that is not to be had.
/// </summary>
internal sealed class InsightEndpoint(Insight insight, NameQuestion names)
{
    public async Task AnswerAsync(HttpContext http, string path)
    {
        try
        {
            switch (path)
            {
                case "/places":
                    await AgentServer.WriteAsync(http, HttpStatusCode.OK, JsonSerializer.SerializeToUtf8Bytes(await insight.PlacesAsync(), NodePlacesJson.Default.NodePlaces));
                    break;
                case "/holder":
                    var text = http.Request.Query["address"].ToString();
                    var address = IpAddress.TryParse(text, out var parsed) ? parsed : throw new AgentException($"'{text}' is no address");
                    await AgentServer.WriteAsync(http, HttpStatusCode.OK, JsonSerializer.SerializeToUtf8Bytes(await insight.HolderAsync(address, http.RequestAborted), NodePlacesJson.Default.AddressHolder));
                    break;
                case "/objects":
                    await WriteObjectsAsync(http);
                    break;
                default:
                    var said = await names(http.Request.Query.ToDictionary(static one => one.Key, static one => one.Value.ToString()), http.RequestAborted);
                    await AgentServer.WriteAsync(http, said is null ? HttpStatusCode.NotFound : HttpStatusCode.OK, said ?? []);
                    break;
            }
        }
        catch (Exception refused) when (IsForPeople(refused) && !http.Response.HasStarted)
        {
            var isApi = refused is not (AgentException or SelectorException);
            await AgentServer.WriteAsync(http, HttpStatusCode.BadRequest, Encoding.UTF8.GetBytes(isApi ? $"the API server does not tell: {refused.Message}" : refused.Message));
        }
    }

    private async Task WriteObjectsAsync(HttpContext http)
    {
        var asked = http.Request.Query["resource"].ToString();
        if (!ReadableKinds.All.TryGetValue(asked, out var resource))
        {
            throw new AgentException($"an agent may read {string.Join(", ", ReadableKinds.All.Keys)}, and no '{asked}'");
        }
        var scope = http.Request.Query["scope"].ToString() is { Length: > 0 } one ? one : null;
        var fields = http.Request.Query["fields"].ToString() is { Length: > 0 } written ? FieldSelector.Parse(written) : null;
        var isFirst = true;
        await foreach (var found in insight.ObjectsAsync(resource, scope, fields, http.RequestAborted))
        {
            // A first page that is refused is still told so.
            http.Response.ContentType ??= "application/json";
            await http.Response.Body.WriteAsync(isFirst ? "["u8.ToArray() : ",\n"u8.ToArray(), http.RequestAborted);
            await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(found.ToJsonString()), http.RequestAborted);
            isFirst = false;
        }
        await http.Response.Body.WriteAsync(isFirst ? "[]"u8.ToArray() : "]"u8.ToArray(), http.RequestAborted);
    }

    private static bool IsForPeople(Exception refused) =>
        refused is AgentException or SelectorException or ApiException or HttpRequestException or IOException or UnauthorizedAccessException;
}
