using System.Text.Json;
using Plumb.Kubernetes.Json;

namespace Plumb.Lab.Node.Resizing;

/// <summary>How far a resize is: the conditions PodResizePending and PodResizeInProgress, which a pod has only while they hold (KEP-1287).</summary>
internal sealed class ResizeReport
{
    private readonly ResizeCondition _pending = new("PodResizePending");
    private readonly ResizeCondition _inProgress = new("PodResizeInProgress");

    public bool IsInProgress => _inProgress.Holds;

    /// <summary>The node cannot give it, now or ever.</summary>
    public void Pend(string reason, string message, long generation, DateTimeOffset now) => _pending.Set(reason, message, generation, now);

    /// <returns>Whether it was.</returns>
    public bool EndPending() => _pending.Clear();

    public void Begin(long generation, DateTimeOffset now)
    {
        EndPending();
        _inProgress.Set("", "", generation, now);
    }

    /// <summary>It goes on, without success so far.</summary>
    public void Fail(string message, DateTimeOffset now) => _inProgress.Set("Error", message, _inProgress.Generation, now);

    public void End() => _inProgress.Clear();

    /// <summary>As elements of `conditions` in a strategic merge patch.</summary>
    public void Write(Utf8JsonWriter json)
    {
        _pending.Write(json);
        _inProgress.Write(json);
    }

    private sealed class ResizeCondition(string type)
    {
        private string _reason = "";
        private string _message = "";
        private DateTimeOffset _since;
        private DateTimeOffset _seen;
        private bool _wasSet;

        public bool Holds { get; private set; }

        /// <summary>Of the pod's spec that it is about.</summary>
        public long Generation { get; private set; }

        public void Set(string reason, string message, long generation, DateTimeOffset now)
        {
            if (!Holds || _reason != reason)
            {
                _since = now;
            }
            (_reason, _message, Generation, _seen, Holds, _wasSet) = (reason, message, generation, now, true, true);
        }

        public bool Clear()
        {
            var did = Holds;
            Holds = false;
            return did;
        }

        public void Write(Utf8JsonWriter json)
        {
            if (!_wasSet)
            {
                return;
            }
            json.WriteStartObject();
            json.WriteString("type"u8, type);
            if (!Holds)
            {
                // A merge keeps what it is not told to remove.
                json.WriteString("$patch"u8, "delete"u8);
                json.WriteEndObject();
                return;
            }
            json.WriteString("status"u8, "True"u8);
            json.WriteNumber("observedGeneration"u8, Generation);
            json.WriteString("lastProbeTime"u8, Rfc3339.Format(_seen));
            json.WriteString("lastTransitionTime"u8, Rfc3339.Format(_since));
            json.WriteString("reason"u8, _reason.Length > 0 ? _reason : null);
            json.WriteString("message"u8, _message.Length > 0 ? _message : null);
            json.WriteEndObject();
        }
    }
}
