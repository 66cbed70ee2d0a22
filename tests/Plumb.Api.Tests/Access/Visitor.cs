using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Access;

/// <summary>Somebody without the administrator's rights: a name that the administrator speaks under (`Impersonate-User`).</summary>
internal sealed class Visitor(TestServer server, string name, params string[] groups)
{
    public async Task<(HttpStatusCode Code, JsonNode Answer)> SendAsync(string method, string path, string? body = null, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        }

        request.Headers.Add("Impersonate-User", name);
        foreach (var group in groups)
            request.Headers.Add("Impersonate-Group", group);
        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        var watches = response.IsSuccessStatusCode && path.Contains("watch=", StringComparison.Ordinal);
        var isEmpty = watches || response.StatusCode == HttpStatusCode.NoContent;
        return (response.StatusCode, isEmpty ? new JsonObject() : JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
    }

    /// <summary>Only how a GET is answered.</summary>
    public async Task<HttpStatusCode> SendRawAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Impersonate-User", name);
        using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
