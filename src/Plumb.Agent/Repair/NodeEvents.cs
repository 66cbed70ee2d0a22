using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Agent.Repair;

/// <summary>Events on the Node object: what people see in <c>kubectl describe node</c>. An API that is away loses events, nothing else.</summary>
internal sealed partial class NodeEvents(KubernetesClient? api, string nodeName, TimeProvider time, ILogger log)
{
    private const string EventNamespace = "default"; // where events about objects without a namespace live
    private const int MostWaiting = 256;

    private readonly Channel<Event> _waiting = Channel.CreateBounded<Event>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest });
    private long _count;

    public void Write(string reason, string message, bool isWarning)
    {
        var now = time.GetUtcNow();
        _waiting.Writer.TryWrite(new Event
        {
            // As client-go names them: the object, and a number that no other event of it has.
            Metadata = new ObjectMeta { Name = $"{nodeName}.{now.UtcTicks + _count++:x}", Namespace = EventNamespace },
            InvolvedObject = new ObjectReference { ApiVersion = "v1", Kind = "Node", Name = nodeName, Uid = nodeName },
            Reason = reason,
            Message = message,
            EventType = isWarning ? "Warning" : "Normal",
            Source = new EventSource { Component = "plumb-agent", Host = nodeName },
            Count = 1,
            FirstTimestamp = now,
            LastTimestamp = now,
        });
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        await foreach (var written in _waiting.Reader.ReadAllAsync(cancel))
        {
            if (api is null)
            {
                continue;
            }
            try
            {
                await api.CreateAsync(EventNamespace, written, cancel);
            }
            catch (Exception exception) when (exception is ApiException or HttpRequestException or IOException or JsonException)
            {
                Log.Lost(log, written.Message ?? "", exception.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1005, LogLevel.Warning, "an event could not be written ({Event}): {Reason}")]
        public static partial void Lost(ILogger log, string @event, string reason);
    }
}
