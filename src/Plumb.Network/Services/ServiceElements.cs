using Plumb.Linux.Nftables;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Network.Services;

/// <summary>Reads back from an element of Plumb's maps which pool it speaks of: the thread from an address to the endpoints behind it.</summary>
public static class ServiceElements
{
    private const int MarkBytes = 4;

    /// <summary>The pool that an address, a node port, or a pool's own element stands for; null: the entry is none of these.</summary>
    public static PoolMark? LeadsTo(Entry entry) => entry is ElementEntry { Set: { Table.IsPlumbs: true } set, Element: var element }
        ? set.Name switch
        {
            "frontends" or "frontends_inside" or "nodeports" or "nodeports_inside" => Read(element.Data),
            "pools" => Read(element.Key),
            _ => null,
        }
        : null;

    /// <summary>The pool that an element belongs to; null: none.</summary>
    public static PoolMark? BelongsTo(Entry entry) => LeadsTo(entry)
        ?? (entry is ElementEntry { Set: { Table.IsPlumbs: true, Name: "backends" or "sticky_slots" or "sticky_backends" or "sticky" }, Element: var element }
            ? Read(element.Key)
            : null);

    // A mark stands first, in host order.
    private static PoolMark? Read(Octets octets) =>
        octets.Length >= MarkBytes ? new PoolMark(System.Runtime.InteropServices.MemoryMarshal.Read<uint>(octets.Span)) : null;
}
