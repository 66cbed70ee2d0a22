using System.Text.Json.Nodes;
using Plumb.Diagnosis.NearMisses;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Recorded;

/// <summary>Probes that were really made in clusters of others, walked through the kernels as they were recorded then.</summary>
public sealed class RecordedClusterTests
{
    [Theory]
    [InlineData("iptables-legacy")]
    [InlineData("iptables-nft")]
    [InlineData("nftables")]
    [InlineData("podman-cni")]
    [InlineData("cni-ptp-macvlan")]
    public void The_walk_says_what_happened_to_every_probe(string scenario)
    {
        var (recording, world) = Open(scenario);
        var trouble = new List<string>();
        var count = 0;
        foreach (var probe in recording.Probes())
        {
            count++;
            if (Objection(world, probe) is { } what)
            {
                trouble.Add($"{what}: {probe.ToJsonString()}");
            }
        }
        Assert.True(count >= 30, $"{count} probes");
        Assert.True(trouble.Count == 0, $"{trouble.Count} of {count}\n{string.Join('\n', trouble.Take(25))}");
    }

    [Theory]
    [InlineData("bridge-nf-call-off", "nobody knows it there")]
    [InlineData("foreign-nft-drop", "tcp dport 8080")]
    [InlineData("ip-forward-off", "forward")]
    [InlineData("legacy-forward-drop", "FORWARD")]
    [InlineData("listens-on-loopback-only", "nobody listens at TCP port 8080 of lo-only")]
    [InlineData("missing-route", "router")]
    [InlineData("pod-no-default-route", "no route to")]
    [InlineData("pod-veth-down", "veth32cd163e")]
    [InlineData("stale-udp-conntrack", "node-1 remembers this flow from before and goes on sending it to 10.244.1.250:8081; a new one would be delivered to web-")]
    [InlineData("veth-mtu-node-side", "MTU of 1300")]
    [InlineData("wrong-neighbour", "02:00:00:00:00:99")]
    [InlineData("wrong-target-port", "nobody listens at TCP port 9999")]
    public void The_walk_names_the_true_cause_of_a_fault(string fault, string cause)
    {
        var (recording, world) = Open($"faults/{fault}");
        var trouble = new List<string>();
        var reasons = new SortedSet<string>(StringComparer.Ordinal);
        var count = 0;
        foreach (var probe in recording.Probes())
        {
            // The walk sends the first packet of a connection, not its data. Of node-2 no rules were recorded while the Service was changed.
            if ((probe["payload"] is not null && (string)probe["proto"]! == "tcp") || (fault == "wrong-target-port" && ((string)probe["from"]!["name"]!).EndsWith("-2", StringComparison.Ordinal)))
            {
                continue;
            }
            count++;
            var trace = Walk(world, probe);
            reasons.UnionWith(trace.Outcomes.Where(static outcome => outcome.Verdict != Verdict.Delivered)
                .Select(outcome => $"{outcome.Reason} ({outcome.Killer?.Text}) {StaleConnection.Of(world, trace, outcome, static id => id.Name)}"));
            if (Objection(world, probe) is { } what)
            {
                trouble.Add($"{what}: {probe.ToJsonString()}");
            }
        }
        Assert.True(reasons.Any(reason => reason.Contains(cause, StringComparison.Ordinal)), $"'{cause}' is never said, in {count} probes, but:\n{string.Join('\n', reasons)}");
        Assert.True(trouble.Count == 0, $"{trouble.Count} of {count}\n{string.Join('\n', trouble.Take(25))}");
    }

    private static (Recording, RecordedWorld) Open(string scenario)
    {
        var folder = Foreign.Require(scenario);
        var recording = new Recording(scenario.StartsWith("faults/", StringComparison.Ordinal) ? [folder, Foreign.Require("faults/_healthy"), Foreign.Require("nftables")] : [folder]);
        return (recording, new RecordedWorld(recording));
    }

    private static Trace Walk(RecordedWorld world, JsonNode probe)
    {
        var to = IpAddress.Parse((string)probe["ip"]!);
        var isTcp = (string)probe["proto"]! == "tcp";
        var packet = new Packet(IpAddress.Unspecified(IpFamily.V4), to, isTcp ? Packet.Tcp : Packet.Udp)
        {
            SourcePort = (ushort?)(int?)probe["sport"] ?? 50_000,
            DestinationPort = (ushort)(int)probe["port"]!,
            Flags = isTcp ? TcpFlags.Syn : TcpFlags.None,
            Length = isTcp ? 60 : 28 + ((int?)probe["payload"] ?? 32),
        };
        return new Walker(world).Walk(packet, new NamespaceId((string)probe["from"]!["name"]!));
    }

    /// <summary>What is not as it was; null: all is.</summary>
    private static string? Objection(RecordedWorld world, JsonNode probe)
    {
        var outcomes = Walk(world, probe).Outcomes;
        var said = string.Join(" | ", outcomes.Select(static outcome => $"{outcome.Probability:0.##} {outcome.Verdict} at {outcome.End} from {outcome.Final.Source}: {outcome.Reason}"));
        var truth = probe["outcomes"]!.AsObject().Select(static one => one.Key).ToHashSet();
        if (outcomes.Any(static outcome => outcome.Verdict == Verdict.Undecided))
        {
            return $"is not decided ({said})";
        }
        var delivered = outcomes.Where(static outcome => outcome.Verdict == Verdict.Delivered).ToList();
        var died = outcomes.Where(static outcome => outcome.Verdict != Verdict.Delivered).ToList();
        // A line stops after two to four failures: that all of them met the bad endpoints may be chance.
        var attempts = probe["outcomes"]!.AsObject().Sum(static one => (int)one.Value!);
        var isChance = !truth.Contains("answered") && Math.Pow(died.Sum(static outcome => outcome.Probability), attempts) > 0.05;
        if (truth.Contains("answered") != delivered.Count > 0 && !isChance)
        {
            return $"{(delivered.Count > 0 ? "was never answered" : "was answered")} ({said})";
        }
        foreach (var server in Names(probe, "answeredBy"))
        {
            if (!delivered.Exists(outcome => outcome.End.Name == server))
            {
                return $"does not come to {server} ({said})";
            }
        }
        foreach (var source in Names(probe, "sourceSeenByServer"))
        {
            if (!delivered.Exists(outcome => outcome.Final.Source.ToString() == source))
            {
                return $"does not come as {source} ({said})";
            }
        }
        if (truth.Count == 1 && truth.Contains("answered") && died.Count > 0)
        {
            return $"was always answered ({said})";
        }
        if ((truth.Contains("refused") || truth.Contains("EPERM")) && !died.Exists(static outcome => outcome.Verdict == Verdict.Refused))
        {
            return $"was refused ({said})";
        }
        return truth.Overlaps(["timeout", "network-unreachable", "no-route-to-host"]) && died.Count == 0 ? $"was silent ({said})" : null;
    }

    private static IEnumerable<string> Names(JsonNode probe, string field) => (probe[field] as JsonObject ?? []).Select(static one => one.Key);
}
