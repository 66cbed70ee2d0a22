using System.Globalization;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Containers;

/// <summary>The control group of one run of a container, with its limits as a kubelet translates them (KEP-2254).</summary>
internal sealed class ContainerGroup
{
    private const decimal PeriodMicroseconds = 100_000;
    private const decimal LeastQuota = 1_000;

    private const string None = "max";
    private const int WeightOfNone = 100;

    private readonly Lock _gate = new();
    private ContainerLimits _held = ContainerLimits.None;

    private ContainerGroup(ControlGroup group) => Group = group;

    public ControlGroup Group { get; }

    /// <summary>Null: the machine does not count it.</summary>
    public long? MemoryBytes => long.TryParse(Group.Read("memory.current"), CultureInfo.InvariantCulture, out var bytes) ? bytes : null;

    /// <summary>Whether the kernel ended somebody in it for want of memory.</summary>
    public bool RanOutOfMemory => Group.Count("memory.events", "oom_kill") > 0;

    /// <param name="lab">That of the lab; null: the machine permits none.</param>
    public static ContainerGroup? Make(ControlGroup? lab, PodFacts pod, ContainerSpec container)
    {
        try
        {
            if (lab is null)
            {
                return null;
            }
            var name = $"{pod.Uid}.{container.Name}";
            // One that somebody of the last run would not leave at once; its limits and counts are that run's.
            var group = lab.Make(name);
            if (group.Count("memory.events", "oom_kill") > 0 && group.TryRemove())
            {
                group = lab.Make(name);
            }
            return new ContainerGroup(group);
        }
        catch (IOException)
        {
            // cgroup.max.descendants: the container runs without one.
            return null;
        }
    }

    /// <summary>From now on; what the start itself took was the lab's.</summary>
    public void Limit(ContainerLimits limits)
    {
        lock (_gate)
        {
            if (limits.MemoryBytes != _held.MemoryBytes)
            {
                Set("memory.swap.max", limits.MemoryBytes is null ? None : "0");
                // All of the container ends when it has no more, as under a kubelet.
                Set("memory.oom.group", limits.MemoryBytes is null ? "0" : "1");
                Set("memory.max", limits.MemoryBytes is { } bytes ? Text(bytes) : None);
            }
            if (limits.Processors != _held.Processors)
            {
                Set("cpu.max", $"{(limits.Processors is { } processors ? Text(Math.Max(processors * PeriodMicroseconds, LeastQuota)) : None)} {Text(PeriodMicroseconds)}");
            }
            if (limits.Share != _held.Share)
            {
                // 1024 shares for a processor (2 to 262,144) become weights from 1 to 10,000.
                Set("cpu.weight", Text(limits.Share is { } share ? 1 + decimal.Truncate((Math.Clamp(decimal.Truncate(share * 1024), 2, 262_144) - 2) * 9999 / 262_142) : WeightOfNone));
            }
            _held = limits;
        }
    }

    /// <summary>How many processes there may be at once.</summary>
    public void LimitProcesses(int most) => Set("pids.max", Text(most));

    /// <summary>Ends whoever is left and goes.</summary>
    public void Remove()
    {
        Group.Kill();
        // Somebody who is still ending keeps it; the lab's own goes with all that is in it.
        _ = Group.TryRemove();
    }

    private static string Text(decimal value) => decimal.Truncate(value).ToString("0", CultureInfo.InvariantCulture);

    private void Set(string file, string value)
    {
        try
        {
            Group.Write(file, value);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            // A kernel without that file (swap, for one), or a container that has ended meanwhile.
        }
    }
}
