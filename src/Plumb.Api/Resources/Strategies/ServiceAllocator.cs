using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

/// <summary>Which cluster addresses and node ports are taken. Thread-safe.</summary>
internal sealed class ServiceAllocator(ServiceRanges ranges, Random random)
{
    private const int PortCount = ServiceRanges.LastNodePort - ServiceRanges.FirstNodePort + 1;

    private readonly HashSet<IPAddress> _addresses = [];
    private readonly HashSet<(string Protocol, int Port)> _ports = [];
    private readonly Lock _gate = new();

    public ServiceRanges Ranges { get; } = ranges;

    /// <returns>Null, or why the address cannot be had.</returns>
    public string? Take(IPAddress address)
    {
        if (Ranges.Of(address.AddressFamily) is not { } range || !ServiceRanges.IsUsable(range, address))
            return "the provided network does not match the current range";
        lock (_gate)
            return _addresses.Add(address) ? null : "provided IP is already allocated";
    }

    /// <exception cref="ApiException">500: the range is full.</exception>
    public IPAddress TakeAny(AddressFamily family)
    {
        var range = Ranges.Of(family) ?? throw ApiException.Internal($"failed to allocate a serviceIP: no range of {family} is configured");
        var count = ServiceRanges.Count(range);
        lock (_gate)
        {
            // A random start, then the next free one. A real server keeps the lower end for addresses that are asked for by name.
            var span = (long)BigInteger.Min(count, long.MaxValue);
            var reserved = Math.Min(256, Math.Max(16, span / 16));
            var start = reserved < span ? reserved + random.NextInt64(span - reserved) : 0;
            for (long i = 0; i < span; i++)
            {
                var address = ServiceRanges.At(range, 1 + ((start + i) % span));
                if (_addresses.Add(address))
                    return address;
            }
        }

        throw ApiException.Internal("failed to allocate a serviceIP: range is full");
    }

    public void Free(IPAddress address)
    {
        lock (_gate)
            _addresses.Remove(address);
    }

    /// <returns>Null, or why the port cannot be had.</returns>
    public string? TakePort(string protocol, int port)
    {
        if (port is < ServiceRanges.FirstNodePort or > ServiceRanges.LastNodePort)
            return $"provided port is not in the valid range. The range of valid ports is {ServiceRanges.FirstNodePort}-{ServiceRanges.LastNodePort}";
        lock (_gate)
            return _ports.Add((protocol, port)) ? null : "provided port is already allocated";
    }

    /// <exception cref="ApiException">500: all are taken.</exception>
    public int TakeAnyPort(string protocol)
    {
        lock (_gate)
        {
            var start = random.Next(PortCount);
            for (var i = 0; i < PortCount; i++)
            {
                var port = ServiceRanges.FirstNodePort + ((start + i) % PortCount);
                if (_ports.Add((protocol, port)))
                    return port;
            }
        }

        throw ApiException.Internal("failed to allocate a nodePort: range is full");
    }

    public void FreePort(string protocol, int port)
    {
        lock (_gate)
            _ports.Remove((protocol, port));
    }
}
