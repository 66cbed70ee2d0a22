using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
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

    /// <summary>
    /// About a Service, in the same words and under the same name on every node: the first one writes it, for all.
    /// </summary>
    public void WriteOfService(string scope, string name, string reason, string message)
    {
        var now = time.GetUtcNow();
        var number = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{reason}: {message}")));
        _waiting.Writer.TryWrite(new Event
        {
            Metadata = new ObjectMeta { Name = $"{name}.{number:x}", Namespace = scope },
            InvolvedObject = new ObjectReference { ApiVersion = "v1", Kind = Service.Type.Kind.Kind, Namespace = scope, Name = name },
            Reason = reason,
            Message = message,
            EventType = "Warning",
            Source = new EventSource { Component = "plumb-agent" },
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
                await api.CreateAsync(written.Metadata.Namespace ?? EventNamespace, await WithUidAsync(api, written, cancel), cancel);
            }
            catch (ApiException said) when (said.IsAlreadyExists)
            {
                // By another node.
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                Log.Lost(log, written.Message ?? "", exception.Message);
            }
        }
    }

    // People find the events of an object by its uid, which the plan does not keep.
    private static async Task<Event> WithUidAsync(KubernetesClient api, Event written, CancellationToken cancel) =>
        written.InvolvedObject is { Uid: null, Name: { } name } about && await api.FindAsync<Service>(about.Namespace, name, cancel) is { } service
            ? written with { InvolvedObject = ObjectReference.To(service) }
            : written;

    private static partial class Log
    {
        [LoggerMessage(1005, LogLevel.Warning, "an event could not be written ({What}): {Reason}")]
        public static partial void Lost(ILogger log, string what, string reason);
    }
}
