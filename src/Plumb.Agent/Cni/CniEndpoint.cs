using System.Text.Json;
using Plumb.Agent.Metrics;

namespace Plumb.Agent.Cni;

/// <summary>What the agent does for the verbs of CNI; see the specification, section "CNI operations".</summary>
internal interface ICniVerbs
{
    /// <summary>Returns when the container is connected.</summary>
    Task<CniResult> AddAsync(CniRequest request, CancellationToken cancel);

    /// <summary>Returns when nothing of the attachment is left; also when nothing was there.</summary>
    Task DeleteAsync(CniRequest request, CancellationToken cancel);

    /// <summary>Fails when something that ADD made is missing or another.</summary>
    Task CheckAsync(CniRequest request, CancellationToken cancel);

    /// <summary>Ends every attachment that the runtime does not name.</summary>
    Task CollectAsync(CniRequest request, CancellationToken cancel);

    /// <summary>Fails when an ADD could not be served now.</summary>
    Task StatusAsync(CancellationToken cancel);
}

/// <summary>Answer to one call: what the plugin prints, and whether it exits 0.</summary>
internal readonly record struct CniAnswer(bool Succeeded, byte[] Body);

/// <summary>Turns a call into a verb and its outcome into what the plugin prints.</summary>
internal sealed class CniEndpoint(ICniVerbs verbs, AgentMetrics? metrics = null)
{
    public async Task<CniAnswer> AnswerAsync(ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        var version = CniVersion.Newest;
        var since = metrics?.Now ?? 0;
        string? command = null;
        var code = default(CniErrorCode);
        try
        {
            var call = CniCall.Read(body);
            command = call.Environment.GetValueOrDefault("CNI_COMMAND");
            if (command == "VERSION")
            {
                return Succeeded(JsonSerializer.SerializeToUtf8Bytes(new CniVersions(version, CniVersion.Supported), CniJson.Default.CniVersions));
            }
            var request = CniRequest.Read(call);
            version = request.Configuration.Version;
            return await AnswerAsync(request, cancel);
        }
        catch (CniException exception)
        {
            code = exception.Code;
            return Failed(version, exception.Code, exception.Message, exception.Details);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            code = CniErrorCode.IoFailure;
            return Failed(version, code, exception.Message, "");
        }
        finally
        {
            metrics?.Called(command, (int)code, since);
        }
    }

    private async Task<CniAnswer> AnswerAsync(CniRequest request, CancellationToken cancel)
    {
        switch (request.Command)
        {
            case "ADD":
                var result = await verbs.AddAsync(request, cancel);
                return Succeeded(CniResults.Onto(request.Configuration.PreviousResult, result));
            case "DEL":
                await verbs.DeleteAsync(request, cancel);
                return Succeeded([]);
            case "CHECK":
                Since("0.4.0", request);
                await verbs.CheckAsync(request, cancel);
                return Succeeded([]);
            case "GC":
                Since("1.1.0", request);
                await verbs.CollectAsync(request, cancel);
                return Succeeded([]);
            case "STATUS":
                Since("1.1.0", request);
                await verbs.StatusAsync(cancel);
                return Succeeded([]);
            default:
                throw new CniException(CniErrorCode.InvalidEnvironment, $"CNI_COMMAND '{request.Command}' is not ADD, DEL, CHECK, GC, STATUS or VERSION");
        }
    }

    private static void Since(string version, CniRequest request)
    {
        if (!CniVersion.IsAtLeast(request.Configuration.Version, version))
        {
            throw new CniException(
                CniErrorCode.IncompatibleVersion, $"{request.Command} came with CNI {version}, and the configuration is of {request.Configuration.Version}");
        }
    }

    private static CniAnswer Succeeded(byte[] body) => new(true, body);

    private static CniAnswer Failed(string version, CniErrorCode code, string message, string details) => new(
        false,
        JsonSerializer.SerializeToUtf8Bytes(
            new CniErrorBody(version, (int)code, message, details.Length == 0 ? null : details), CniJson.Default.CniErrorBody));
}
