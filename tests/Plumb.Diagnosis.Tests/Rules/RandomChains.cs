using System.Globalization;
using System.Text;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>Rules of iptables of which most match some packet, in the words of <c>iptables-restore</c>. Nothing is left to chance.</summary>
internal sealed class RandomChains(int seed)
{
    private const string Accept = "ACCEPT";
    private static readonly string[] _users = ["A", "B", "C"];

    private readonly Random _random = new(seed);

    public string Build()
    {
        var text = new StringBuilder();
        Table(text, "raw", ["PREROUTING"]);
        Table(text, "mangle", ["PREROUTING", "FORWARD", "POSTROUTING"]);
        Table(text, "nat", ["PREROUTING", "POSTROUTING"]);
        Table(text, "filter", ["INPUT", "FORWARD"]);
        return text.ToString();
    }

    private void Table(StringBuilder text, string table, string[] hooks)
    {
        text.Append($"*{table}\n");
        foreach (var hook in hooks)
        {
            text.Append($":{hook} {(table == "filter" && _random.Next(6) == 0 ? "DROP" : Accept)} [0:0]\n");
        }
        foreach (var user in _users)
        {
            text.Append($":{user} - [0:0]\n");
        }
        foreach (var hook in hooks)
        {
            text.Append(CultureInfo.InvariantCulture, $"-A {hook} -p udp -m udp --dport {Crossing.MarkerPort} -j ACCEPT\n");
            if (hook == "POSTROUTING")
            {
                text.Append("-A POSTROUTING -s 192.0.2.1/32 -j ACCEPT\n-A POSTROUTING -s 198.51.100.1/32 -j ACCEPT\n"); // what the router itself answers
            }
            Rules(text, hook, _users, table, hook);
        }
        for (var i = 0; i < _users.Length; i++)
        {
            Rules(text, _users[i], _users[(i + 1)..], table, null);
        }
        text.Append("COMMIT\n");
    }

    private void Rules(StringBuilder text, string chain, string[] targets, string table, string? hook)
    {
        for (var i = _random.Next(1, 6); i > 0; i--)
        {
            var isPorted = _random.Next(2) == 0;
            var matches = isPorted ? Ported() : Pick("", "", " -p icmp -m icmp --icmp-type 8");
            for (var more = _random.Next(3); more > 0; more--)
            {
                matches += Match();
            }
            text.Append($"-A {chain}{matches}{Target(targets, table, hook, isPorted)}\n");
        }
    }

    private string Pick(params string[] of) => of[_random.Next(of.Length)];

    private string Not() => _random.Next(4) == 0 ? " !" : "";

    private string Ported()
    {
        var protocol = Pick("tcp", "udp");
        return $" -p {protocol}" + _random.Next(4) switch
        {
            0 => $" -m {protocol}{Not()} --dport {Pick("53", "80", "443", "50:90")}",
            1 => $" -m multiport{Not()} --dports {Pick("53,80", "443,8000:9000")}",
            2 when protocol == "tcp" => $" -m tcp{Not()} --tcp-flags FIN,SYN,RST,ACK SYN",
            _ => "",
        };
    }

    private string Match() => _random.Next(10) switch
    {
        0 => $" -m mark{Not()} --mark {Pick("0x0", "0x1", "0x10/0x30", "0x2/0x3")}",
        1 => $" -m connmark{Not()} --mark {Pick("0x0", "0x1")}",
        2 => $" -m conntrack{Not()} --ctstate {Pick("NEW", "INVALID", "NEW,RELATED", "DNAT", "SNAT", "ESTABLISHED")}",
        3 => $" -m conntrack --ctdir {Pick("ORIGINAL", "REPLY")}",
        4 => $" -m addrtype{Not()} --dst-type {Pick("LOCAL", "UNICAST", "BROADCAST")}",
        5 => $" -m length{Not()} --length {Pick("60", "50:80", "90:")}",
        6 => $" -m ttl --ttl-{Pick("gt", "lt", "eq")} {Pick("9", "63", "64")}",
        7 => $" -m iprange{Not()} --src-range 10.1.0.1-10.1.0.{Pick("1", "2", "3")}",
        8 => $" -m dscp{Not()} --dscp {Pick("0x00", "0x08", "0x10")}",
        _ => " -m comment --comment \"it's \\\"so\\\" -j DROP\"",
    };

    private string Target(string[] targets, string table, string? hook, bool isPorted)
    {
        if (table == "nat" && hook is not null && _random.Next(2) == 0)
        {
            return hook == "PREROUTING"
                ? isPorted
                    ? Pick(" -j DNAT --to-destination 10.2.1.3:8080", " -j DNAT --to-destination 10.2.0.2", " -j REDIRECT --to-ports 80", " -j DNAT --to-destination :443")
                    : Pick(" -j DNAT --to-destination 10.2.0.2", " -j NETMAP --to 10.2.1.0/24")
                : Pick(" -j MASQUERADE", " -j SNAT --to-source 203.0.113.1") + (isPorted ? Pick("", " --random-fully") : "");
        }
        return _random.Next(10) switch
        {
            0 => " -j ACCEPT",
            1 => table is "filter" && hook is not null ? Pick(" -j DROP", " -j REJECT --reject-with icmp-port-unreachable") : " -j ACCEPT",
            2 => " -j RETURN",
            3 or 4 when targets.Length > 0 => $" -j {Pick(targets)}",
            5 when targets.Length > 0 => $" -g {Pick(targets)}",
            6 when table == "mangle" => $" -j MARK --set-xmark {Pick("0x1/0xffffffff", "0x10/0x30", "0x2/0x0")}",
            7 when table == "mangle" => Pick(" -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff", " -j CONNMARK --set-xmark 0x1/0xf"),
            8 when table == "mangle" => " -j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xf",
            _ => "",
        };
    }
}
