namespace Plumb.Linux.Nftables.Text;

/// <summary>Priorities by name where the family and hook have one within ten of it.</summary>
internal static class PriorityText
{
    private const int Reach = 10;

    private static readonly (string Name, int Priority)[] _ip =
    [
        ("raw", -300), ("mangle", -150), ("dstnat", -100), ("filter", 0), ("security", 50), ("srcnat", 100),
    ];

    private static readonly (string Name, int Priority)[] _bridge = [("dstnat", -300), ("filter", -200), ("out", 100), ("srcnat", 300)];

    public static string Of(TableFamily family, ChainHook hook, int priority)
    {
        foreach (var (name, value) in family == TableFamily.Bridge ? _bridge : _ip)
        {
            var distance = priority - value;
            if (Math.Abs(distance) <= Reach && Has(family, hook, name))
            {
                return distance == 0 ? name : $"{name} {(distance > 0 ? '+' : '-')} {Math.Abs(distance)}";
            }
        }
        return priority.ToString();
    }

    private static bool Has(TableFamily family, ChainHook hook, string name) => family switch
    {
        TableFamily.Netdev or TableFamily.Arp => name == "filter",
        TableFamily.Bridge => name switch
        {
            "dstnat" => hook == ChainHook.Prerouting,
            "out" => hook == ChainHook.Output,
            "srcnat" => hook == ChainHook.Postrouting,
            _ => true,
        },
        _ => name switch
        {
            "dstnat" => hook == ChainHook.Prerouting,
            "srcnat" => hook == ChainHook.Postrouting,
            _ => true,
        },
    };
}
