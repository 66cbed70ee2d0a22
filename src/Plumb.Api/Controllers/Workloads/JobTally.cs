using System.Globalization;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>
/// What has become of a job's pods. 1. One that has ended keeps its finalizer until the job's status names it (`uncountedTerminatedPods`). 2. Then the finalizer goes.
/// 3. What was named and has none any more is told in numbers. So all that a controller has to know stands in the store at any time.
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

    private readonly List<(PodFacts Pod, DateTimeOffset At, bool IsTold)> failures = [];
    private readonly Dictionary<string, (PodFacts Pod, DateTimeOffset At)> leaving = [];

    // Uid → whether it has succeeded, of those that may keep their finalizers; and whom the stored status names.
    private readonly OrderedDictionary<string, bool> untold = [];
    private readonly HashSet<string> named = [];
    private bool seeded;
    private readonly Dictionary<int, Failures> byIndex = [];
    private Failures all;

    // For each rule of success, whose text never changes, its ranges; null: any index.
    private (int First, int Last)[]?[]? wanted;

    /// <summary>So many one after the other, so many in all, and when the last one was.</summary>
    private readonly record struct Failures(int InARow, int Count, DateTimeOffset Last)
    {
        public Failures Another(DateTimeOffset at) => new(InARow + 1, Count + 1, at);
    }

    /// <summary>Whether the pod carries the finalizer: it is in no number yet.</summary>
    public static bool Holds(StoredObject pod) => pod.Finalizers.Contains(Job.TrackingFinalizer);

    /// <summary>Takes the finalizer away.</summary>
    /// <returns>Whether it was there.</returns>
    public static bool Free(JsonObject metadata)
    {
        if (Fields.Array(metadata, "finalizers") is not { } finalizers)
            return false;
        bool any = finalizers.RemoveAll(static finalizer => finalizer?.ToString() == Job.TrackingFinalizer) > 0;
        if (finalizers.Count == 0)
            metadata.Remove("finalizers");
        return any;
    }

    /// <param name="gone">It was deleted: what had not ended has failed.</param>
    public void Count(PodFacts pod, bool gone, DateTimeOffset now)
    {
        string id = pod.Stored.Uid;
        if (!Holds(pod.Stored) && !leaving.ContainsKey(id))
        {
            // A number tells of it since before this controller began; how long the next one waits is not among the numbers.
            if (!gone && pod.Stored.Phase == "Failed" && counted.Add(id))
                failures.Add((pod, now, IsTold: true));
            return;
        }
        // Without grace nobody waits for it any more: its node's kubelet has ended it, or there is none that would.
        if (!pod.IsOver && !gone && pod.Stored.DeletionGracePeriodSeconds != 0)
        {
            if (pod.Stored.IsDeleting && !pod.IsDoomed && !counted.Contains(id))
                leaving.TryAdd(id, (pod, now));
            return;
        }
        leaving.Remove(id);
        if (!counted.Add(id))
            return;
        if (pod.Stored.Phase == "Succeeded")
        {
            Succeeded++;
            untold[id] = true;
            all = all with { InARow = 0 };
            if (IndexOf(pod) is { } index)
                Indexes.Add(index);
        }
        else if (pod.Stored.Phase == "Failed" || !pod.IsDoomed)
        {
            failures.Add((pod, now, IsTold: false));
        }
    }

    /// <summary>Takes over what the stored status tells, once.</summary>
    /// <param name="pods">That the job has.</param>
    public void Seed(JobStatus status, IEnumerable<PodFacts> pods)
    {
        if (seeded)
            return;
        seeded = true;
        var held = pods.Where(static pod => Holds(pod.Stored)).Select(static pod => pod.Stored.Uid).ToHashSet();
        var uncounted = status.UncountedTerminatedPods;
        Succeeded += status.Succeeded + uncounted.Succeeded.Count(id => !held.Contains(id));
        Failed += status.Failed + uncounted.Failed.Count(id => !held.Contains(id));
        named.UnionWith(uncounted.Succeeded.Concat(uncounted.Failed).Where(held.Contains));
        Indexes.UnionWith(Indices(status.CompletedIndexes));
        FailedIndexes.UnionWith(Indices(status.FailedIndexes));
    }

    /// <summary>Judges what has failed by the job's own rules.</summary>
    public void Settle(JobSpec job)
    {
        // Where only what has ended is replaced, a pod that is being deleted has not failed before it has.
        if (job.PodReplacementPolicy != "Failed" && job.PodFailurePolicy is null)
        {
            foreach (var (id, (pod, at)) in leaving)
            {
                if (counted.Add(id))
                    failures.Add((pod, at, IsTold: false));
            }
            leaving.Clear();
        }
        foreach (var (pod, at, isTold) in failures)
        {
            var (action, message) = JobFailurePolicy.Of(job.PodFailurePolicy, pod.Stored);
            if (action == "Ignore")
                continue;
            all = all.Another(at);
            if (!isTold)
            {
                Failed++;
                untold[pod.Stored.Uid] = false;
            }
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

    /// <returns>The first rule that is met, counted from 0; null: none is.</returns>
    public int? Suffices(SuccessPolicy? policy)
    {
        if (policy is null || Indexes.Count == 0)
            return null;
        wanted ??= [.. policy.Rules.Select(static rule => rule.SucceededIndexes is { } ranges ? Spans(ranges).ToArray() : null)];
        for (int i = 0; i < wanted.Length; i++)
        {
            int has = wanted[i] is { } spans ? Within(spans) : Indexes.Count;
            if (has > 0 && (has >= policy.Rules[i].SucceededCount || has == wanted[i]?.Sum(static span => span.Last - span.First + 1L)))
                return i;
        }
        return null;
    }

    /// <summary>How many have succeeded of these, which are in order.</summary>
    private int Within((int First, int Last)[] spans)
    {
        int has = 0, at = 0;
        foreach (int index in Indexes)
        {
            while (at < spans.Length && spans[at].Last < index)
                at++;
            if (at == spans.Length)
                break;
            has += spans[at].First <= index ? 1 : 0;
        }
        return has;
    }

    /// <summary>Those that have ended and have their finalizer still, in the order in which they were seen: no number tells of them.</summary>
    /// <param name="pods">That the job has.</param>
    public UncountedPods Uncounted(IEnumerable<PodFacts> pods)
    {
        var held = pods.Where(static pod => Holds(pod.Stored)).Select(static pod => pod.Stored.Uid).ToHashSet();
        foreach (string id in untold.Keys.Where(id => !held.Contains(id)).ToList())
        {
            untold.Remove(id);
            named.Remove(id);
        }
        return new() { Succeeded = [.. untold.Where(static one => one.Value).Select(static one => one.Key)], Failed = [.. untold.Where(static one => !one.Value).Select(static one => one.Key)] };
    }

    /// <summary>The stored status names them now.</summary>
    public void Name(UncountedPods pods) => named.UnionWith(pods.Succeeded.Concat(pods.Failed));

    /// <summary>Whether nothing would be forgotten with the pod's finalizer.</summary>
    public bool MayLetGo(string id) => named.Contains(id) || !(untold.ContainsKey(id) || leaving.ContainsKey(id) || failures.Exists(one => one.Pod.Stored.Uid == id));

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

    private static IEnumerable<int> Indices(string? ranges)
    {
        foreach (var (first, last) in Spans(ranges))
        {
            for (int index = first; index <= last; index++)
                yield return index;
        }
    }

    // What is no range counts for nothing.
    private static IEnumerable<(int First, int Last)> Spans(string? ranges)
    {
        foreach (string part in (ranges ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = part.Split('-');
            if (int.TryParse(ends[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int first) && int.TryParse(ends[^1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int last))
                yield return (first, last);
        }
    }

    public static int? IndexOf(PodFacts pod) =>
        pod.Stored.Labels.TryGetValue(Job.IndexKey, out string? text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : null;
}
