using System.Diagnostics;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Recorded;

/// <summary>
/// A recorded cluster as a world to walk through. The wire between its machines, its router and its control plane were not recorded: they are put in as the
/// recording's README describes them.
/// </summary>
internal sealed class RecordedWorld : IWorld
{
    private const string WireFlag = "wire-";
    private static readonly NamespaceId Wire = new("wire");

    private readonly Dictionary<NamespaceId, Space> _spaces = [];

    public RecordedWorld(Recording recording)
    {
        // Who has which interface, so that cables have two ends.
        var folders = recording.Machines.Select(static machine => (Name: machine, Folder: machine, Machine: machine))
            .Concat(recording.Machines.SelectMany(machine => recording.Pods(machine).Select(pod => (Name: pod, Folder: $"{machine}/pods/{pod}", Machine: machine)))).ToList();
        var wired = new List<(NamespaceId Space, string Device)>();
        foreach (var (name, folder, machine) in folders)
        {
            var id = new NamespaceId(name);
            var entries = RecordedLinks.Read(recording, folder, id, (link, index) =>
            {
                if (name == machine && recording.Items(folder, "ip-link.json").First(one => (string)one["ifname"]! == link)["master"] is null && link.StartsWith("eth", StringComparison.Ordinal))
                {
                    wired.Add((id, link));
                    return (Wire, WireFlag + name);
                }
                return name == machine ? InPod(recording, machine, link, index) : OnMachine(recording, machine, index);
            }).ToList();
            var addresses = entries.Where(static held => held.Entry is AddressEntry).ToList();
            Add(id, entries, new RecordedSource(recording, folder, id, addresses, Nftables(recording.Text(folder, "nft-ruleset.txt"), id)));
        }
        AddWire(wired);
    }

    public IEnumerable<NamespaceId> Known => _spaces.Keys;

    public Space? Find(NamespaceId id) => _spaces.GetValueOrDefault(id);

    private static (NamespaceId, string)? OnMachine(Recording recording, string machine, int index) =>
        recording.Items(machine, "ip-link.json").FirstOrDefault(link => (int)link["ifindex"]! == index) is { } link ? (new NamespaceId(machine), (string)link["ifname"]!) : null;

    // A node's end says the index of the pod's, which is 2 in each of them: the pod is the one whose end says this one's.
    private static (NamespaceId, string)? InPod(Recording recording, string machine, string name, int index)
    {
        var own = (int)recording.Items(machine, "ip-link.json").First(link => (string)link["ifname"]! == name)["ifindex"]!;
        foreach (var pod in recording.Pods(machine))
        {
            foreach (var link in recording.Items($"{machine}/pods/{pod}", "ip-link.json"))
            {
                if ((int)link["ifindex"]! == index && (int?)link["link_index"] == own && (string?)link["linkinfo"]?["info_kind"] == "veth")
                {
                    return (new NamespaceId(pod), (string)link["ifname"]!);
                }
            }
        }
        return null;
    }

    private void Add(NamespaceId id, IEnumerable<Observed> entries, ISpaceSource source)
    {
        var state = new ObservedState();
        foreach (var entry in entries)
        {
            state.Set(entry);
        }
        _spaces.Add(id, new Space(id, state, source));
    }

    /// <summary>A bridge that joins all machines, a router that knows the wire alone, and somebody at the control plane's port.</summary>
    private void AddWire(List<(NamespaceId Space, string Device)> wired)
    {
        var net = _spaces[wired[0].Space].Addresses.First(address => address.Device == wired[0].Device && address.Address.Family == IpFamily.V4).Address.Network;
        if (!_spaces.ContainsKey(new NamespaceId("outside")))
        {
            wired.Add((Host("outside", net, 100, MacOf(net.First.Plus(100)) ?? MacAddress.Parse("02:00:00:00:00:fc"), "0", [8080]), "eth0"));
        }
        var router = Host("router", net, 1, MacOf(net.First.Plus(1)) ?? MacAddress.Parse("02:00:00:00:00:fe"), "1", []);
        var control = Host("control-plane", net, 10, MacOf(net.First.Plus(10)) ?? MacAddress.Parse("02:00:00:00:00:fd"), "0", [6443]);
        var entries = new List<Observed> { RecordedLinks.Held(new LinkEntry(Wire, "br0", new LinkType.Bridge()) { Mac = MacAddress.Parse("02:00:00:00:00:ff"), MtuBytes = 1500, Up = true }, new KernelFacts(1) { Carrier = true }) };
        foreach (var (space, device) in wired.Append((router, "eth0")).Append((control, "eth0")))
        {
            var up = _spaces[space].Link(device)?.Up == true;
            entries.Add(RecordedLinks.Held(
                new LinkEntry(Wire, WireFlag + space.Name, new LinkType.Veth(space, device)) { MtuBytes = 1500, Up = true, Master = "br0", Mac = MacAddress.Parse($"02:00:00:01:00:{entries.Count:x2}"), Port = new BridgePort { Learning = true, Flood = true, BroadcastFlood = true } },
                new KernelFacts(entries.Count + 1) { Carrier = up }));
        }
        Add(Wire, entries, new GivenSource());
    }

    private NamespaceId Host(string name, IpPrefix net, int last, MacAddress mac, string forwarding, ushort[] ports)
    {
        var id = new NamespaceId(name);
        var own = net.First.Plus((ulong)last);
        Add(
            id,
            [
                RecordedLinks.Held(new LinkEntry(id, "lo", new LinkType.Loopback()) { MtuBytes = 65_536, Up = true }, new KernelFacts(1) { Carrier = true }),
                RecordedLinks.Held(new LinkEntry(id, "eth0", new LinkType.Veth(Wire, WireFlag + name)) { Mac = mac, MtuBytes = 1500, Up = true }, new KernelFacts(2) { Carrier = true }),
                RecordedLinks.Held(new AddressEntry(id, "eth0", new IpPrefix(own, net.Length))),
                RecordedLinks.Held(new RouteEntry(id, net) { NextHops = [new NextHop("eth0", null)], Scope = RouteScope.Link, PreferredSource = own }),
                .. last == 1 ? [] : new[] { RecordedLinks.Held(new RouteEntry(id, IpPrefix.Parse("0.0.0.0/0")) { NextHops = [new NextHop("eth0", net.First.Plus(1))] }) },
                RecordedLinks.Held(new RouteEntry(id, IpPrefix.Host(own)) { NextHops = [new NextHop("eth0", null)], Type = RouteType.Local, Table = RouteTable.Local }),
                RecordedLinks.Held(new RuleEntry(id, IpFamily.V4, 0) { Table = RouteTable.Local }),
                RecordedLinks.Held(new RuleEntry(id, IpFamily.V4, 32766) { Table = RouteTable.Main }),
            ],
            new GivenSource
            {
                Listening = [.. ports.Select(port => new Plumb.Linux.Sockets.BoundSocket(IpAddress.Unspecified(IpFamily.V4), port, Packets.Packet.Tcp))],
                Values = new Dictionary<string, string> { ["net/ipv4/ip_forward"] = forwarding, ["net/ipv4/conf/all/forwarding"] = forwarding, ["net/ipv4/conf/eth0/forwarding"] = forwarding },
            });
        return id;
    }

    // What machines have learned of those that were not recorded.
    private MacAddress? MacOf(IpAddress address) => _spaces.Values.Select(space => space.Neighbour("eth0", address)?.Mac).FirstOrDefault(static mac => mac is not null);

    /// <summary>nft's own tables, read by nft itself into a namespace of their own, and from there as any.</summary>
    private static IReadOnlyList<Observed> Nftables(string ruleset, NamespaceId id)
    {
        var own = string.Join("\n", Tables(ruleset)).Replace("offclusterap", "vmap", StringComparison.Ordinal); // names were replaced in the recordings
        if (own.Length == 0)
        {
            return [];
        }
        using var kernels = new Kernels();
        var network = NetworkNamespace.Create();
        kernels.Add(id, network);
        using (var nft = Process.Start(new ProcessStartInfo("nsenter", [$"--net={network.ProcPath}", "nft", "-f", "-"]) { RedirectStandardInput = true, RedirectStandardError = true })!)
        {
            nft.StandardInput.Write(own);
            nft.StandardInput.Close();
            var complaint = nft.StandardError.ReadToEnd();
            nft.WaitForExit();
            Assert.True(nft.ExitCode == 0, complaint);
        }
        return [.. kernels.Observe([id]).Entries.Values.Where(static held => Kernels.IsRules(held.Entry.Kind))];
    }

    // iptables' nft variant keeps its tables under these names; iptables-save tells of them.
    private static IEnumerable<string> Tables(string ruleset)
    {
        var isOwn = false;
        foreach (var line in ruleset.Split('\n'))
        {
            if (line.StartsWith("table ", StringComparison.Ordinal))
            {
                isOwn = line.Split(' ')[2] is not ("nat" or "filter" or "mangle" or "raw" or "security");
            }
            if (isOwn)
            {
                yield return line;
            }
        }
    }
}
