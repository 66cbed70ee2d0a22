using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Agent.Repair;

/// <summary>
/// The condition <c>NetworkUnavailable</c> of the Node object: the scheduler sends no pods to a node on which it is True
/// (the taint <c>node.kubernetes.io/network-unavailable</c>), and clouds set it until a network says otherwise.
/// </summary>
internal sealed partial class NetworkCondition(KubernetesClient? api, string nodeName, TimeProvider time, ILogger log)
{
    private const string Type = "NetworkUnavailable";
    private const string Up = "PlumbIsUp";
    private const string CannotServe = "PlumbCannotServe";
    private const int MostAttempts = 10;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    // What was so before the last word is nobody's concern.
    private readonly Channel<string?> _latest = Channel.CreateBounded<string?>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    private string? _said;

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

    /// <summary>
    /// Takes away what an agent wrote, once: the Node has it as if Plumb had never been there. True, as Calico leaves it, would keep pods off the node for ever where the next network does
    /// not write this condition, as the reference plugins and kindnet do not; and that a node has no network now kubelet says itself, by NotReady. What somebody else has written stays.
    /// </summary>
    /// <returns>Whether there was any.</returns>
    /// <remarks>Throws as <see cref="KubernetesClient"/> does.</remarks>
    public static async Task<bool> TakeBackAsync(KubernetesClient api, string nodeName, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            var own = await api.ListAsync<Kubernetes.Objects.Node>(ListOptions.All with { Fields = FieldSelector.Equal("metadata.name", nodeName) }, cancel);
            if (own.Items is not [{ Status: { } status } node] || status.Conditions.Find(Type)?.Reason is not (Up or CannotServe))
            {
                return false;
            }
            // Of that version only: another network may write its own meanwhile.
            var patch = new JsonObject
            {
                ["metadata"] = new JsonObject { ["resourceVersion"] = node.Metadata.ResourceVersion },
                ["status"] = new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = Type, ["$patch"] = "delete" }) },
            };
            try
            {
                await api.PatchAsync<Kubernetes.Objects.Node>(null, nodeName, new StrategicMergePatch(patch), "status", cancel);
                return true;
            }
            catch (ApiException changed) when (changed.Code == 409 && attempt < MostAttempts)
            {
                // A heartbeat, most likely: it is read again.
            }
        }
    }

    // False: it is to be tried again.
    private async Task<bool> TryWriteAsync(KubernetesClient client, string? trouble, DateTimeOffset since, CancellationToken cancel)
    {
        var condition = new Condition
        {
            Type = Type,
            Status = trouble is null ? "False" : "True",
            Reason = trouble is null ? Up : CannotServe,
            Message = trouble ?? "plumb agent wires pods on this node",
            LastHeartbeatTime = since,
            LastTransitionTime = since,
        };
        try
        {
            var own = await client.ListAsync<Kubernetes.Objects.Node>(ListOptions.All with { Fields = FieldSelector.Equal("metadata.name", nodeName) }, cancel);
            if (own.Items is [{ Status: { } status }] && status.Conditions.Find(Type) is { } was && was.Status == condition.Status)
            {
                if (was.Reason == condition.Reason && was.Message == condition.Message)
                {
                    return true;
                }
                condition = condition with { LastTransitionTime = was.LastTransitionTime ?? since };
            }
            var patch = new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(KubernetesJson.WriteNode(condition)) } };
            await client.PatchAsync<Kubernetes.Objects.Node>(null, nodeName, new StrategicMergePatch(patch), "status", cancel);
            _said = null;
            return true;
        }
        catch (Exception refused) when (!cancel.IsCancellationRequested)
        {
            // Rights may come after the agent; that they are missing is said once.
            if (_said != refused.Message)
            {
                _said = refused.Message;
                Log.NotWritten(log, refused.Message);
            }
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1012, LogLevel.Warning, "the Node's condition NetworkUnavailable cannot be written: {Reason}; tried again")]
        public static partial void NotWritten(ILogger log, string reason);
    }
}
