using System.Runtime.InteropServices;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>Message types of nf_tables (NFT_MSG_*), within nfnetlink's subsystem 10.</summary>
internal enum NftMessage : byte
{
    NewTable = 0, GetTable, DeleteTable, NewChain, GetChain, DeleteChain, NewRule, GetRule, DeleteRule, NewSet, GetSet, DeleteSet,
    NewElement, GetElement, DeleteElement, NewGeneration, GetGeneration, Trace, NewObject, GetObject, DeleteObject, GetObjectReset,
    NewFlowTable, GetFlowTable, DeleteFlowTable,
}

/// <summary><c>struct nfgenmsg</c>: what every nfnetlink message begins with.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly struct NetfilterHeader(byte family, ushort resourceBigEndian)
{
    public const int Bytes = 4;

    public readonly byte Family = family;
    public readonly byte Version;
    public readonly ushort ResourceBigEndian = resourceBigEndian;
}

internal static class NftWire
{
    public const ushort NFNL_SUBSYS_NFTABLES = 10;
    public const ushort NFNL_MSG_BATCH_BEGIN = 0x10;
    public const ushort NFNL_MSG_BATCH_END = 0x11;
    public const ushort NFNL_BATCH_GENID = 1;
    public const uint NFNLGRP_NFTABLES = 7;
    public const uint NFNLGRP_NFTRACE = 9;

    public static ushort Type(NftMessage message) => (ushort)((NFNL_SUBSYS_NFTABLES << 8) | (byte)message);

    /// <summary>Opens a message about a family; dispose of the result to close it.</summary>
    public static NetlinkWriter.MessageScope Open(NetlinkWriter wire, NftMessage message, TableFamily family, NetlinkFlags flags = NetlinkFlags.None)
    {
        var scope = wire.Message(Type(message), flags);
        wire.Structure(new NetfilterHeader((byte)family, 0));
        return scope;
    }

    /// <summary>Begin or end of a transaction.</summary>
    public static void Frame(NetlinkWriter wire, ushort type, uint? generation = null)
    {
        using (wire.Message(type))
        {
            wire.Structure(new NetfilterHeader(0, (ushort)((NFNL_SUBSYS_NFTABLES << 8) | (NFNL_SUBSYS_NFTABLES >> 8))));
            if (generation is { } expected)
            {
                wire.U32BigEndian(NFNL_BATCH_GENID, expected);
            }
        }
    }

    /// <exception cref="NetlinkDecodeException">The header is cut.</exception>
    public static AttributeReader Attributes(NetlinkMessage message, string name, out TableFamily family)
    {
        if (message.Payload.Length < NetfilterHeader.Bytes)
        {
            throw new NetlinkDecodeException("struct nfgenmsg", $"{message.Payload.Length} bytes instead of 4", message.Payload);
        }
        family = (TableFamily)message.Payload[0];
        return new AttributeReader(message.Payload[NetfilterHeader.Bytes..], name);
    }

    public static NetlinkDecodeException Missing(string attribute, NetlinkMessage message) => new(attribute, "is missing", message.Payload);
}
