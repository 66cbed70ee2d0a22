using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Processes;
using Plumb.Linux.State;
using Plumb.Network.Planning;

namespace Plumb.Diagnosis.Machines;

/// <summary>
/// A machine, whoever has made its network: its own namespace and those of its containers, from the kernel and /proc alone. What may not be seen is
/// left out and said (<see cref="Unseen"/>).
/// </summary>
public sealed class Machine : IWorld, IDisposable
{
    private const string CniFolder = "/var/lib/cni";

    private static readonly HashSet<EntryKind> OnlyAddresses = [EntryKind.Address];

    private readonly Kernels _kernels = new();
    private readonly KernelSpaces _spaces;
    private readonly Dictionary<NamespaceId, Inhabited> _inhabited = [];

    private Machine(IReadOnlyList<HeldNamespace> found, int hidden, IReadOnlyList<CniAttachment> attachments, ulong home, IReadOnlyDictionary<ulong, ToldResident> told)
    {
        _spaces = new KernelSpaces(_kernels);
        var refused = new List<HeldNamespace>();
        foreach (var held in found.OrderBy(held => held.Inode != home))
        {
            try
            {
                Add(held, held.Inode == home, attachments, told.GetValueOrDefault(held.Inode));
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
    public static Machine Open(string cniFolder = CniFolder)
    {
        var (found, hidden) = HeldNamespace.List();
        using var own = NetworkNamespace.OpenHome();
        return new Machine(found, hidden, CniAttachment.ReadAll(cniFolder), own.Identity.Inode, new Dictionary<ulong, ToldResident>());
    }

    /// <summary>A machine of which somebody knows who lives where, by the namespaces' numbers.</summary>
    /// <param name="home">Number of what is to be the machine's own.</param>
    public static Machine Open(ulong home, IReadOnlyDictionary<ulong, ToldResident> told)
    {
        ArgumentNullException.ThrowIfNull(told);
        var (found, hidden) = HeldNamespace.List();
        var seen = found.Select(static held => held.Inode).ToHashSet();
        var bound = told.Where(one => !seen.Contains(one.Key) && one.Value.Path is { } path && IsThere(path, one.Key)).Select(static one => new HeldNamespace(one.Key, one.Value.Path!, [], [one.Value.Path!]));
        return new Machine([.. found, .. bound], hidden, CniAttachment.ReadAll(CniFolder), home, told);
    }

    public Space? Find(NamespaceId id) => _spaces.Find(id);

    public NetworkNamespace Enter(NamespaceId id) => NetworkNamespace.Open(_inhabited[id].Held.Path);

    public ObservedState Observe(IReadOnlySet<NamespaceId> spaces, IEnumerable<EntryKey> parameters) =>
        KernelSource.Observe(_kernels, [.. spaces.Where(_kernels.Knows)], parameters);

    /// <inheritdoc cref="Observe(IReadOnlySet{NamespaceId}, IEnumerable{EntryKey})"/>
    /// <param name="elements">Of Plumb's sets those that are asked for: no others are read.</param>
    public ObservedState Observe(IReadOnlySet<NamespaceId> spaces, IEnumerable<EntryKey> parameters, IReadOnlyList<PlannedEntry> elements) =>
        KernelExcerpt.Observe(_kernels, [.. spaces.Where(_kernels.Knows)], parameters, elements);

    public void Dispose() => _kernels.Dispose();

    private static bool IsThere(string path, ulong inode)
    {
        try
        {
            using var there = NetworkNamespace.Open(path);
            return there.Identity.Inode == inode;
        }
        catch (SystemCallException)
        {
            return false;
        }
    }

    private void Add(HeldNamespace held, bool isHome, IReadOnlyList<CniAttachment> attachments, ToldResident? told)
    {
        var addresses = Addresses(held);
        if (told is not null)
        {
            Add(told.Id, held, isHome, told.Resident, addresses);
            return;
        }
        var resident = isHome
            ? new Resident(Name, null, "this machine itself")
            : Resident.Of(held, [.. held.Processes.Select(ProcessFacts.Read).OfType<ProcessFacts>()], addresses, attachments, Name);
        if (_inhabited.ContainsKey(new NamespaceId(resident.FullName)))
        {
            resident = resident with { Name = $"{resident.Name}.{held.Inode}" };
        }
        Add(new NamespaceId(resident.FullName), held, isHome, resident, addresses);
    }

    private void Add(NamespaceId id, HeldNamespace held, bool isHome, Resident resident, List<IpAddress> addresses)
    {
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

/// <summary>Who lives in a namespace, as somebody says who has put them there.</summary>
/// <param name="Id">By which name entries of plans call it.</param>
/// <param name="Path">Where it may be opened, if it is not found otherwise.</param>
public sealed record ToldResident(NamespaceId Id, Resident Resident, string? Path);

/// <summary>A namespace of a machine with who lives there.</summary>
/// <param name="IsHome">It is the machine's own.</param>
/// <param name="Addresses">None of loopback or link; IPv4 first.</param>
public sealed record Inhabited(NamespaceId Id, Resident Resident, bool IsHome, HeldNamespace Held, IReadOnlyList<IpAddress> Addresses);
