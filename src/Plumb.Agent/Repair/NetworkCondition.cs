using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Patches;

namespace Plumb.Agent.Repair;

/// <summary>
/// The condition <c>NetworkUnavailable</c> of the Node object: the scheduler sends no pods to a node on which it is True
/// (the taint <c>node.kubernetes.io/network-unavailable</c>), and clouds set it until a network says otherwise.
/// </summary>
internal sealed partial class NetworkCondition(KubernetesClient? api, string nodeName, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    // What was so before the last word is nobody's concern.
    private readonly Channel<string?> _latest = Channel.CreateBounded<string?>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <param name="trouble">Why pods cannot be wired; null: they can.</param>
    public void Tell(string? trouble) => _latest.Writer.TryWrite(trouble);

    public async Task RunAsync(CancellationToken cancel)
    {
        while (await _latest.Reader.WaitToReadAsync(cancel))
        {
            _latest.Reader.TryRead(out var trouble);
            if (api is null)
            {
                continue;
            }
            var since = time.GetUtcNow();
            for (var pause = FirstPause; !await TryWriteAsync(api, trouble, since, cancel); pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                await Task.WhenAny(_latest.Reader.WaitToReadAsync(waiting.Token).AsTask(), Task.Delay(pause, time, waiting.Token));
                await waiting.CancelAsync();
                if (_latest.Reader.TryRead(out var newer))
                {
                    (trouble, since) = (newer, time.GetUtcNow());
                }
                cancel.ThrowIfCancellationRequested();
            }
        }
    }

    // False: it is to be tried again.
    private async Task<bool> TryWriteAsync(KubernetesClient client, string? trouble, DateTimeOffset since, CancellationToken cancel)
    {
        var now = since.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var condition = new JsonObject
        {
            ["type"] = "NetworkUnavailable",
            ["status"] = trouble is null ? "False" : "True",
            ["reason"] = trouble is null ? "PlumbIsUp" : "PlumbCannotServe",
            ["message"] = trouble ?? "plumb agent wires pods on this node",
            ["lastHeartbeatTime"] = now,
            ["lastTransitionTime"] = now,
        };
        try
        {
            var patch = new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(condition) } };
            await client.PatchAsync<Kubernetes.Objects.Node>(null, nodeName, new StrategicMergePatch(patch), "status", cancel);
            return true;
        }
        catch (ApiException refused) when (refused.Code == 403)
        {
            // Rights do not come by asking again.
            Log.NotWritten(log, refused.Message);
            return true;
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException or IOException or JsonException)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1012, LogLevel.Warning, "the Node's condition NetworkUnavailable stays as it is: {Reason}")]
        public static partial void NotWritten(ILogger log, string reason);
    }
}
