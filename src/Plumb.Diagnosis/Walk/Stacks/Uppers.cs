using Plumb.Diagnosis.Walk.Segments;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stacks;

/// <summary>
/// What sits on a device: macvlans, ipvlans, VLANs. They say what they sit on, and nobody says what sits on a device: every namespace is looked through,
/// so ask only where something hints at it.
/// </summary>
internal sealed class Uppers(IWorld world)
{
    private ILookup<(NamespaceId, string), Station>? _all;

    public IEnumerable<Upper<T>> On<T>(Space space, string device)
        where T : LinkType.Stacked
    {
        _all ??= All();
        foreach (var station in _all[(space.Id, device)])
        {
            if (station.Space.Link(station.Device) is { Type: T type } link)
            {
                yield return new Upper<T>(station, link, type);
            }
        }
    }

    /// <summary>Where a device sits; null: on one that cannot be seen.</summary>
    public Station? Below(LinkType.Stacked type) =>
        type is { LowerNamespace: { } id, LowerName: { } name } && world.Find(id) is { } space && space.Link(name) is not null ? new Station(space, name) : null;

    private ILookup<(NamespaceId, string), Station> All() =>
        (from id in world.Known
         let space = world.Find(id)
         where space is not null
         from link in space.Links
         where link.Type is LinkType.Stacked { LowerNamespace: not null, LowerName: not null }
         let type = (LinkType.Stacked)link.Type
         select (Below: (type.LowerNamespace!.Value, type.LowerName!), Station: new Station(space, link.Name)))
        .ToLookup(static pair => pair.Below, static pair => pair.Station);
}

/// <summary>A device that sits on another.</summary>
internal readonly record struct Upper<T>(Station At, LinkEntry Link, T Type)
    where T : LinkType.Stacked;
