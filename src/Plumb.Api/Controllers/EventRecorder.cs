using System.Globalization;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Controllers;

/// <summary>Says what controllers do, where `kubectl describe` shows it. The same thing said again counts up; a chatty object is cut short.</summary>
internal sealed class EventRecorder(Registry registry, TimeProvider time)
{
    private const int MostRemembered = 4_096;

    /// <summary>As client-go's spam filter: so many events for one object from one source.</summary>
    private const int MostOfOneObject = 25;

    private readonly Dictionary<(string Uid, string Reason, string Message), (StoreKey Key, int Count)> said = [];
    private readonly Dictionary<(string Uid, string Component), int> counts = [];
    private long lastNanoseconds;

    public void Normal(StoredObject subject, string component, string reason, string message) => Say(subject, component, "Normal", reason, message);

    public void Warning(StoredObject subject, string component, string reason, string message) => Say(subject, component, "Warning", reason, message);

    private void Say(StoredObject subject, string component, string type, string reason, string message)
    {
        if (said.Count > MostRemembered)
            said.Clear();
        if (counts.Count > MostRemembered)
            counts.Clear();
        var now = time.GetUtcNow();
        try
        {
            if (said.TryGetValue((subject.Uid, reason, message), out var before) && registry.Store.Find(before.Key) is not null)
            {
                int count = before.Count + 1;
                registry.Update(before.Key, root =>
                {
                    root["count"] = count;
                    root["lastTimestamp"] = Rfc3339.Format(now);
                    return true;
                });
                said[(subject.Uid, reason, message)] = (before.Key, count);
                return;
            }
            int number = counts[(subject.Uid, component)] = counts.GetValueOrDefault((subject.Uid, component)) + 1;
            if (number > MostOfOneObject)
                return;
            var definition = registry.Catalog.Find(subject.Key.Resource);
            string @namespace = subject.Namespace.Length > 0 ? subject.Namespace : "default";
            var stored = registry.Create(GroupResource.Events, @namespace, new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = $"{subject.Name}.{Nanoseconds(now):x}" },
                ["involvedObject"] = new JsonObject
                {
                    ["kind"] = definition.Kind,
                    ["namespace"] = subject.Namespace.Length > 0 ? subject.Namespace : null,
                    ["name"] = subject.Name,
                    ["uid"] = subject.Uid,
                    ["apiVersion"] = definition.ApiVersion,
                    ["resourceVersion"] = subject.ResourceVersion.ToString(CultureInfo.InvariantCulture),
                },
                ["reason"] = reason,
                ["message"] = message,
                ["source"] = new JsonObject { ["component"] = component },
                ["firstTimestamp"] = Rfc3339.Format(now),
                ["lastTimestamp"] = Rfc3339.Format(now),
                ["count"] = 1,
                ["type"] = type,
                ["eventTime"] = null,
                ["reportingComponent"] = component,
                ["reportingInstance"] = "",
            });
            said[(subject.Uid, reason, message)] = (stored.Key, 1);
        }
        catch (ApiException)
        {
            // A namespace on its way out takes no events, and an event is never worth failing for.
        }
    }

    // As kubelets name theirs, and never the same twice: in order of their names events are in order of time, and kubectl shows those of one second so.
    private long Nanoseconds(DateTimeOffset now)
    {
        lastNanoseconds = Math.Max(lastNanoseconds + 1, (now.UtcTicks - DateTime.UnixEpoch.Ticks) * TimeSpan.NanosecondsPerTick);
        return lastNanoseconds;
    }
}
