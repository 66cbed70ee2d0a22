using System.Text.Json.Nodes;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Rules;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>Probes that were really made in a cluster of kube-proxy with iptables, through the rules that its nodes had then.</summary>
public sealed class ForeignClusterTests
{
    private const string Wire = "eth0";
    private const string Bridge = "cni0";

    [Theory]
    [InlineData("iptables-legacy", "iptables-legacy-save.txt")]
    [InlineData("iptables-nft", "iptables-save.txt")]
    public void Who_answered_is_who_the_rules_lead_to_with_the_address_that_it_saw(string scenario, string saved)
    {
        var folder = Foreign.Require(scenario);
        var cluster = new Cluster(folder, saved);
        var trouble = new List<string>();
        var count = 0;
        foreach (var line in File.ReadLines(Path.Combine(folder, "truth.jsonl")))
        {
            count++;
            trouble.AddRange(cluster.Check(JsonNode.Parse(line)!).Select(what => $"{what}: {line}"));
        }
        Assert.True(count > 500, $"{count} probes");
        Assert.True(trouble.Count == 0, $"{trouble.Count} of {count}\n{string.Join('\n', trouble.Take(20))}");
    }

    /// <summary>Where a packet ended, and from whom it seemed to come there.</summary>
    private sealed record End(string Where, string Source, Decision Decision);

    private sealed class Cluster
    {
        private readonly Dictionary<string, Node> _nodes;
        private readonly Dictionary<IpAddress, string> _hosts = new()
        {
            [IpAddress.V4(192, 168, 1, 50)] = "offcluster", [IpAddress.V4(192, 168, 1, 100)] = "outside", [IpAddress.V4(192, 168, 1, 101)] = "outside2",
        };

        private readonly Dictionary<string, (IpAddress Address, string Node)> _pods = [];

        public Cluster(string folder, string saved)
        {
            _nodes = new[] { "node-1", "node-2" }.ToDictionary(static name => name, name => new Node(folder, name, saved));
            foreach (var item in JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "objects.json")))!["items"]!.AsArray())
            {
                if ((string)item!["kind"]! == "Pod" && item["spec"]!["hostNetwork"] is null)
                {
                    var name = (string)item["metadata"]!["name"]!;
                    var address = IpAddress.Parse((string)item["status"]!["podIP"]!);
                    _pods[name] = (address, (string)item["spec"]!["nodeName"]!);
                    _hosts[address] = name;
                }
            }
        }

        public IEnumerable<string> Check(JsonNode probe)
        {
            var ends = Send(probe);
            if (ends.Find(static end => end.Decision == Decision.Undecided) is { } undecided)
            {
                yield return $"cannot be decided: {undecided.Where}";
            }
            var outcomes = probe["outcomes"]!.AsObject();
            var delivered = ends.Where(static end => end.Decision == Decision.Accept).ToList();
            if (outcomes.ContainsKey("answered"))
            {
                var (servers, sources) = (Names("answeredBy"), Names("sourceSeenByServer"));
                if (!servers.TrueForAll(server => delivered.Exists(end => end.Where == server)))
                {
                    yield return $"leads to {string.Join(", ", ends)}";
                }
                if (!sources.TrueForAll(source => delivered.Exists(end => end.Source == source)))
                {
                    yield return $"comes as {string.Join(", ", ends)}";
                }
            }
            if (outcomes.ContainsKey("EPERM") && !ends.TrueForAll(static end => end.Decision == Decision.Reject))
            {
                yield return $"is not refused: {string.Join(", ", ends)}";
            }
            // A closed port of whoever it reached refuses as well.
            if (outcomes.ContainsKey("refused") && !ends.TrueForAll(static end => end.Decision is Decision.Reject or Decision.Accept && end.Where != "nowhere"))
            {
                yield return $"is not refused: {string.Join(", ", ends)}";
            }

            List<string> Names(string field) => [.. (probe[field] as JsonObject ?? []).Select(static item => item.Key)];
        }

        private List<End> Send(JsonNode probe)
        {
            var (kind, from) = ((string)probe["from"]!["kind"]!, (string)probe["from"]!["name"]!);
            var to = IpAddress.Parse((string)probe["ip"]!);
            var isTcp = (string)probe["proto"]! == "tcp";
            var source = kind switch
            {
                "pod" => _pods[from].Address,
                "node" => _nodes[from].SourceTo(to),
                _ => _hosts.Single(host => host.Value == from).Key,
            };
            var packet = new Packet(source, to, isTcp ? Packet.Tcp : Packet.Udp)
            {
                SourcePort = 50000, DestinationPort = (ushort)(int)probe["port"]!, Flags = isTcp ? TcpFlags.Syn : TcpFlags.None,
            };
            var ends = new List<End>();
            switch (kind)
            {
                case "pod":
                    Pass(_nodes[_pods[from].Node], packet, Bridge, ends);
                    break;
                case "node":
                    Pass(_nodes[from], packet, null, ends);
                    break;
                default:
                    Arrive(packet, ends, (uint)to.Number >> 8 == 0xcb0071 ? "node-1" : (uint)to.Number >> 8 == 0xc63364 ? "node-2" : null);
                    break;
            }
            return ends;
        }

        // What is on the wire goes to whom it belongs.
        private void Arrive(Packet packet, List<End> ends, string? routed = null)
        {
            var node = routed is null ? _nodes.Values.FirstOrDefault(node => node.IsOwn(packet.Destination) || node.Pods.Contains(packet.Destination)) : _nodes[routed];
            if (node is not null)
            {
                Pass(node, packet, Wire, ends);
            }
            else
            {
                ends.Add(new End(_hosts.GetValueOrDefault(packet.Destination, "nowhere"), packet.Source.ToString(), Decision.Accept));
            }
        }

        private void Pass(Node node, Packet packet, string? incoming, List<End> ends)
        {
            foreach (var come in node.Run(packet, null, incoming is null ? ChainHook.Output : ChainHook.Prerouting, incoming, null, ends))
            {
                var to = come.Packet.Destination;
                if (node.IsOwn(to))
                {
                    foreach (var end in node.Run(come.Packet, come.Connection, ChainHook.Input, incoming ?? "lo", null, ends))
                    {
                        ends.Add(new End(node.Name, end.Packet.Source.ToString(), Decision.Accept));
                    }
                    continue;
                }
                var outgoing = node.Pods.Contains(to) ? Bridge : Wire;
                List<HookOutcome> through = incoming is null ? [come] : node.Run(come.Packet, come.Connection, ChainHook.Forward, incoming, outgoing, ends);
                foreach (var gone in through.SelectMany(way => node.Run(way.Packet, way.Connection, ChainHook.Postrouting, incoming, outgoing, ends)))
                {
                    // Marks stay at home.
                    var left = gone.Packet with { Mark = 0 };
                    if (outgoing == Bridge)
                    {
                        ends.Add(new End(_hosts.GetValueOrDefault(to, "nowhere"), left.Source.ToString(), Decision.Accept));
                    }
                    else
                    {
                        Arrive(left, ends);
                    }
                }
            }
        }
    }

    private sealed class Node
    {
        private readonly HookPrograms _programs;
        private readonly HashSet<IpAddress> _own = [];
        private readonly NamespaceId _id;

        public Node(string folder, string name, string saved)
        {
            (Name, _id) = (name, new NamespaceId(name));
            var entries = new List<Observed>(IptablesSave.Read(File.ReadAllText(Path.Combine(folder, name, saved)), IpFamily.V4, _id));
            foreach (var link in JsonNode.Parse(File.ReadAllText(Path.Combine(folder, name, "ip-addr.json")))!.AsArray())
            {
                foreach (var info in link!["addr_info"]!.AsArray().Where(static info => (string)info!["family"]! == "inet"))
                {
                    var address = new IpPrefix(IpAddress.Parse((string)info!["local"]!), (int)info["prefixlen"]!);
                    _own.Add(address.Address);
                    entries.Add(new Observed(new AddressEntry(_id, (string)link["ifname"]!, address), Owner.Foreign, null, new KernelFacts()));
                }
            }
            _programs = new HookPrograms(entries, _id);
            Pods = IpPrefix.Parse(name == "node-1" ? "10.244.0.0/24" : "10.244.1.0/24");
        }

        public string Name { get; }

        public IpPrefix Pods { get; }

        public bool IsOwn(IpAddress address) => _own.Contains(address) || address.IsLoopback;

        public IpAddress SourceTo(IpAddress to) => IsOwn(to) ? to : Pods.Contains(to) ? Pods.First.Plus(1) : IpAddress.V4(192, 168, 1, (byte)(Name == "node-1" ? 11 : 12));

        /// <summary>The ways that go on; those that end here are added.</summary>
        public List<HookOutcome> Run(Packet packet, Connection? connection, ChainHook hook, string? incoming, string? outgoing, List<End> ends)
        {
            var place = new HookPlace(_id, hook, incoming, outgoing) { Fib = address => new FibAnswer(IsOwn(address) ? (byte)2 : (byte)1, null) };
            var ways = Hooks.Run(_programs, packet, connection, place);
            Assert.Equal(1, ways.Sum(static way => way.Probability), 9);
            ends.AddRange(ways.Where(static way => way.Decision != Decision.Accept).Select(way => new End($"{Name} {way.Steps[^1].Text} {way.Steps[^1].What}", "", way.Decision)));
            return [.. ways.Where(static way => way.Decision == Decision.Accept)];
        }
    }
}
