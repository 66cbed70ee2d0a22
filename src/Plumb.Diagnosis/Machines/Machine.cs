using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Processes;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Machines;

/// <summary>
/// A machine, whoever has made its network: its own namespace and those of its containers, from the kernel and /proc alone. What may not be seen is
/// left out and said (<see cref="Unseen"/>).
/// </summary>
public sealed class Machine : IWorld, IDisposable
{
    private static readonly HashSet<EntryKind> OnlyAddresses = [EntryKind.Address];

    private readonly Kernels _kernels = new();
    private readonly KernelSpaces _spaces;
    private readonly Dictionary<NamespaceId, Inhabited> _inhabited = [];

    private Machine(IReadOnlyList<HeldNamespace> found, int hidden, IReadOnlyList<CniAttachment> attachments)
    {
        _spaces = new KernelSpaces(_kernels);
        ulong home;
        using (var own = NetworkNamespace.OpenHome())
        {
            home = own.Identity.Inode;
        }
        var refused = new List<HeldNamespace>();
        foreach (var held in found.OrderBy(held => held.Inode != home))
        {
            try
            {
                Add(held, held.Inode == home, attachments);
            }
            catch (Exception failed) when (failed is SystemCallException or NetlinkException)
            {
                refused.Add(held);
            }
        }
        Unseen = [.. Said(refused, hidden)];
    }

    public string Name { get; } = Environment.MachineName;

    /// <summary>Whose namespaces can be seen; the machine's own first.</summary>
    public IEnumerable<Inhabited> Inhabited => _inhabited.Values;

    /// <summary>What may not be seen, and which capability would show it; a line each.</summary>
    public IReadOnlyList<string> Unseen { get; }

    public IEnumerable<NamespaceId> Known => _inhabited.Keys;

    /// <param name="cniFolder">Where CNI plugins and their callers remember what they did.</param>
    public static Machine Open(string cniFolder = "/var/lib/cni")
    {
        var (found, hidden) = HeldNamespace.List();
        return new Machine(found, hidden, CniAttachment.ReadAll(cniFolder));
    }

    public Space? Find(NamespaceId id) => _spaces.Find(id);

    public NetworkNamespace Enter(NamespaceId id) => NetworkNamespace.Open(_inhabited[id].Held.Path);

    public ObservedState Observe(IReadOnlySet<NamespaceId> spaces, IEnumerable<EntryKey> parameters) =>
        KernelSource.Observe(_kernels, [.. spaces.Where(_kernels.Knows)], parameters);

    public void Dispose() => _kernels.Dispose();

    private void Add(HeldNamespace held, bool isHome, IReadOnlyList<CniAttachment> attachments)
    {
        var addresses = Addresses(held);
        var resident = isHome
            ? new Resident(Name, null, "this machine itself")
            : Resident.Of(held, [.. held.Processes.Select(ProcessFacts.Read).OfType<ProcessFacts>()], addresses, attachments, Name);
        if (_inhabited.ContainsKey(new NamespaceId(resident.FullName)))
        {
            resident = resident with { Name = $"{resident.Name}.{held.Inode}" };
        }
        var id = new NamespaceId(resident.FullName);
        _kernels.Add(id, NetworkNamespace.Open(held.Path));
        _inhabited.Add(id, new Inhabited(id, resident, isHome, held, addresses));
    }

    private static List<IpAddress> Addresses(HeldNamespace held)
    {
        using var alone = new Kernels();
        var id = new NamespaceId("");
        alone.Add(id, NetworkNamespace.Open(held.Path));
        var addresses = new List<IpAddress>();
        foreach (var observed in alone.Observe([id], OnlyAddresses).Entries.Values)
        {
            if (observed.Entry is AddressEntry { Address.Address: { IsLoopback: false, IsLinkLocal: false } address } && !addresses.Contains(address))
            {
                addresses.Add(address);
            }
        }
        addresses.Sort(static (a, b) => a.Family.CompareTo(b.Family));
        return addresses;
    }

    private static IEnumerable<string> Said(List<HeldNamespace> refused, int hidden)
    {
        if (refused.Count > 0)
        {
            yield return $"{Count(refused.Count, "network namespace")} of {Count(refused.Sum(static held => held.Processes.Count), "process")} may not be entered: that needs CAP_SYS_ADMIN in their user namespaces";
        }
        if (hidden > 0)
        {
            yield return $"where {Count(hidden, "process")} of other users {(hidden == 1 ? "is" : "are")} cannot be seen: that needs CAP_SYS_PTRACE";
        }
    }

    private static string Count(int number, string what) => $"{number} {what}{(number == 1 ? "" : what.EndsWith('s') ? "es" : "s")}";
}

/// <summary>A namespace of a machine with who lives there.</summary>
/// <param name="IsHome">It is the machine's own.</param>
/// <param name="Addresses">None of loopback or link; IPv4 first.</param>
public sealed record Inhabited(NamespaceId Id, Resident Resident, bool IsHome, HeldNamespace Held, IReadOnlyList<IpAddress> Addresses);
