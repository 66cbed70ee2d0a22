using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Plumb.Agent.Running;
using Plumb.Network.Facts;

namespace Plumb.Agent.Http;

/// <summary>
/// <c>POST /mirrors?number=0&amp;vni=1001&amp;pod=default/client&amp;peer=node-3&amp;role=source</c> makes a mirror that lasts as long as the answer: whoever asked
/// holds it by the connection, and the kernel closes that whatever becomes of them. <c>GET /mirrors</c> lists them, <c>DELETE /mirrors?number=0</c> takes one
/// out and tells what it carried.
/// </summary>
internal sealed class MirrorEndpoint(Mirrors mirrors)
{
    public async Task AnswerAsync(HttpContext http, string method)
    {
        try
        {
            switch (method)
            {
                case "GET":
                    await AgentServer.WriteAsync(http, HttpStatusCode.OK, Json(await mirrors.ListAsync()));
                    break;
                case "DELETE":
                    var ended = await mirrors.EndAsync(Number(http, "number", 0, Mirror.Most - 1));
                    await AgentServer.WriteAsync(http, ended is null ? HttpStatusCode.NotFound : HttpStatusCode.OK, ended is null ? [] : Json([ended]));
                    break;
                default:
                    await HoldAsync(http, RequestOf(http));
                    break;
            }
        }
        catch (AgentException refused)
        {
            await AgentServer.WriteAsync(http, HttpStatusCode.BadRequest, Encoding.UTF8.GetBytes(refused.Message));
        }
    }

    private async Task HoldAsync(HttpContext http, MirrorRequest request)
    {
        var over = await mirrors.BeginAsync(request);
        try
        {
            http.Response.ContentType = "text/plain";
            await SayAsync(http, request.Mirror.Device);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, mirrors.Ending);
            await SayAsync(http, await over.WaitAsync(either.Token));
        }
        catch (OperationCanceledException)
        {
            // Nobody holds it any more.
        }
        finally
        {
            await mirrors.EndAsync(request.Mirror.Number, over);
        }
    }

    private static async Task SayAsync(HttpContext http, string line)
    {
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }

    private static MirrorRequest RequestOf(HttpContext http)
    {
        var direction = Text(http, "direction");
        if (!Enum.TryParse<MirrorDirection>(direction, ignoreCase: true, out var which) || !Enum.IsDefined(which))
        {
            throw new AgentException($"direction: '{direction}' is none of both, ingress, egress");
        }
        const int mostVni = 0xff_ffff;
        var mirror = new Mirror(Number(http, "number", 0, Mirror.Most - 1), Number(http, "vni", 1, mostVni), Text(http, "pod"), Text(http, "peer"), Text(http, "holder")) { Direction = which };
        return Text(http, "role") switch
        {
            "source" => new MirrorRequest(mirror, Receives: false),
            "target" => new MirrorRequest(mirror, Receives: true),
            var role => throw new AgentException($"role: '{role}' is neither source nor target"),
        };
    }

    private static string Text(HttpContext http, string name) =>
        http.Request.Query[name].ToString() is { Length: > 0 } text ? text : throw new AgentException($"{name} is missing");

    private static int Number(HttpContext http, string name, int least, int most) =>
        int.TryParse(Text(http, name), out var number) && number >= least && number <= most ? number : throw new AgentException($"{name}: not a number from {least} to {most}");

    private static byte[] Json(IReadOnlyList<MirrorState> states)
    {
        var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartArray();
            foreach (var (mirror, traffic) in states)
            {
                json.WriteStartObject();
                json.WriteNumber("number", mirror.Number);
                json.WriteNumber("vni", mirror.Vni);
                json.WriteString("device", mirror.Device);
                json.WriteString("pod", mirror.Pod);
                json.WriteString("peer", mirror.Peer);
                json.WriteString("holder", mirror.Holder);
                json.WriteBoolean("receives", mirror.Source is null);
                json.WriteNumber("received", traffic.Received);
                json.WriteNumber("sent", traffic.Sent);
                json.WriteNumber("notSent", traffic.NotSent);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return bytes.ToArray();
    }
}
