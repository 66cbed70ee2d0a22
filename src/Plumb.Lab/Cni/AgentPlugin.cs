using System.Net;
using System.Text.Json.Nodes;
using Plumb.Agent.Cni;
using Plumb.Lab.Running;
using Plumb.Network.Facts;

namespace Plumb.Lab.Cni;

/// <summary>The plugin <c>plumb</c> without its process: its call goes to the agent's socket, as the executable's would.</summary>
internal sealed class AgentPlugin(string socketPath) : IDisposable
{
    public const string Type = "plumb";

    private readonly HttpClient _http = UnixHttp.ClientOf(socketPath);

    /// <exception cref="CniException">The agent refused, or does not answer.</exception>
    public async Task<byte[]> RunAsync(IReadOnlyDictionary<string, string> environment, byte[] input, CancellationToken cancel)
    {
        using var body = new ByteArrayContent(new CniCall(environment, input).ToBytes());
        try
        {
            using var answer = await _http.PostAsync(new Uri("cni", UriKind.Relative), body, cancel);
            var said = await answer.Content.ReadAsByteArrayAsync(cancel);
            return answer.StatusCode == HttpStatusCode.OK ? said : throw Failure(answer.StatusCode, said);
        }
        catch (HttpRequestException broken)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"the node's agent does not answer: {broken.Message}");
        }
    }

    /// <exception cref="CniException">The agent refused, or does not answer.</exception>
    public async Task LimitAsync(CniAttachment attachment, Bandwidth bandwidth, CancellationToken cancel)
    {
        using var body = new ByteArrayContent(CniText.Of(new JsonObject { ["bandwidth"] = PodAttachment.ToJson(bandwidth) }));
        try
        {
            using var answer = await _http.PutAsync(new Uri($"bandwidth?container={attachment.ContainerId}&interface={attachment.Interface}", UriKind.Relative), body, cancel);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                throw new CniException(answer.StatusCode == HttpStatusCode.ServiceUnavailable ? CniErrorCode.TryAgainLater : CniErrorCode.IoFailure, await answer.Content.ReadAsStringAsync(cancel));
            }
        }
        catch (HttpRequestException broken)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"the node's agent does not answer: {broken.Message}");
        }
    }

    public void Dispose() => _http.Dispose();

    private static CniException Failure(HttpStatusCode status, byte[] said)
    {
        if (said.Length == 0 || CniText.Parse(said) is not JsonObject error)
        {
            return new CniException(CniErrorCode.IoFailure, $"the node's agent answered {(int)status}");
        }
        var message = error["msg"]?.ToString() ?? "";
        return new CniException(
            (CniErrorCode)(int)error["code"]!, error["details"]?.ToString() is { Length: > 0 } details ? $"{message}; {details}" : message);
    }
}
