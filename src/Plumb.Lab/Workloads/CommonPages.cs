using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Plumb.Lab.Workloads;

/// <summary>The paths that every built-in workload answers, as agnhost's netexec does.</summary>
internal static class CommonPages
{
    /// <returns>Null when the path is the program's own.</returns>
    public static Task? TryAnswer(HttpContext http, Workload workload) => http.Request.Path.Value switch
    {
        "/hostname" => Answer.SendAsync(http, 200, "text/plain", workload.HostName),
        "/clientip" => Answer.SendAsync(http, 200, "text/plain", ClientAddress.Of(http).ToString()),
        "/echo" => Answer.SendAsync(http, int.TryParse(http.Request.Query["code"], out var code) && code is >= 200 and < 600 ? code : 200, "text/plain", http.Request.Query["msg"].ToString()),
        "/healthz" => Answer.SendAsync(http, 200, "text/plain", "ok"),
        _ => null,
    };
}

internal static class Answer
{
    public static async Task SendAsync(HttpContext http, int status, string contentType, string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        http.Response.StatusCode = status;
        http.Response.ContentType = contentType + "; charset=utf-8";
        http.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await http.Response.Body.WriteAsync(body, http.RequestAborted);
        }
    }
}

internal static class ClientAddress
{
    /// <summary>The peer as the network delivered it; an IPv4 client of a dual-stack socket is an IPv4 client.</summary>
    public static IPEndPoint Of(HttpContext http) => Of(http.Connection.RemoteIpAddress ?? IPAddress.None, http.Connection.RemotePort);

    public static IPEndPoint Of(IPAddress address, int port) => new(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);
}
