using Plumb.Linux.Containers;

namespace Plumb.Lab.Rootless;

/// <summary>
/// A lab's control group, `plumb-NAME` below the one in which `plumb up` was called: in its `lab` are the lab's own processes, beside it each container has one. There is one where
/// the caller's group is the caller's to divide: the hierarchy's root, or one that systemd delegated to the user and in which nobody else is.
/// </summary>
/// <remarks>
/// Only the root may have processes and divide itself at the same time. In any other group the command that starts the lab has to move before, and the shell that waits for
/// the lab with it (<see cref="Supervisor"/>): being the last one in the group, and unable to start anything any more, it cannot remove it. The delegated group that it
/// is in ends with it, and all below.
/// </remarks>
internal sealed class LabControlGroup : IDisposable
{
    private const string OwnProcesses = "lab";
    private static readonly string[] Wanted = ["cpu", "memory"];

    private readonly ControlGroup _above;

    private LabControlGroup(ControlGroup above, ControlGroup group)
    {
        _above = above;
        Group = group;
    }

    /// <summary>Those of containers are made in it.</summary>
    public ControlGroup Group { get; }

    /// <summary>For the command that is about to start a lab: moves it into the lab's group, where the lab itself could not.</summary>
    /// <returns>Null: the lab can do it itself, or there can be none; nothing was changed.</returns>
    public static LabControlGroup? Enter(LabName name) => ControlGroup.OfThisProcess() is { IsRoot: false } above ? Make(above, name) : null;

    /// <summary>For the lab's own process. Null: it has none.</summary>
    public static LabControlGroup? OfThisProcess(LabName name) =>
        ControlGroup.OfThisProcess() is not { } own ? null
        : own.IsRoot ? Make(own, name)
        : own.Path.EndsWith($"/plumb-{name}/{OwnProcesses}", StringComparison.Ordinal) && new ControlGroup(Path.GetDirectoryName(own.Path)!) is var group
            ? new LabControlGroup(new ControlGroup(Path.GetDirectoryName(group.Path)!), group)
        : null;

    /// <summary>Takes this process back to where it was called, and the group down where nobody else is in it.</summary>
    public void Dispose()
    {
        if (_above.IsRoot)
        {
            Try(() => _above.Take(0));
        }
        foreach (var container in Directory.EnumerateDirectories(Group.Path))
        {
            _ = new ControlGroup(container).TryRemove();
        }
        _ = Group.TryRemove();
    }

    /// <summary>Of the command that could not start the lab.</summary>
    public void Leave()
    {
        // Who has given to those below takes nobody in; what the root gives is everybody's.
        Try(() => Group.Withdraw(Wanted));
        if (!_above.IsRoot)
        {
            Try(() => _above.Withdraw(Wanted));
        }
        Try(() => _above.Take(0));
        _ = Group.TryRemove();
    }

    // Where it never came in, there is nothing to go back to.
    private static void Try(Action step)
    {
        try
        {
            step();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static LabControlGroup? Make(ControlGroup above, LabName name)
    {
        if (!above.IsWritable || Wanted.Except(above.Controllers).Any())
        {
            return null;
        }
        LabControlGroup? made = null;
        try
        {
            made = new LabControlGroup(above, above.Make($"plumb-{name}"));
            made.Group.Make(OwnProcesses).Take(0);
            // Refused while somebody else is in the caller's group: a shell, a terminal.
            if (above.TryOffer(Wanted) && made.Group.TryOffer(Wanted))
            {
                // Bounds commands of strangers where it is to be had (ConfinedCommands).
                _ = above.TryOffer("pids") && made.Group.TryOffer("pids");
                return made;
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // It was delegated in part only.
        }
        made?.Leave();
        return null;
    }
}
