using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>NFT_MSG_NEWCHAIN and DELCHAIN; rules have messages of their own.</summary>
internal static class ChainMessage
{
    private const ushort NFTA_CHAIN_TABLE = 1;
    private const ushort NFTA_CHAIN_HANDLE = 2;
    private const ushort NFTA_CHAIN_NAME = 3;
    private const ushort NFTA_CHAIN_HOOK = 4;
    private const ushort NFTA_CHAIN_POLICY = 5;
    private const ushort NFTA_CHAIN_TYPE = 7;
    private const ushort NFTA_CHAIN_USERDATA = 12;

    private const ushort NFTA_HOOK_HOOKNUM = 1;
    private const ushort NFTA_HOOK_PRIORITY = 2;
    private const ushort NFTA_HOOK_DEV = 3;
    private const ushort NFTA_HOOK_DEVS = 4;
    private const ushort NFTA_DEVICE_NAME = 1;

    private const uint NF_INET_INGRESS = 5;

    public static void WriteNew(NetlinkWriter wire, ChainEntry chain, string? comment)
    {
        using (NftWire.Open(wire, NftMessage.NewChain, chain.Table.Family, NetlinkFlags.Create))
        {
            wire.Text(NFTA_CHAIN_TABLE, chain.Table.Name);
            wire.Text(NFTA_CHAIN_NAME, chain.Name);
            if (chain.Base is { } hooked)
            {
                WriteHook(wire, chain.Table.Family, hooked);
                wire.U32BigEndian(NFTA_CHAIN_POLICY, (uint)(int)hooked.Policy);
                wire.Text(NFTA_CHAIN_TYPE, hooked.Type.ToString().ToLowerInvariant());
            }
            UserData.WriteComment(wire, NFTA_CHAIN_USERDATA, comment);
        }
    }

    public static void WriteDelete(NetlinkWriter wire, ChainEntry chain)
    {
        using (NftWire.Open(wire, NftMessage.DeleteChain, chain.Table.Family))
        {
            wire.Text(NFTA_CHAIN_TABLE, chain.Table.Name);
            wire.Text(NFTA_CHAIN_NAME, chain.Name);
        }
    }

    private static void WriteHook(NetlinkWriter wire, TableFamily family, BaseChain hooked)
    {
        using (wire.Nest(NFTA_CHAIN_HOOK))
        {
            wire.U32BigEndian(NFTA_HOOK_HOOKNUM, HookNumber(family, hooked.Hook));
            wire.U32BigEndian(NFTA_HOOK_PRIORITY, (uint)hooked.Priority);
            if (hooked.Devices.Count == 1)
            {
                wire.Text(NFTA_HOOK_DEV, hooked.Devices[0]);
            }
            else if (hooked.Devices.Count > 1)
            {
                using (wire.Nest(NFTA_HOOK_DEVS))
                {
                    foreach (var device in hooked.Devices)
                    {
                        wire.Text(NFTA_DEVICE_NAME, device);
                    }
                }
            }
        }
    }

    // Devices have hooks numbered from zero; inet tables see ingress as one more of their own; arp has two.
    private static uint HookNumber(TableFamily family, ChainHook hook) => (family, hook) switch
    {
        (TableFamily.Netdev, ChainHook.Ingress) => 0,
        (TableFamily.Netdev, ChainHook.Egress) => 1,
        (TableFamily.Arp, ChainHook.Input) => 0,
        (TableFamily.Arp, ChainHook.Output) => 1,
        (TableFamily.Inet, ChainHook.Ingress) => NF_INET_INGRESS,
        _ => (uint)hook,
    };

    private static ChainHook Hook(TableFamily family, uint number) => (family, number) switch
    {
        (TableFamily.Netdev, 0) => ChainHook.Ingress,
        (TableFamily.Netdev, 1) => ChainHook.Egress,
        (TableFamily.Arp, 0) => ChainHook.Input,
        (TableFamily.Arp, 1) => ChainHook.Output,
        _ => (ChainHook)number,
    };

    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static (ChainEntry Chain, string? Comment, ulong Handle) Read(NetlinkMessage message, NamespaceId space)
    {
        string? table = null, name = null, type = null, comment = null;
        ulong handle = 0;
        uint policy = (uint)VerdictCode.Accept;
        BaseChain? hooked = null;
        foreach (var attribute in NftWire.Attributes(message, "NFT_MSG_NEWCHAIN", out var family))
        {
            switch (attribute.Type)
            {
                case NFTA_CHAIN_TABLE:
                    table = attribute.Text("NFTA_CHAIN_TABLE");
                    break;
                case NFTA_CHAIN_HANDLE:
                    handle = attribute.U64BigEndian("NFTA_CHAIN_HANDLE");
                    break;
                case NFTA_CHAIN_NAME:
                    name = attribute.Text("NFTA_CHAIN_NAME");
                    break;
                case NFTA_CHAIN_HOOK:
                    hooked = ReadHook(attribute, family);
                    break;
                case NFTA_CHAIN_POLICY:
                    policy = attribute.U32BigEndian("NFTA_CHAIN_POLICY");
                    break;
                case NFTA_CHAIN_TYPE:
                    type = attribute.Text("NFTA_CHAIN_TYPE");
                    break;
                case NFTA_CHAIN_USERDATA:
                    comment = UserData.Comment(attribute.Value, UserData.CommentOfOthers);
                    break;
                default:
                    break;
            }
        }
        if (table is null || name is null)
        {
            throw NftWire.Missing("NFTA_CHAIN_NAME", message);
        }
        var id = new TableId((TableFamily)message.Payload[0], table);
        hooked = hooked is null ? null : hooked with
        {
            Type = type switch
            {
                "nat" => ChainType.Nat,
                "route" => ChainType.Route,
                _ => ChainType.Filter,
            },
            Policy = (VerdictCode)(int)policy,
        };
        return (new ChainEntry(space, id, name) { Base = hooked }, comment, handle);
    }

    private static BaseChain ReadHook(NetlinkAttribute hook, TableFamily family)
    {
        uint number = 0;
        var priority = 0;
        List<string> devices = [];
        foreach (var attribute in hook.Nested("NFTA_CHAIN_HOOK"))
        {
            switch (attribute.Type)
            {
                case NFTA_HOOK_HOOKNUM:
                    number = attribute.U32BigEndian("NFTA_HOOK_HOOKNUM");
                    break;
                case NFTA_HOOK_PRIORITY:
                    priority = (int)attribute.U32BigEndian("NFTA_HOOK_PRIORITY");
                    break;
                case NFTA_HOOK_DEV:
                    Add(attribute.Text("NFTA_HOOK_DEV"));
                    break;
                case NFTA_HOOK_DEVS:
                    foreach (var device in attribute.Nested("NFTA_HOOK_DEVS"))
                    {
                        Add(device.Text("NFTA_DEVICE_NAME"));
                    }
                    break;
                default:
                    break;
            }
        }
        return new BaseChain(ChainType.Filter, Hook(family, number), priority) { Devices = [.. devices] };

        // A single device comes both ways.
        void Add(string device)
        {
            if (!devices.Contains(device))
            {
                devices.Add(device);
            }
        }
    }
}
