using System.Buffers;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Processes;

namespace Plumb.Diagnosis.Machines;

/// <summary>Who lives in a network namespace of a machine, named as well as can be known without an API.</summary>
/// <param name="Pod">Its Kubernetes namespace; null: it is no pod, or nobody says of which namespace.</param>
/// <param name="Evidence">How the name is known, for a person.</param>
public sealed record Resident(string Name, string? Pod, string Evidence)
{
    private const int ShortIdLetters = 12;
    private static readonly SearchValues<char> OfIds = SearchValues.Create("0123456789abcdef-");

    /// <summary><c>NAMESPACE/POD</c>; of all else the name.</summary>
    public string FullName => Pod is null ? Name : $"{Pod}/{Name}";

    /// <summary>
    /// In order: what a runtime told CNI plugins of the pod; what the namespace is bound as, if a person has named it; the host name of its
    /// container; its first process; its number.
    /// </summary>
    public static Resident Of(HeldNamespace held, IReadOnlyList<ProcessFacts> processes, IReadOnlyList<IpAddress> addresses, IReadOnlyList<CniAttachment> attachments, string machine)
    {
        var containers = processes.Select(static process => process.ContainerId).OfType<string>().ToHashSet(StringComparer.Ordinal);
        CniAttachment? its = null;
        foreach (var one in attachments)
        {
            var isIts = one.Sandboxes.Any(path => held.Mounts.Contains(Canonical(path)) || held.Processes.Any(id => path == $"/proc/{id}/ns/net"))
                || containers.Contains(one.ContainerId) || one.Addresses.Any(addresses.Contains);
            if (isIts && (its is null || (its.PodName is null && one.PodName is not null)))
            {
                its = one;
            }
        }
        if (its is { PodName: { } pod })
        {
            return new Resident(pod, its.PodNamespace, $"its runtime told the CNI plugins of network {its.Network} so");
        }
        foreach (var mount in held.Mounts)
        {
            var name = Path.GetFileName(mount);
            if (Path.GetDirectoryName(mount)?.EndsWith("/run/netns", StringComparison.Ordinal) == true && !IsMachineMade(name))
            {
                return new Resident(name, null, $"bound as {mount}");
            }
        }
        foreach (var process in processes)
        {
            if (process.ContainerId is { } id && process.HostName is { } host && host != machine)
            {
                return new Resident(host, null, $"host name of the container {id[..ShortIdLetters]}{By(process.Runtime)}, process {process.Id} ({process.Name})");
            }
        }
        if (its is not null)
        {
            return new Resident(Short(its.ContainerId), null, $"container in the CNI network {its.Network}");
        }
        return processes.Count > 0 ? new Resident(processes[0].Name, null, $"process {processes[0].Id}{(processes[0].ContainerId is { } own ? $" in the container {own[..ShortIdLetters]}{By(processes[0].Runtime)}" : "")}")
            : new Resident(held.Mounts.Count > 0 ? Path.GetFileName(held.Mounts[0]) : $"netns-{held.Inode}", null, held.Mounts.Count > 0 ? $"bound as {held.Mounts[0]}, no process in it" : "nothing in it");
    }

    private static string By(string? runtime) => runtime is null ? "" : $" of {runtime}";

    private static string Short(string id) => id.Length > ShortIdLetters ? id[..ShortIdLetters] : id;

    // /var/run is a link to /run, and mounts are told by where they are.
    private static string Canonical(string path) => path.StartsWith("/var/run/", StringComparison.Ordinal) ? path[4..] : path;

    // cni-1ef629b0-0323-…, netns-…, and ids: a runtime's, which tell a person nothing.
    private static bool IsMachineMade(string name) =>
        name.StartsWith("cni-", StringComparison.Ordinal) || name.StartsWith("netns-", StringComparison.Ordinal) || (name.Length >= 32 && !name.AsSpan().ContainsAnyExcept(OfIds));
}
