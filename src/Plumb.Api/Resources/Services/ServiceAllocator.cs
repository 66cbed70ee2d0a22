using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Services;

/// <summary>
/// Which cluster addresses and node ports are taken. All of it follows from objects: from the Services that hold them, and from IPAddresses, which it keeps for each
/// Service's addresses and which a person may make to keep one free. Thread-safe.
/// </summary>
/// <remarks>What is asked for by name has the lower end of each range to itself as long as the upper has room (KEP-3070, KEP-3668).</remarks>
internal sealed class ServiceAllocator(Registry registry, Random random)
{
    private const string ManagedByLabel = "ipaddress.kubernetes.io/managed-by";
    private const string ManagedBy = "ipallocator.k8s.io";
    private const int PortCount = ServiceRanges.LastNodePort - ServiceRanges.FirstNodePort + 1;

    /// <summary>Node ports below are given only when asked for, or when no others are left: 30000–30085.</summary>
    private static readonly int PortsByName = Math.Clamp(PortCount / 32, 16, 128);

    private readonly HashSet<IPAddress> _addresses = [];
    private readonly HashSet<int> _ports = [];
    private readonly SortedDictionary<string, IPNetwork[]> _more = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public ServiceRanges Ranges => registry.Ranges;

    /// <summary>Takes what the Services in the store hold, and that only: for a server that begins on a store that is not empty.</summary>
    public void Restore()
    {
        lock (_gate)
        {
            _more.Clear();
            _addresses.Clear();
            _ports.Clear();
            foreach (var range in registry.Store.List(GroupResource.ServiceCidrs))
                _more[range.Name] = ServiceCidrStrategy.RangesOf(range.ToNode());
            foreach (var service in registry.Store.List(GroupResource.Services))
            {
                var spec = Fields.Find(service.ToNode(), "spec");
                _addresses.UnionWith(AddressesOf(spec));
                _ports.UnionWith(PortsOf(spec));
            }
        }
    }

    /// <summary>The ranges that a ServiceCIDR adds to those that the server was started with; null: it is gone.</summary>
    public void SetRanges(string name, IPNetwork[]? ranges)
    {
        lock (_gate)
        {
            if (ranges is null)
                _more.Remove(name);
            else
                _more[name] = ranges;
        }
    }

    /// <returns>Null, or why the address cannot be had.</returns>
    public string? Take(IPAddress address)
    {
        lock (_gate)
        {
            if (!RangesOf(address.AddressFamily).Any(range => ServiceRanges.IsUsable(range, address)))
                return "the provided network does not match the current range";
            return TryTake(address) ? null : "provided IP is already allocated";
        }
    }

    /// <exception cref="ApiException">500: the range is full.</exception>
    public IPAddress TakeAny(AddressFamily family)
    {
        lock (_gate)
        {
            foreach (var range in RangesOf(family))
            {
                var count = (long)BigInteger.Min(ServiceRanges.Count(range), long.MaxValue);
                var byName = Math.Min(Math.Clamp(count / 16, 16, 256), count);
                if ((TakeBetween(range, byName, count) ?? TakeBetween(range, 0, byName)) is { } address)
                    return address;
            }
        }

        throw ApiException.Internal("failed to allocate a serviceIP: range is full");
    }

    /// <returns>Null, or why the port cannot be had.</returns>
    public string? TakePort(int port)
    {
        if (port is < ServiceRanges.FirstNodePort or > ServiceRanges.LastNodePort)
            return $"provided port is not in the valid range. The range of valid ports is {ServiceRanges.FirstNodePort}-{ServiceRanges.LastNodePort}";
        lock (_gate)
            return _ports.Add(port) ? null : "provided port is already allocated";
    }

    /// <exception cref="ApiException">500: all are taken.</exception>
    public int TakeAnyPort()
    {
        lock (_gate)
        {
            if ((TakePortBetween(PortsByName, PortCount) ?? TakePortBetween(0, PortsByName)) is { } port)
                return port;
        }

        throw ApiException.Internal("failed to allocate a nodePort: range is full");
    }

    public void Free(IPAddress address)
    {
        lock (_gate)
            _addresses.Remove(address);
    }

    public void FreePort(int port)
    {
        lock (_gate)
            _ports.Remove(port);
    }

    /// <summary>Makes the IPAddresses of a Service's addresses, those that it has already excepted.</summary>
    public void Record(string @namespace, string name, JsonObject? spec)
    {
        foreach (var address in AddressesOf(spec))
        {
            if (registry.Store.Find(KeyOf(address)) is null)
                Write(@namespace, name, address);
        }
    }

    /// <summary>Removes the IPAddresses that a Service holds no more and gives the addresses free.</summary>
    public void Forget(IEnumerable<IPAddress> addresses)
    {
        foreach (var address in addresses)
        {
            try
            {
                registry.Delete(KeyOf(address));
            }
            catch (ApiException gone) when (gone.IsNotFound)
            {
                // Somebody deleted it by hand.
            }

            Free(address);
        }
    }

    public static StoreKey KeyOf(IPAddress address) => new(GroupResource.IPAddresses, "", address.ToString());

    /// <summary>Whether the IPAddress was made for a Service and not by a person.</summary>
    public static bool IsOurs(StoredObject address) => address.Labels.TryGetValue(ManagedByLabel, out var by) && by == ManagedBy;

    /// <summary>A Service's cluster addresses.</summary>
    public static IEnumerable<IPAddress> AddressesOf(JsonObject? spec)
    {
        foreach (var text in MetadataValidation.Texts(spec, "clusterIPs"))
        {
            if (IPAddress.TryParse(text, out var address))
                yield return address;
        }
    }

    /// <summary>A Service's node ports, that of its health check included.</summary>
    public static HashSet<int> PortsOf(JsonObject? spec)
    {
        var ports = NodePortsOf(spec);
        if (Fields.Number(spec, "healthCheckNodePort") is { } health and not 0)
            ports.Add((int)health);
        return ports;
    }

    public static HashSet<int> NodePortsOf(JsonObject? spec)
    {
        var ports = new HashSet<int>();
        foreach (var port in Fields.Objects(spec, "ports"))
        {
            if (Fields.Number(port, "nodePort") is { } number and not 0)
                ports.Add((int)number);
        }

        return ports;
    }

    private void Write(string @namespace, string name, IPAddress address)
    {
        try
        {
            registry.Create(GroupResource.IPAddresses, "", new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = address.ToString(),
                    ["labels"] = new JsonObject { ["ipaddress.kubernetes.io/ip-family"] = ServiceFamilies.NameOf(address.AddressFamily), [ManagedByLabel] = ManagedBy },
                },
                ["spec"] = new JsonObject { ["parentRef"] = new JsonObject { ["resource"] = "services", ["namespace"] = @namespace, ["name"] = name } },
            }, WriteOptions.OfServer);
        }
        catch (ApiException there) when (there.IsAlreadyExists)
        {
            // The repair was faster.
        }
    }

    private IEnumerable<IPNetwork> RangesOf(AddressFamily family)
    {
        if (Ranges.Of(family) is not { } first)
            yield break;
        yield return first;
        foreach (var ranges in _more.Values)
        {
            foreach (var range in ranges)
            {
                if (range.BaseAddress.AddressFamily == family && range != first)
                    yield return range;
            }
        }
    }

    /// <summary>From a random start on, the first that is free among the addresses at these offsets, counted from the range's first usable one.</summary>
    private IPAddress? TakeBetween(IPNetwork range, long from, long to)
    {
        if (from >= to)
            return null;
        var start = random.NextInt64(to - from);
        for (long i = 0; i < to - from; i++)
        {
            var address = ServiceRanges.At(range, 1 + from + ((start + i) % (to - from)));
            if (TryTake(address))
                return address;
        }

        return null;
    }

    private int? TakePortBetween(int from, int to)
    {
        var start = random.Next(to - from);
        for (var i = 0; i < to - from; i++)
        {
            var port = ServiceRanges.FirstNodePort + from + ((start + i) % (to - from));
            if (_ports.Add(port))
                return port;
        }

        return null;
    }

    private bool TryTake(IPAddress address)
    {
        if (!_addresses.Add(address))
            return false;
        if (registry.Store.Find(KeyOf(address)) is null)
            return true;
        _addresses.Remove(address);
        return false;
    }
}
