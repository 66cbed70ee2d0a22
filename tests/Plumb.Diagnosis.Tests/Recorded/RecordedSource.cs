using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Recorded;

/// <summary>Sockets, parameters and rules of a recorded namespace: nft's tables, and both variants of iptables, each as its own.</summary>
internal sealed class RecordedSource : ISpaceSource
{
    private readonly Dictionary<string, string> _parameters = new(StringComparer.Ordinal);
    private readonly List<BoundSocket> _sockets = [];
    private readonly List<HookPrograms> _programs = [];
    private readonly List<ConntrackEntry> _connections = [];
    private readonly ConnectionTable _table;

    /// <param name="addresses">Of the namespace: masquerade and redirect ask for them.</param>
    /// <param name="nftables">The tables of nft's own.</param>
    public RecordedSource(Recording recording, string folder, NamespaceId id, IReadOnlyList<Observed> addresses, IReadOnlyList<Observed> nftables)
    {
        foreach (var line in recording.Text(folder, "sysctl-net.txt").Split('\n'))
        {
            if (line.Split(" = ", 2) is [var name, var value])
            {
                _parameters[name.Replace('.', '/')] = value.Trim();
            }
        }
        foreach (var line in recording.Text(folder, "ss.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            _sockets.AddRange(Sockets(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        }
        _connections.AddRange(recording.Text(folder, "conntrack.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(RecordedConnection.Read).OfType<ConntrackEntry>());
        _table = new ConnectionTable(_connections);
        _programs.Add(new HookPrograms([.. addresses, .. nftables], id));
        foreach (var file in (string[])["iptables-save.txt", "iptables-legacy-save.txt"])
        {
            if (recording.Text(folder, file) is { Length: > 0 } saved)
            {
                _connections.AddRange(recording.Text(folder, "conntrack.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(RecordedConnection.Read).OfType<ConntrackEntry>());
        _table = new ConnectionTable(_connections);
        _programs.Add(new HookPrograms([.. addresses, .. IptablesSave.Read(saved, IpFamily.V4, id)], id));
            }
        }
    }

    public IReadOnlyList<BoundSocket> Sockets() => _sockets;

    public IReadOnlyList<ConntrackEntry> Connections(IpFamily family) => _connections.FindAll(one => one.Original.Source.Family == family);

    public ConntrackEntry? Connection(ConntrackTuple tuple, ushort zone) => _table.Find(tuple, zone);

    public IReadOnlyDictionary<string, string> Parameters(IReadOnlyList<string> paths) => _parameters;

    public bool TracksConnections(ObservedState state, IpFamily family) => _programs.Exists(programs => programs.TracksConnections(family));

    public IReadOnlyList<IHookProgram> Programs(ObservedState state, IpFamily family, ChainHook hook) =>
        [.. _programs.SelectMany(programs => programs.At(family, hook)).OrderBy(static program => program.Priority)];

    // udp UNCONN 0 0 *:8081 *:* users:(…): * is both families, 0.0.0.0 one.
    private static IEnumerable<BoundSocket> Sockets(string[] words)
    {
        var (place, protocol) = (words[4], words[0] == "tcp" ? Packet.Tcp : Packet.Udp);
        var colon = place.LastIndexOf(':');
        var (host, port) = (place[..colon].Split('%')[0].Trim('[', ']'), ushort.Parse(place[(colon + 1)..]));
        yield return host == "*" ? new BoundSocket(IpAddress.Unspecified(IpFamily.V6), port, protocol)
            : new BoundSocket(IpAddress.Parse(host), port, protocol) { OnlyIPv6 = host.Contains(':') };
    }
}
