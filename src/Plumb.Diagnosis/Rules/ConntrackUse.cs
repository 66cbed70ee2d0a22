using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.Nftables.Expressions.Xtables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules;

/// <summary>
/// Whether the kernel tracks connections of a namespace: it does while a rule is there that needs it (nf_ct_netns_get), matched or not. A nat chain alone is
/// no such rule, and is not asked for packets that nobody tracks.
/// </summary>
internal sealed class ConntrackUse
{
    private static readonly HashSet<string> _words =
    [
        "conntrack", "state", "connmark", "connlimit", "connbytes", "connlabel", "helper", "cluster", "SNAT", "DNAT", "MASQUERADE", "REDIRECT", "NETMAP", "CONNMARK",
        "CONNSECMARK", "CT", "NOTRACK", "SYNPROXY",
    ];

    private bool _v4;
    private bool _v6;

    public bool IsUsed(IpFamily family) => family == IpFamily.V4 ? _v4 : _v6;

    public void Add(ChainEntry chain)
    {
        if (Sees(chain.Table.Family))
        {
            return;
        }
        foreach (var rule in chain.Rules)
        {
            foreach (var expression in rule.Expressions)
            {
                if (Needs(expression))
                {
                    Set(chain.Table.Family);
                    return;
                }
            }
        }
    }

    public void Add(IptablesTable table, string rule)
    {
        var family = table.Family == IpFamily.V4 ? TableFamily.Ip : TableFamily.Ip6;
        if (!Sees(family))
        {
            string? before = null;
            foreach (var word in RuleText.Words(rule))
            {
                if (before is "-m" or "-j" && _words.Contains(word))
                {
                    Set(family);
                }
                before = word;
            }
        }
    }

    private static bool Needs(Expression expression) => expression switch
    {
        ConntrackExpression or NatExpression or MasqueradeExpression or RedirectExpression or ConnectionLimitExpression => true,
        XtMatchExpression match => _words.Contains(match.Match),
        XtTargetExpression target => _words.Contains(target.Target),
        _ => false,
    };

    private bool Sees(TableFamily family) => family switch
    {
        TableFamily.Ip => _v4,
        TableFamily.Ip6 => _v6,
        TableFamily.Inet => _v4 && _v6,
        _ => true,
    };

    private void Set(TableFamily family)
    {
        _v4 |= family is TableFamily.Ip or TableFamily.Inet;
        _v6 |= family is TableFamily.Ip6 or TableFamily.Inet;
    }
}
