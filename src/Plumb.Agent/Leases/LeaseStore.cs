using System.Text.Json;
using Plumb.Agent.Cni;
using Plumb.Agent.Storage;
using Plumb.Linux.Addresses;
using Plumb.Linux.Native;
using Plumb.Network.Facts;
using Plumb.Network.Pods;

namespace Plumb.Agent.Leases;

/// <summary>
/// Which container holds which address: one file for each address, named by it, so that the file system itself refuses to give
/// one twice. Used by one thread.
/// </summary>
/// <remarks>
/// A file that is cut short is of an ADD that never returned: nobody holds its address. Files of an earlier boot are of
/// containers that are no more.
/// </remarks>
internal sealed class LeaseStore
{
    /// <summary>Below the agent's state directory.</summary>
    public const string DirectoryName = "leases";

    private readonly string _directory;
    private readonly string _bootId;
    private readonly AgentFiles _files;
    private readonly Dictionary<SandboxId, Lease> _leases = [];
    private readonly HashSet<IpAddress> _held = [];
    private readonly Dictionary<IpPrefix, IpAddress> _lastGiven = [];

    private LeaseStore(string directory, string bootId, AgentFiles files)
    {
        _directory = directory;
        _bootId = bootId;
        _files = files;
    }

    public IReadOnlyCollection<Lease> All => _leases.Values;

    /// <summary>Reads what an earlier agent left, and removes what nobody holds any more.</summary>
    /// <param name="bootId"><c>/proc/sys/kernel/random/boot_id</c></param>
    public static LeaseStore Open(string directory, string bootId, AgentFiles files)
    {
        var store = new LeaseStore(directory, bootId, files);
        files.CreateDirectory(directory);
        var found = new List<(DateTime Written, IpAddress Address, LeaseFile? File)>();
        foreach (var path in FilesIn(directory))
        {
            found.Add((File.GetLastWriteTimeUtc(path), IpAddress.Parse(Path.GetFileName(path)), Read(path)));
        }
        found.Sort(static (left, right) =>
        {
            var byTime = left.Written.CompareTo(right.Written);
            return byTime != 0 ? byTime : left.Address.CompareTo(right.Address);
        });
        var there = found.Select(static lease => lease.Address.ToString()).ToHashSet();
        foreach (var (_, address, file) in found)
        {
            if (file is null || file.BootId != bootId || !IpPrefix.TryParse(file.Pool, out var pool) || !file.Addresses.All(there.Contains))
            {
                files.Delete(store.PathOf(address));
                continue;
            }
            store.Remember(file, new PodLease(address, pool));
        }
        return store;
    }

    /// <summary>Leases' files, and nothing else that may be there.</summary>
    public static IEnumerable<string> FilesIn(string directory) =>
        Directory.EnumerateFiles(directory).Where(static path => IpAddress.TryParse(Path.GetFileName(path), out _));

    public Lease? Find(SandboxId id) => _leases.GetValueOrDefault(id);

    /// <summary>Takes one address from each pool, or none at all.</summary>
    /// <param name="asked">Addresses to take, if they can be had; a pool of which none is asked for gives its next.</param>
    /// <exception cref="CniException">A pool has none left; an address that is asked for is held, or is not the node's to give.</exception>
    /// <exception cref="IOException">The disk is full or read-only.</exception>
    public Lease Take(Lease without, IReadOnlyList<PodPool> pools, string nodeName, IReadOnlyList<IpAddress> asked)
    {
        CheckAsked(without, pools, nodeName, asked);
        var addresses = new List<PodLease>(pools.Count);
        foreach (var pool in pools)
        {
            var chosen = asked.Where(one => pool.Range.Contains(one)).Cast<IpAddress?>().FirstOrDefault();
            var address = chosen ?? HostLocal.Next(pool.Range, _held.Contains, LastGiven(pool.Range)) ?? throw Exhausted(pool.Range, nodeName);
            addresses.Add(new PodLease(address, pool.Range));
        }
        var lease = without with { Addresses = [.. addresses] };
        var written = 0;
        try
        {
            foreach (var address in addresses)
            {
                var content = JsonSerializer.SerializeToUtf8Bytes(LeaseFile.Of(lease, address, _bootId), LeaseJson.Default.LeaseFile);
                _files.CreateNew(PathOf(address.Address), content);
                written++;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            foreach (var address in addresses.Take(written))
            {
                _files.TryDelete(PathOf(address.Address));
            }
            throw;
        }
        foreach (var address in addresses)
        {
            _held.Add(address.Address);
            _lastGiven[address.Pool] = address.Address;
        }
        _leases[lease.Id] = lease;
        return lease;
    }

    private void CheckAsked(Lease without, IReadOnlyList<PodPool> pools, string nodeName, IReadOnlyList<IpAddress> asked)
    {
        foreach (var address in asked)
        {
            if (!pools.Any(pool => HostLocal.Gives(pool.Range, address)))
            {
                throw new CniException(
                    CniErrorCode.InvalidConfiguration, $"runtimeConfig.ips: {address} is not {nodeName}'s to give, which has {string.Join(", ", pools.Select(static pool => pool.Range))}");
            }
            if (_held.Contains(address))
            {
                throw new CniException(CniErrorCode.TryAgainLater, $"runtimeConfig.ips: {address} is held by another container");
            }
        }
        if (asked.GroupBy(static address => address.Family).Any(static family => family.Count() > 1))
        {
            throw new CniException(CniErrorCode.InvalidConfiguration, "runtimeConfig.ips: a pod has one address of each family");
        }
        foreach (var (port, holder) in All.SelectMany(static lease => lease.Ports.Select(port => (port, lease))))
        {
            if (without.Ports.Any(port.ConflictsWith))
            {
                throw new CniException(CniErrorCode.TryAgainLater, $"runtimeConfig.portMappings: {port} of {nodeName} leads to {holder.ToSandbox().Origin}");
            }
        }
        if (without.Mac is { } mac && All.Any(lease => lease.ToSandbox().Mac == mac))
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"runtimeConfig.mac: {mac} is held by another container");
        }
    }

    /// <summary>Writes down what else is known of a lease now; its addresses are the same.</summary>
    /// <exception cref="IOException">The disk is full or read-only.</exception>
    public Lease Renew(Lease lease)
    {
        foreach (var address in lease.Addresses)
        {
            _files.Replace(PathOf(address.Address), JsonSerializer.SerializeToUtf8Bytes(LeaseFile.Of(lease, address, _bootId), LeaseJson.Default.LeaseFile));
        }
        return _leases[lease.Id] = lease;
    }

    /// <summary>Gives back what a container's interface holds; nothing happens when it holds nothing.</summary>
    public void Release(SandboxId id)
    {
        if (_leases.Remove(id, out var lease))
        {
            foreach (var address in lease.Addresses)
            {
                _files.Delete(PathOf(address.Address));
                _held.Remove(address.Address);
            }
        }
    }

    /// <summary>How many addresses of a range are held.</summary>
    public int CountIn(IpPrefix range)
    {
        var count = 0;
        foreach (var address in _held)
        {
            count += range.Contains(address) ? 1 : 0;
        }
        return count;
    }

    private static LeaseFile? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), LeaseJson.Default.LeaseFile);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private IpAddress? LastGiven(IpPrefix pool) => _lastGiven.TryGetValue(pool, out var last) ? last : null;

    private CniException Exhausted(IpPrefix range, string nodeName) => new(
        CniErrorCode.TryAgainLater,
        $"no free address in {range} on {nodeName}: {CountIn(range)} of {HostLocal.Capacity(range)} in use");

    private string PathOf(IpAddress address) => Path.Combine(_directory, address.ToString());

    private void Remember(LeaseFile file, PodLease address)
    {
        var id = new SandboxId(file.ContainerId, file.Interface);
        _held.Add(address.Address);
        _lastGiven[address.Pool] = address.Address;
        if (_leases.TryGetValue(id, out var other))
        {
            _leases[id] = other with { Addresses = [.. other.Addresses.Append(address).OrderBy(static lease => lease.Address)] };
            return;
        }
        _leases[id] = new Lease(id, [address], file.NamespacePath, new FileIdentity(file.NamespaceDevice, file.NamespaceInode))
        {
            PodScope = file.PodNamespace,
            PodName = file.PodName,
            PodUid = file.PodUid,
            Network = file.Network ?? "",
            Mac = MacAddress.TryParse(file.Mac, out var mac) ? mac : null,
            Ports = [.. (file.Ports ?? []).Select(static port => port.ToPort())],
            Bandwidth = new Bandwidth(file.Ingress?.ToLimit(), file.Egress?.ToLimit()),
        };
    }
}
