using System.Text;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>What is predicted happens: random networks are built, walked, and then really asked.</summary>
public sealed class WalkAgreementTests
{
    private const int ProbesOfEach = 12;
    private const int AtOnce = 12;
    private const int RulesSeed = 5000;

    [Theory]
    [InlineData(IpFamily.V4, Rules.None, 14)]
    [InlineData(IpFamily.V4, Rules.Some, 14)]
    [InlineData(IpFamily.V4, Rules.Changed, 8)]
    [InlineData(IpFamily.V6, Rules.None, 8)]
    [InlineData(IpFamily.V6, Rules.Some, 6)]
    [InlineData(IpFamily.V6, Rules.Changed, 4)]
    public async Task Random_packets_in_random_networks_go_where_the_walk_says(IpFamily family, Rules rules, int networks)
    {
        // With rules, and of IPv6, the same networks each time, unless others are asked for: one in some thousand packets still meets a corner of the kernel that
        // the walk does not know, and a change that has nothing to do with it should not be held up by that.
        var seed = int.TryParse(Environment.GetEnvironmentVariable("PLUMB_SEED"), out var given) ? given : rules != Rules.None || family == IpFamily.V6 ? RulesSeed : Environment.TickCount;
        networks = int.TryParse(Environment.GetEnvironmentVariable("PLUMB_NETWORKS"), out var wanted) ? wanted : networks;
        TestContext.Current.TestOutputHelper?.WriteLine($"PLUMB_SEED={seed}");
        var all = new List<string>();
        var tally = new Dictionary<string, int>();
        // A dozen networks in which no packet at all is lost are rare, and happen: then it goes on, within bounds.
        for (var first = 0; first < networks || (first < 5 * networks && !IsVaried()); first += AtOnce)
        {
            var tasks = Enumerable.Range(first, first < networks ? Math.Min(AtOnce, networks - first) : AtOnce).Select(number => TryAsync(unchecked(seed + number), family, rules)).ToList();
            foreach (var (disagreements, verdicts) in await Task.WhenAll(tasks))
            {
                all.AddRange(disagreements.Take(1));
                foreach (var verdict in verdicts)
                {
                    tally[verdict] = tally.GetValueOrDefault(verdict) + 1;
                }
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", tally.OrderBy(static pair => pair.Key).Select(static pair => $"{pair.Value} {pair.Key}")));
        Assert.True(all.Count == 0, $"PLUMB_SEED={seed}: {all.Count} of {tally.Values.Sum()} disagree\n{string.Join("\n\n", all.Take(12))}");
        Assert.True(IsVaried(), $"PLUMB_SEED={seed}: too much alike");

        // Each kind of end was met, or nothing was shown.
        bool IsVaried() => tally.GetValueOrDefault("Delivered") > networks / 2 && tally.GetValueOrDefault("Refused") > networks / 2 && tally.GetValueOrDefault("Lost") > 0;
    }

    /// <summary>Networks in which prediction and kernel once disagreed.</summary>
    [Theory]
    [InlineData(39753865)] // a gateway that is one's own address is no gateway
    [InlineData(39753885)] // two devices with addresses of one network: the first route counts
    [InlineData(39753898)] // TCP takes nothing out of a frame for all
    [InlineData(39753902)] // without a carrier nobody answers, and the sender hears of that
    [InlineData(1035)] // answers are not as long as questions
    [InlineData(2013)] // one cannot connect to a broadcast address
    [InlineData(2018)] // an answer for a neighbour needs a way back through the tunnel
    [InlineData(5009)] // proxies answer for others
    [InlineData(5000018)] // what was cut stays cut behind the next host
    [InlineData(35000019)] // a server's socket may not answer a broadcast address
    [InlineData(38000019)] // a tunnel may
    [InlineData(49000009)] // an answer through a tunnel goes as any packet goes
    [InlineData(50000006)]
    [InlineData(316000021)] // an error message's route is not asked for again from the address that it gave
    [InlineData(346000001)] // br_netfilter cuts what is too long for a bridge
    [InlineData(742000015)] // and what is too long is told by the port
    [InlineData(44206644)] // TCP answers nobody at a broadcast address
    public Task What_once_disagreed_agrees(int seed) => AgreesAsync(seed, IpFamily.V4, Rules.None);

    /// <summary>The same, with rules.</summary>
    [Theory]
    [InlineData(2001)] // a destination is decided at output, whether or not a chain has a say there
    [InlineData(3001)] // that nobody answers for a neighbour is told over lo, where rules may drop it
    [InlineData(3009)] // to send where rules lead nowhere is the sender's error
    [InlineData(3013)] // and so is what a rule at output refuses
    [InlineData(1208000020)] // a reset to a bridge's frame goes by no rule
    [InlineData(1403000010)] // what came out of a tunnel came by no port
    [InlineData(1404000015)] // and not if no route would lead it home
    [InlineData(1407000017)] // nobody has the address to which a bridge translates
    [InlineData(1215000002)] // what is translated in a bridge stays there, and may not leave by where it came
    public Task What_once_disagreed_with_rules_agrees(int seed) => AgreesAsync(seed, IpFamily.V4, Rules.Some);

    /// <summary>Where flows were known already.</summary>
    [Theory]
    [InlineData(9000014)] // a flow whose answers would be another's is not begun
    public Task What_once_disagreed_of_known_flows_agrees(int seed) => AgreesAsync(seed, IpFamily.V4, Rules.Changed);

    /// <summary>Of IPv6.</summary>
    [Theory]
    [InlineData(100019, Rules.None)] // what a tunnel makes too long nobody is told of
    [InlineData(58897357, Rules.None)] // who is no router goes round a router that does not answer
    public Task What_once_disagreed_of_IPv6_agrees(int seed, Rules rules) => AgreesAsync(seed, IpFamily.V6, rules);

    private static async Task AgreesAsync(int seed, IpFamily family, Rules rules)
    {
        var (disagreements, _) = await TryAsync(seed, family, rules);
        Assert.True(disagreements.Count == 0, string.Join("\n\n", disagreements));
    }

    private static async Task<(List<string> Disagreements, List<string> Verdicts)> TryAsync(int seed, IpFamily family, Rules rules)
    {
        var random = new Random(seed);
        var (desired, spaces) = RandomNetwork.Next(random, family);
        using var network = new LiveNetwork(desired, spaces, family);
        var ofRules = new Random(~seed);
        var loaded = rules == Rules.None ? "" : await RulesAsync(ofRules, network, family);
        await network.SettleAsync(TestContext.Current.CancellationToken);
        var asked = Enumerable.Range(0, ProbesOfEach).Select(number => (Probe: Next(random, network, family), Port: (ushort)(20_000 + number))).ToList();
        var (disagreements, verdicts) = await AskAsync(network, asked, told => Describe(seed, desired, network, told) + loaded);
        if (rules == Rules.Changed && disagreements.Count == 0)
        {
            // Kernels remember the flows; what is asked now is what they make of that. (A client of TCP would have to take another port.)
            loaded += "\nand then " + await RulesAsync(ofRules, network, family);
            await network.SettleAsync(TestContext.Current.CancellationToken);
            asked.RemoveAll(static one => one.Probe.Protocol == Packet.Tcp);
            var (later, laterVerdicts) = await AskAsync(network, asked, told => Describe(seed, desired, network, told) + loaded);
            return (later, [.. verdicts, .. laterVerdicts]);
        }
        return (disagreements, verdicts);
    }

    private static async Task<(List<string> Disagreements, List<string> Verdicts)> AskAsync(LiveNetwork network, List<(Probe Probe, ushort Port)> asked, Func<(Probe, Trace, Result), string> describe)
    {
        var walker = new Walker(network.World);
        var traces = asked.ConvertAll(one => walker.Walk(one.Probe.Packet(one.Port), one.Probe.From));
        var results = await Task.WhenAll(asked.Select((one, i) => network.SendAsync(one.Probe, one.Port, Expected(traces[i].Outcomes[0]), TestContext.Current.CancellationToken)));
        var disagreements = new List<string>();
        for (var i = 0; i < asked.Count; i++)
        {
            var (probe, port) = asked[i];
            if (Agrees(traces[i].Outcomes[0], probe, results[i]))
            {
                continue;
            }
            // The probes were sent at once, and who asks for a neighbour makes himself known by it. So once more, alone, from what is known by now.
            await network.SettleAsync(TestContext.Current.CancellationToken);
            var trace = new Walker(network.World).Walk(probe.Packet(port), probe.From);
            var result = await network.SendAsync(probe, port, Expected(trace.Outcomes[0]), TestContext.Current.CancellationToken);
            if (!Agrees(trace.Outcomes[0], probe, result))
            {
                disagreements.Add(describe((probe, trace, result)));
            }
        }
        return (disagreements, traces.ConvertAll(static trace => trace.Outcomes[0].Verdict.ToString()));
    }

    private static async Task<string> RulesAsync(Random random, LiveNetwork network, IpFamily family)
    {
        var all = new StringBuilder();
        foreach (var space in network.Spaces)
        {
            if (random.Next(2) == 0)
            {
                var ruleset = new RandomRuleset(random, Addresses(network, family), [.. space.Links.Select(static link => link.Name)], family).Build();
                await network.LoadAsync(space.Id, $"flush ruleset\n{ruleset}");
                all.Append(space.Id).Append(": ").Append(ruleset);
            }
        }
        return all.ToString();
    }

    private static List<IpAddress> Addresses(LiveNetwork network, IpFamily family) =>
        [.. network.Spaces.SelectMany(static space => space.Addresses).Select(static address => address.Address.Address).Where(one => one.Family == family && !one.IsLoopback && !one.IsLinkLocal)];

    private static Probe Next(Random random, LiveNetwork network, IpFamily family)
    {
        var from = network.Spaces[random.Next(network.Spaces.Count)].Id;
        var addresses = Addresses(network, family);
        var to = addresses.Count == 0 || random.Next(8) == 0 ? RandomNetwork.Address(family, random.Next(4), random.Next(6)) : addresses[random.Next(addresses.Count)];
        var probe = new Probe(from, to, random.Next(4) == 0 ? LiveNetwork.ClosedPort : LiveNetwork.OpenPort, random.Next(2) == 0 ? Packet.Tcp : Packet.Udp);
        return random.Next(10) switch
        {
            0 => probe with { TimeToLive = (byte)random.Next(1, 4) },
            1 => probe with { PayloadBytes = random.Next(1240, 1480), DontFragment = random.Next(2) == 0 },
            _ => probe,
        };
    }

    /// <summary>What hosts have of rules while they are asked.</summary>
    public enum Rules
    {
        None,
        Some,

        /// <summary>Some, and others when they are asked a second time.</summary>
        Changed,
    }

    private static Seen Expected(Outcome outcome) => outcome.Verdict switch
    {
        Verdict.Delivered => Seen.Answered,
        Verdict.Refused => Seen.Refused,
        _ => Seen.Silence,
    };

    private static bool Agrees(Outcome outcome, Probe probe, Result result)
    {
        if (outcome.Verdict == Verdict.Undecided)
        {
            return true;
        }
        if (outcome.Verdict == Verdict.Loop)
        {
            // The TTL ends it; whether the sender hears of that is another question.
            return result.Seen != Seen.Answered;
        }
        if (Expected(outcome) != result.Seen)
        {
            return false;
        }
        return probe.Protocol == Packet.Tcp
            || (outcome.Arrived
                ? result.Arrived is { } where && where == (outcome.End, outcome.Final.Source, outcome.Final.SourcePort)
                : result.Arrived is null);
    }

    // What every namespace has is left out.
    private static bool IsTold(Entry entry) => entry switch
    {
        LinkEntry link => link.Type is not LinkType.Loopback,
        AddressEntry address => address.Device != "lo",
        RouteEntry route => route.Table != RouteTable.Local && !route.Destination.Address.IsMulticast,
        RuleEntry rule => rule.Table.Number < 200,
        FdbEntry fdb => fdb.Remote is not null,
        _ => false,
    };

    private static string Describe(int seed, DesiredState desired, LiveNetwork network, (Probe Probe, Trace Trace, Result Result) told)
    {
        var (probe, trace, result) = told;
        var outcome = trace.Outcomes[0];
        var text = new StringBuilder($"network {seed}: {probe}\n  predicted {outcome.Verdict}, arrived {outcome.Arrived}: {outcome.Reason}\n  seen {result}\n");
        foreach (var hop in outcome.There)
        {
            text.Append("    ").Append(hop.Space).Append(": ").AppendLine(hop.What);
        }
        text.AppendLine("   back");
        foreach (var hop in outcome.Back)
        {
            text.Append("    ").Append(hop.Space).Append(": ").AppendLine(hop.What);
        }
        foreach (var space in network.Spaces)
        {
            foreach (var held in space.State.Entries.Values)
            {
                if (IsTold(held.Entry))
                {
                    text.Append("  ").AppendLine(held.Entry.ToString());
                }
            }
        }
        foreach (var sysctl in desired.Entries.Values.Select(static one => one.Entry).OfType<SysctlEntry>().Where(static one => one.Value != "0" && !one.Path.Contains("/neigh/", StringComparison.Ordinal)))
        {
            text.Append("  ").AppendLine(sysctl.ToString());
        }
        return text.ToString();
    }
}
