using System.Globalization;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>
/// What has become of a job's pods. A real controller holds each pod by a finalizer until it is counted; this one hears of every pod's end, and remembers whom it has
/// counted.
/// </summary>
internal sealed class JobTally(string uid)
{
    private readonly HashSet<string> counted = [];

    public string Uid => uid;

    public int Succeeded { get; private set; }

    public int Failed { get; private set; }

    /// <summary>Of an indexed job: those that have succeeded.</summary>
    public SortedSet<int> Indexes { get; } = [];

    public DateTimeOffset LastFailure { get; private set; }

    private int inARow;

    /// <param name="gone">It was deleted: what had not ended has failed.</param>
    public void Count(PodFacts pod, bool gone, DateTimeOffset now)
    {
        bool succeeded = pod.Stored.Phase == "Succeeded";
        if ((!pod.IsOver && !gone) || !counted.Add(pod.Stored.Uid))
            return;
        if (succeeded)
        {
            Succeeded++;
            inARow = 0;
            if (IndexOf(pod) is { } index)
                Indexes.Add(index);
        }
        else if (pod.Stored.Phase == "Failed" || !pod.IsDoomed)
        {
            Failed++;
            inARow++;
            LastFailure = now;
        }
    }

    /// <summary>How long after the last failure the next pod waits.</summary>
    public TimeSpan Wait(TimeSpan first, TimeSpan longest)
    {
        if (inARow == 0)
            return TimeSpan.Zero;
        var wait = first * Math.Pow(2, Math.Min(inARow - 1, 20));
        return wait < longest ? wait : longest;
    }

    /// <summary>`1,3-5`</summary>
    public string Ranges()
    {
        var parts = new List<string>();
        int? first = null, last = null;
        foreach (int index in Indexes)
        {
            if (last == index - 1)
            {
                last = index;
                continue;
            }
            Close();
            (first, last) = (index, index);
        }
        Close();
        return string.Join(',', parts);

        void Close()
        {
            if (first is { } from && last is { } to)
                parts.Add(from == to ? $"{from}" : to == from + 1 ? $"{from},{to}" : $"{from}-{to}");
        }
    }

    public static int? IndexOf(PodFacts pod) =>
        pod.Stored.Labels.TryGetValue(Job.IndexKey, out string? text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : null;
}
