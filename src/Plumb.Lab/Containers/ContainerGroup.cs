using System.Globalization;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Containers;

/// <summary>The control group of one run of a container, with its limits as a kubelet translates them (KEP-2254).</summary>
internal sealed class ContainerGroup
{
    private const decimal PeriodMicroseconds = 100_000;
    private const decimal LeastQuota = 1_000;

    private readonly ContainerLimits _limits;

    private ContainerGroup(ControlGroup group, ContainerLimits limits)
    {
        Group = group;
        _limits = limits;
    }

    public ControlGroup Group { get; }

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
            return new ContainerGroup(group, container.Limits);
        }
        catch (IOException)
        {
            // cgroup.max.descendants: the container runs without one.
            return null;
        }
    }

    /// <summary>From now on; what the start itself took was the lab's.</summary>
    public void Limit()
    {
        if (_limits.MemoryBytes is { } bytes)
        {
            Set("memory.swap.max", 0);
            // All of the container ends when it has no more, as under a kubelet.
            Set("memory.oom.group", 1);
            Set("memory.max", decimal.Truncate(bytes));
        }
        if (_limits.Processors is { } processors)
        {
            Set("cpu.max", Math.Max(decimal.Truncate(processors * PeriodMicroseconds), LeastQuota), PeriodMicroseconds);
        }
        if (_limits.Share is { } share)
        {
            // 1024 shares for a processor (2 to 262,144) become weights from 1 to 10,000.
            var shares = Math.Clamp(decimal.Truncate(share * 1024), 2, 262_144);
            Set("cpu.weight", 1 + decimal.Truncate((shares - 2) * 9999 / 262_142));
        }
    }

    /// <summary>Ends whoever is left and goes.</summary>
    public void Remove()
    {
        Group.Kill();
        // Somebody who is still ending keeps it; the lab's own goes with all that is in it.
        _ = Group.TryRemove();
    }

    private void Set(string file, params ReadOnlySpan<decimal> values)
    {
        var words = new string[values.Length];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = values[i].ToString("0", CultureInfo.InvariantCulture);
        }
        try
        {
            Group.Write(file, string.Join(' ', words));
        }
        catch (IOException)
        {
            // A kernel without that file (swap, for one), or a container that has ended meanwhile.
        }
    }
}
