namespace Plumb.Linux.TrafficControl;

/// <summary>The number of a queueing discipline or of a place for one (TC_H_* of <c>linux/pkt_sched.h</c>): major in the upper 16 bits, minor in the lower.</summary>
public readonly record struct TrafficHandle(uint Number)
{
    /// <summary>TC_H_ROOT: what a device sends goes through this one.</summary>
    public static TrafficHandle Root { get; } = new(0xffff_ffff);

    /// <summary>TC_H_CLSACT, which is TC_H_INGRESS: beside the way of packets, where filters alone stand.</summary>
    public static TrafficHandle Clsact { get; } = new(0xffff_fff1);

    /// <summary><c>pl</c> in ASCII, as the major number of queueing disciplines of Plumb's: those that the kernel numbers by itself begin at 8000.</summary>
    public static TrafficHandle Plumb { get; } = new(0x706c_0000);

    public override string ToString() => this == Root ? "root" : this == Clsact ? "clsact" : $"{Number >> 16:x}:{(Number & 0xffff) switch { 0 => "", var minor => $"{minor:x}" }}";
}

/// <summary>Where a device's packets meet filters (TC_H_MIN_INGRESS, _EGRESS), seen from the device's own host.</summary>
public enum TrafficHook : byte
{
    /// <summary>What comes in by the device, before bridges and routes see it.</summary>
    Ingress = 1,

    /// <summary>What is about to leave by the device.</summary>
    Egress = 2,
}
