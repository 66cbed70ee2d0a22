using System.Buffers;
using System.Text;
using System.Text.Json;
using Plumb.Kubernetes.Objects;
using Container = Plumb.Kubernetes.Objects.Container;

namespace Plumb.Lab.Node.Resizing;

/// <summary>
/// Follows the `resources` of a pod's containers while it is on its node: allocates what the node could have, then gives it to what runs, in place or, where a
/// container's `resizePolicy` wants that, by starting it anew (KEP-1287). What other pods ask for does not count, as at scheduling.
/// </summary>
/// <param name="gate">Of the report and of all that is here.</param>
/// <param name="changed">Told after each change of the report.</param>
internal sealed class PodResizer(NodeContext node, PodName name, PodReport report, PodContainers containers, Lock gate, Action changed)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(1);

    private Pod? _allocated;
    private TaskCompletionSource _wantedAnew = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isAtWork;

    /// <param name="pod">As it is now.</param>
    /// <param name="end">The pod is told to end.</param>
    public void Follow(Pod pod, CancellationToken end)
    {
        lock (gate)
        {
            var others = Resizable(pod).Where(static one => !ResourceAmounts.AreSame(one.Wanted.Resources ?? ResourceAmounts.None, one.Report.Allocated)).ToList();
            if (others.Count == 0)
            {
                if (report.Resize.EndPending())
                {
                    changed();
                }
                return;
            }
            if (WhyNever(pod) is { } why)
            {
                report.Resize.Pend("Infeasible", why, pod.Metadata.Generation, node.Time.GetUtcNow());
                changed();
                return;
            }
            foreach (var (wanted, container) in others)
            {
                container.Allocated = wanted.Resources ?? ResourceAmounts.None;
            }
            _allocated = pod;
            report.Resize.Begin(pod.Metadata.Generation, node.Time.GetUtcNow());
            _wantedAnew.TrySetResult();
            if (!_isAtWork)
            {
                _isAtWork = true;
                _ = Task.Run(() => WorkAsync(end), CancellationToken.None);
            }
        }
        changed();
    }

    private async Task WorkAsync(CancellationToken end)
    {
        for (var backOff = new BackOff(FirstRetry, LastRetry); ; backOff.Next())
        {
            List<Step> steps;
            Task anew;
            lock (gate)
            {
                steps = [.. Resizable(_allocated!).Where(static one => !ResourceAmounts.AreSame(one.Report.Allocated, one.Report.Resources)).Select(one => new Step(one.Wanted, one.Report, one.Report.Allocated))];
                if (steps.Count == 0 || end.IsCancellationRequested)
                {
                    _isAtWork = false;
                    report.Resize.End();
                    break;
                }
                _wantedAnew = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                anew = _wantedAnew.Task;
            }
            if (WhyNotNow(steps) is { } why)
            {
                lock (gate)
                {
                    report.Resize.Fail(why, node.Time.GetUtcNow());
                }
                changed();
                await Task.WhenAny(anew, Task.Delay(backOff.Delay, node.Time, end));
                continue;
            }
            foreach (var step in steps)
            {
                if (Running(step) is { } running)
                {
                    await running.ResizeAsync(ContainerSpecs.LimitsOf(step.Next), step.Restarts);
                }
                lock (gate)
                {
                    step.Report.Resources = step.Next;
                }
                changed();
            }
        }
        changed();
        if (!end.IsCancellationRequested)
        {
            node.Events.Add(PodEvent.ResizeCompleted(name, Summary(_allocated!)));
        }
    }

    /// <summary>What has less memory than it uses already would be ended by the kernel.</summary>
    private string? WhyNotNow(List<Step> steps)
    {
        var faults = new List<string>();
        foreach (var step in steps)
        {
            if (!step.Restarts && ResourceAmounts.Of(step.Next.Limits, "memory") is { } limit
                && limit < (ResourceAmounts.Of(step.Report.Resources.Limits, "memory") ?? decimal.MaxValue)
                && Running(step)?.Found?.MemoryBytes is { } used && used >= limit)
            {
                faults.Add($"attempting to set container \"{step.Report.Name}\" memory limit ({limit:0}) below current usage ({used})");
            }
        }
        return faults.Count == 0 ? null : $"cannot decrease memory limits: {(faults.Count == 1 ? faults[0] : $"[{string.Join(", ", faults)}]")}";
    }

    private RunningContainer? Running(Step step) => containers.Started.FirstOrDefault(one => ReferenceEquals(one.Report, step.Report));

    private static string? WhyNever(Pod pod)
    {
        var (processors, bytes) = (ResourceAmounts.Requested(pod, "cpu"), ResourceAmounts.Requested(pod, "memory"));
        return bytes > NodeReport.MemoryBytes ? $"Node didn't have enough capacity: memory, requested: {bytes:0}, capacity: {NodeReport.MemoryBytes}"
            : processors > NodeReport.Processors ? $"Node didn't have enough capacity: cpu, requested: {processors * 1000:0}, capacity: {NodeReport.Processors * 1000}"
            : null;
    }

    private IEnumerable<(Container Wanted, ContainerReport Report)> Resizable(Pod pod) =>
        pod.Spec.InitContainers.Zip(report.InitContainers).Where(static one => one.Second.IsSidecar).Concat(pod.Spec.Containers.Zip(report.Containers));

    private static string Summary(Pod pod)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (list, all) in ((string, IReadOnlyList<Container>)[])[("initContainers", pod.Spec.InitContainers), ("containers", pod.Spec.Containers)])
            {
                if (all.Count == 0)
                {
                    continue;
                }
                json.WriteStartArray(list);
                foreach (var container in all)
                {
                    json.WriteStartObject();
                    json.WriteString("name"u8, container.Name);
                    json.WritePropertyName("resources"u8);
                    ResourceAmounts.Write(json, container.Resources ?? ResourceAmounts.None);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <param name="Next">What the container is to have.</param>
    private sealed record Step(Container Wanted, ContainerReport Report, ResourceRequirements Next)
    {
        /// <summary>A `resizePolicy` of what changes says so.</summary>
        public bool Restarts { get; } = Wanted.ResizePolicy.Any(policy =>
            policy.RestartPolicy == "RestartContainer" && ResourceAmounts.Differ(Report.Resources, Next, policy.ResourceName));
    }
}
