using System.Text;
using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Tests.Walk;

/// <summary>Rules as a firewall or a load balancer would have them, in the words of nft, about addresses and ports that probes use.</summary>
internal sealed class RandomRuleset(Random random, IReadOnlyList<IpAddress> addresses, IReadOnlyList<string> devices, IpFamily family)
{
    private string Ip => family == IpFamily.V4 ? "ip" : "ip6";

    public string Build()
    {
        var text = new StringBuilder($"table {Ip} t {{\n");
        Chain(text, "nat", "prerouting", -100, () => $"{Which("iifname")} {Port(true)} {Pick($"dnat to {Address()}", $"dnat to {Bracketed()}:{LiveNetwork.OpenPort}", $"redirect to :{LiveNetwork.OpenPort}")}");
        Chain(text, "nat", "output", -100, () => $"{Which("oifname")} {Port(true)} {Pick($"dnat to {Address()}", $"dnat to {Bracketed()}:{LiveNetwork.OpenPort}")}");
        Chain(text, "nat", "postrouting", 100, () => $"{Which("oifname")} {Port(false)} {Pick("masquerade", "masquerade", $"snat to {Address()}")}");
        Chain(text, "filter", "forward", 0, Filter);
        Chain(text, "filter", "input", 0, Filter);
        Chain(text, "filter", "output", 0, () => $"{Which("oifname")} {Port(false)} {Pick("drop", "reject", "accept", "accept")}");
        return text.Append("}\n").ToString();
    }

    private string Filter() => Pick(
        "ct state established,related accept",
        "ct state invalid drop",
        $"{Which("iifname")} {Port(false)} {Pick("drop", "reject", $"reject with {(family == IpFamily.V4 ? "icmp" : "icmpv6")} admin-prohibited", "accept", "accept")}",
        $"meta l4proto tcp {Which("iifname")} reject with tcp reset",
        "ct status dnat accept");

    private void Chain(StringBuilder text, string type, string hook, int priority, Func<string> rule)
    {
        if (random.Next(3) != 0)
        {
            return;
        }
        var policy = type == "filter" && random.Next(6) == 0 ? "drop" : "accept";
        text.Append($"chain {hook}_{type} {{\ntype {type} hook {hook} priority {priority}; policy {policy};\n");
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            text.Append(rule()).Append('\n');
        }
        text.Append("}\n");
    }

    private string Which(string device) => random.Next(5) switch
    {
        0 when devices.Count > 0 => $"{device} {(random.Next(4) == 0 ? "!= " : "")}\"{devices[random.Next(devices.Count)]}\"",
        1 => $"{Ip} saddr {Pick("", "!= ")}{Address()}",
        2 or 3 => $"{Ip} daddr {Address()}",
        _ => "",
    };

    // What changes a port must know which protocol it is of.
    private string Port(bool isNeeded) => random.Next(isNeeded ? 3 : 5) switch
    {
        0 => $"tcp dport {Pick($"{LiveNetwork.OpenPort}", $"{LiveNetwork.ClosedPort}")}",
        1 => $"udp dport {Pick($"{LiveNetwork.OpenPort}", $"{LiveNetwork.ClosedPort}")}",
        2 => $"meta l4proto {{ tcp, udp }} th dport {LiveNetwork.ClosedPort}",
        _ => "",
    };

    private string Bracketed() => family == IpFamily.V4 ? Address() : $"[{Address()}]";

    private string Address() => (addresses.Count == 0 ? RandomNetwork.Address(family, 0, 0) : addresses[random.Next(addresses.Count)]).ToString();

    private string Pick(params string[] of) => of[random.Next(of.Length)];
}
