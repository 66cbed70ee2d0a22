using System.Globalization;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>
/// What has become of a job's pods. Their finalizers keep them until they are counted; whom it has counted it remembers, so `uncountedTerminatedPods`, which is how a
/// controller that is started again knows, stays empty.
/// </summary>
internal sealed class JobTally(string uid)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    private readonly HashSet<string> counted = [];

    public string Uid => uid;

    public int Succeeded { get; private set; }

    public int Failed { get; private set; }

    /// <summary>Of an indexed job: those that have succeeded.</summary>
    public SortedSet<int> Indexes { get; } = [];

    /// <summary>Of an indexed job with a limit for each index: those that have reached it.</summary>
    public SortedSet<int> FailedIndexes { get; } = [];

    /// <summary>Why a rule of the job's has failed it; null: none has.</summary>
    public string? Doom { get; private set; }

    private readonly List<(PodFacts Pod, DateTimeOffset At)> failures = [];
    private readonly Dictionary<int, Failures> byIndex = [];
    private Failures all;

    /// <summary>So many one after the other, so many in all, and when the last one was.</summary>
    private readonly record struct Failures(int InARow, int Count, DateTimeOffset Last)
    {
        public Failures Another(DateTimeOffset at) => new(InARow + 1, Count + 1, at);
    }

    /// <param name="gone">It was deleted: what had not ended has failed.</param>
    public void Count(PodFacts pod, bool gone, DateTimeOffset now)
    {
        if ((!pod.IsOver && !gone) || !counted.Add(pod.Stored.Uid))
            return;
        if (pod.Stored.Phase == "Succeeded")
        {
            Succeeded++;
            all = all with { InARow = 0 };
            if (IndexOf(pod) is { } index)
                Indexes.Add(index);
        }
        else if (pod.Stored.Phase == "Failed" || !pod.IsDoomed)
        {
            failures.Add((pod, now));
        }
    }

    /// <summary>Judges what has failed by the job's own rules.</summary>
    public void Settle(JobSpec job)
    {
        foreach (var (pod, at) in failures)
        {
            var (action, message) = JobFailurePolicy.Of(job.PodFailurePolicy, pod.Stored);
            if (action == "Ignore")
                continue;
            Failed++;
            all = all.Another(at);
            if (action == "FailJob")
                Doom ??= message;
            if (job.BackoffLimitPerIndex is { } limit && IndexOf(pod) is { } index)
            {
                var own = byIndex[index] = byIndex.GetValueOrDefault(index).Another(at);
                if (action == "FailIndex" || own.Count > limit)
                    FailedIndexes.Add(index);
            }
        }
        failures.Clear();
    }

    /// <summary>How long the next pod still waits after the last failure.</summary>
    /// <param name="index">Where each index is tried again for itself: this one's.</param>
    public TimeSpan Wait(DateTimeOffset now, int? index = null)
    {
        var last = index is { } own ? byIndex.GetValueOrDefault(own) : all;
        if (last.InARow == 0)
            return TimeSpan.Zero;
        var wait = FirstWait * Math.Pow(2, Math.Min(last.InARow - 1, 20));
        return (wait < LongestWait ? wait : LongestWait) - (now - last.Last);
    }

    /// <summary>`1,3-5`</summary>
    public static string Ranges(SortedSet<int> indexes)
    {
        var parts = new List<string>();
        int? first = null, last = null;
        foreach (int index in indexes)
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
