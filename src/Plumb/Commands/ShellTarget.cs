using Plumb.Lab;

namespace Plumb.Commands;

[Flags]
internal enum EnteredNamespaces
{
    Net = 1,
    Pid = 2,
    Mount = 4,
}

/// <summary>What `plumb shell` enters.</summary>
/// <param name="NetworkNamespace">Path of the namespace.</param>
/// <param name="Process">Whose pid and mount namespaces are meant; null where a pod has no process of its own.</param>
internal sealed record ShellTarget(string Name, string NetworkNamespace, int? Process)
{
    /// <summary>Whether something of that name is there by now, and a node's network set up.</summary>
    public static bool IsThere(LabStatus lab, string name) => lab.Machines.Any(m => m.Name == name && m.Ready != false) || PodsNamed(lab, name).Count > 0;

    /// <exception cref="LabException">Nothing, or more than one thing, has that name.</exception>
    public static ShellTarget Find(LabStatus lab, string name)
    {
        if (lab.Machines.FirstOrDefault(m => m.Name == name) is { } machine)
        {
            return new ShellTarget(machine.Name, machine.NamespacePath, lab.ProcessId);
        }
        var pods = PodsNamed(lab, name);
        return pods switch
        {
            [var pod] => new ShellTarget(pod.Name, pod.NamespacePath, pod.Container),
            [] => throw new LabException($"the lab '{lab.Name}' has no node or pod '{name}'; machines: {string.Join(", ", lab.Machines.Select(static m => m.Name))}; pods: kubectl get pods -A"),
            _ => throw new LabException($"'{name}' is in several namespaces: {string.Join(", ", pods.Select(static p => $"{p.Namespace}/{p.Name}"))}"),
        };
    }

    private static List<SandboxStatus> PodsNamed(LabStatus lab, string name)
    {
        var pods = lab.Pods.Where(p => name.Contains('/') ? $"{p.Namespace}/{p.Name}" == name : p.Name == name).ToList();
        // A Deployment's pods have names that nobody types; one that begins so is as good as another.
        return pods.Count > 0 || name.Contains('/') ? pods : [.. lab.Pods.Where(p => p.Name.StartsWith(name + "-", StringComparison.Ordinal)).Take(1)];
    }

    /// <summary>nsenter's options. The user namespace comes first: without its rights none of the others can be entered.</summary>
    public IReadOnlyList<string> Enter(LabStatus lab, EnteredNamespaces namespaces)
    {
        var options = new List<string>();
        var labs = $"/proc/{lab.ProcessId}/ns/user";
        if (new FileInfo(labs).LinkTarget is { } user && user != new FileInfo("/proc/self/ns/user").LinkTarget)
        {
            options.AddRange([$"--user={labs}", "--preserve-credentials"]);
        }
        if (namespaces.HasFlag(EnteredNamespaces.Net))
        {
            options.Add($"--net={NetworkNamespace}");
        }
        if ((namespaces & (EnteredNamespaces.Pid | EnteredNamespaces.Mount)) == 0)
        {
            return options;
        }
        var process = Process ?? throw new LabException(
            $"{Name} is served from inside plumb's own process: it has a network namespace and no pid or mount namespace; use --namespaces net");
        if (namespaces.HasFlag(EnteredNamespaces.Mount))
        {
            options.Add($"--mount=/proc/{process}/ns/mnt");
        }
        if (namespaces.HasFlag(EnteredNamespaces.Pid))
        {
            options.Add($"--pid=/proc/{process}/ns/pid");
        }
        return options;
    }
}
