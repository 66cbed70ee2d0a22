using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Plumb.Agent.Cni;
using Plumb.Agent.Running;
using Plumb.Network.Facts;

namespace Plumb.Agent.Http;

/// <summary>
/// <c>PUT /bandwidth?container=ID&amp;interface=eth0</c> with what a runtime would have told at ADD: <c>{"bandwidth": {"ingressRate": 1000000}}</c>; a direction that is not named has
/// no limit any more. Else the reason as text: 400 what was asked, 404 there is no such container, 503 not now.
/// </summary>
internal sealed class BandwidthEndpoint(BandwidthChange change)
{
    public async Task AnswerAsync(HttpContext http, ReadOnlyMemory<byte> body)
    {
        try
        {
            var id = new SandboxId(http.Request.Query["container"].ToString(), http.Request.Query["interface"].ToString());
            await change.MakeAsync(id, CniBandwidth.Read(Parse(body.Span)));
            await AgentServer.WriteAsync(http, HttpStatusCode.OK, []);
        }
        catch (CniException refused)
        {
            var status = refused.Code switch
            {
                CniErrorCode.UnknownContainer => HttpStatusCode.NotFound,
                CniErrorCode.TryAgainLater => HttpStatusCode.ServiceUnavailable,
                CniErrorCode.KernelRefused => HttpStatusCode.InternalServerError,
                _ => HttpStatusCode.BadRequest,
            };
            await AgentServer.WriteAsync(http, status, Encoding.UTF8.GetBytes(refused.Message));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            await AgentServer.WriteAsync(http, HttpStatusCode.InternalServerError, Encoding.UTF8.GetBytes(failure.Message));
        }
    }

    private static JsonElement Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonElement.Parse(text) is { ValueKind: JsonValueKind.Object } root ? root : throw new CniException(CniErrorCode.CannotDecode, "what is asked for is not an object");
        }
        catch (JsonException broken)
        {
            throw new CniException(CniErrorCode.CannotDecode, $"what is asked for is not JSON: {broken.Message}");
        }
    }
}
