using System.Net;
using System.Net.Sockets;
using Plumb.Dns.Answering;
using Plumb.Dns.Forwarding;
using Plumb.Lab.Containers;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Lab.Workloads;

/// <summary>Connections that a built-in workload makes from its pod: by the pod's own hosts file, resolver file and network.</summary>
internal sealed class PodDialer(PodFacts pod, TimeProvider time)
{
    private readonly StubResolver _resolver = new(
        SearchPath.Parse(pod.ResolverFile), (family, protocol) => protocol == ProtocolType.Udp ? pod.Network.OpenUdp(family) : pod.Network.OpenTcp(family), time);

    /// <summary>`HOST:PORT`, `[ADDRESS]:PORT`.</summary>
    /// <returns>Null: it is none.</returns>
    public static (string Host, ushort Port)? Read(string target)
    {
        var colon = target.LastIndexOf(':');
        var host = colon < 0 ? "" : target[..colon];
        var isBare = !host.Contains(':', StringComparison.Ordinal);
        host = host is ['[', .. var inner, ']'] ? inner : isBare ? host : "";
        return host.Length > 0 && ushort.TryParse(target.AsSpan(colon + 1), System.Globalization.NumberStyles.None, null, out var port) && port > 0 ? (host, port) : null;
    }

    /// <returns>Null: it is none; TCP where none is named.</returns>
    public static PodProtocol? ProtocolOf(string? name) => name?.ToLowerInvariant() switch
    {
        null or "" or "tcp" or "http" => PodProtocol.Tcp,
        "udp" => PodProtocol.Udp,
        "sctp" => PodProtocol.Sctp,
        _ => null,
    };

    /// <summary>The addresses of a name, or the one that is written there.</summary>
    /// <exception cref="NameException">It has none, or nobody would say.</exception>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancel)
    {
        if (IPAddress.TryParse(host, out var written))
        {
            return [written];
        }
        if (InHostsFile(host) is { Count: > 0 } known)
        {
            return known;
        }
        try
        {
            return await _resolver.AddressesAsync(host, cancel) is { Count: > 0 } found ? found : throw new NameException($"lookup {host}: no such host");
        }
        catch (Exception silent) when (silent is IOException or SystemCallException)
        {
            throw new NameException($"lookup {host}: {silent.Message}");
        }
    }

    /// <summary>A connected socket, to the first address that takes it.</summary>
    /// <exception cref="NameException">The name has no address.</exception>
    /// <exception cref="SocketException">Nobody took it; of several addresses the last one's.</exception>
    /// <exception cref="SystemCallException">The kernel has no such sockets.</exception>
    public async Task<Socket> ConnectAsync(PodProtocol protocol, string host, ushort port, CancellationToken cancel)
    {
        var addresses = await ResolveAsync(host, cancel);
        for (var i = 0; ; i++)
        {
            var socket = Open(protocol, addresses[i].AddressFamily);
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[i], port), cancel);
                return socket;
            }
            catch (Exception refused)
            {
                socket.Dispose();
                if (refused is not SocketException || i == addresses.Count - 1)
                {
                    throw;
                }
            }
        }
    }

    private Socket Open(PodProtocol protocol, AddressFamily family) => protocol switch
    {
        PodProtocol.Udp => pod.Network.OpenUdp(family),
        PodProtocol.Sctp => pod.Network.OpenSctp(family),
        _ => pod.Network.OpenTcp(family),
    };

    private List<IPAddress> InHostsFile(string host)
    {
        var found = new List<IPAddress>();
        foreach (var line in pod.HostsFile.Split('\n'))
        {
            if (line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is [var address, .. var names]
                && names.TakeWhile(static name => name[0] != '#').Contains(host, StringComparer.OrdinalIgnoreCase)
                && IPAddress.TryParse(address, out var parsed))
            {
                found.Add(parsed);
            }
        }
        return found;
    }
}

internal enum PodProtocol { Tcp, Udp, Sctp }

/// <summary>A name has no address.</summary>
internal sealed class NameException(string message) : Exception(message);
