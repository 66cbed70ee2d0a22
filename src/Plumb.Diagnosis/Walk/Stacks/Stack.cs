using Plumb.Diagnosis.Walk.Segments;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Stacks;

/// <summary>Between a device and those that sit on it, which may be in other namespaces.</summary>
internal static class Stack
{
    /// <summary>Out by the device below, whose host has no say.</summary>
    public static Step Down(Traveller traveller, LinkEntry link, Station below) => new Step.On(traveller with
    {
        Space = below.Space,
        Stage = Stage.Transmit,
        Out = below.Device,
        Connection = null,
        CameBy = null,
        Hops = traveller.Hops.Add(traveller.Note($"{link.Name} → {below.Device}", link, link.Name)),
    });

    /// <summary>In by a device that sits on the one that has received it.</summary>
    public static Step Up(Traveller traveller, Station to, Hop hop) => new Step.On(traveller with
    {
        Space = to.Space,
        Stage = Stage.Receive,
        In = to.Device,
        Out = null,
        Route = null,
        Connection = null,
        CameBy = null,
        Hops = traveller.Hops.Add(hop),
    });

    public static Step OutOfSight(Traveller traveller, LinkEntry link, LinkType.Stacked type) => Unknown(
        traveller, link, $"{link.Name} ({type.KindName}) sits on {type.LowerName ?? "a device"} in a namespace that cannot be seen from here");

    public static Step ForMany(Traveller traveller, LinkEntry link) => Unknown(traveller, link, "a frame for many: only frames to one station are followed");

    public static Step Unknown(Traveller traveller, LinkEntry link, string reason) => traveller.End(Ending.Undecided, reason, traveller.Note(reason, link, link.Name));
}
