using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;
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

    /// <summary>The slots of every pool as a kernel holds them, for an agent that takes over from another. A slot that is missing ends its pool.</summary>
    public static IReadOnlyDictionary<(IpFamily Family, PoolMark Mark), ImmutableArray<Backend>> Slots(ObservedState observed, NamespaceId node)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var bySlot = new Dictionary<(IpFamily, PoolMark, uint Slot), Backend>();
        var idBySlot = new Dictionary<(IpFamily, PoolMark, uint Slot), uint>();
        var byId = new Dictionary<(IpFamily, PoolMark, uint Id), Backend>();
        foreach (var held in observed.Entries.Values)
        {
            if (held.Entry is not ElementEntry { Set: { Table.IsPlumbs: true } set, Element: var element } || held.Entry.Namespace != node || element.Key.Length < 2 * MarkBytes)
            {
                continue;
            }
            var family = set.Table.Family == TableFamily.Ip ? IpFamily.V4 : IpFamily.V6;
            var key = (family, Read(element.Key)!.Value, MemoryMarshal.Read<uint>(element.Key.Span[MarkBytes..]));
            switch (set.Name)
            {
                case "backends" when ReadBackend(element.Data, family) is { } backend:
                    bySlot[key] = backend;
                    break;
                case "sticky_slots" when element.Data.Length >= MarkBytes:
                    idBySlot[key] = MemoryMarshal.Read<uint>(element.Data.Span);
                    break;
                case "sticky_backends" when ReadBackend(element.Data, family) is { } backend:
                    byId[key] = backend;
                    break;
                default:
                    break;
            }
        }
        foreach (var ((family, mark, slot), id) in idBySlot)
        {
            if (byId.TryGetValue((family, mark, id), out var backend))
            {
                bySlot[(family, mark, slot)] = backend;
            }
        }
        var slots = new Dictionary<(IpFamily, PoolMark), ImmutableArray<Backend>>();
        foreach (var (family, mark, first) in bySlot.Keys)
        {
            if (first != 0)
            {
                continue;
            }
            var backends = ImmutableArray.CreateBuilder<Backend>();
            while (bySlot.TryGetValue((family, mark, (uint)backends.Count), out var backend))
            {
                backends.Add(backend);
            }
            slots[(family, mark)] = backends.ToImmutable();
        }
        return slots;
    }

    // An address and, in the next slot of four bytes, a port; both as packets carry them.
    private static Backend? ReadBackend(Octets data, IpFamily family)
    {
        var bytes = family == IpFamily.V4 ? 4 : 16;
        return data.Length >= bytes + 2 && IpAddress.TryRead(data.Span[..bytes], out var address)
            ? new Backend(address, BinaryPrimitives.ReadUInt16BigEndian(data.Span[bytes..]))
            : null;
    }

    // A mark stands first, in host order.
    private static PoolMark? Read(Octets octets) =>
        octets.Length >= MarkBytes ? new PoolMark(MemoryMarshal.Read<uint>(octets.Span)) : null;
}
