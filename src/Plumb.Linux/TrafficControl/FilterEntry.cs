using System.Text;
using System.Text.Json.Serialization;
using Plumb.Linux.State;

namespace Plumb.Linux.TrafficControl;

/// <summary>
/// One classifier at a device's ingress or egress (<c>tc filter</c>): what stands under one preference, with all of its rules. Its key is what
/// the kernel refuses a second time.
/// </summary>
/// <param name="Preference">TCM_INFO's upper half, 1–65,535; lower is earlier.</param>
public sealed record FilterEntry(NamespaceId Namespace, string Device, TrafficHook Hook, ushort Preference) : Entry(Namespace)
{
    /// <summary>The classifier that Plumb writes: hardly a kernel is without it.</summary>
    public const string U32 = "u32";

    public const string MatchAll = "matchall";

    /// <summary>TCA_CHAIN; packets come to chain 0, to others only where an action sends them.</summary>
    public uint Chain { get; init; }

    /// <summary>TCA_KIND: <see cref="U32"/> or <see cref="MatchAll"/>; others are read by name alone.</summary>
    public string Classifier { get; init; } = U32;

    /// <summary>Which frames it looks at (TCM_INFO's lower half).</summary>
    public EtherType Protocol { get; init; } = EtherType.All;

    /// <summary>In the order in which they are tried; null: what the classifier does is not known.</summary>
    public ValueList<FilterRule>? Rules { get; init; }

    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Filter;

    /// <summary>The device that it stands on, and those to which it sends.</summary>
    internal IEnumerable<string> Devices
    {
        get
        {
            yield return Device;
            foreach (var action in (Rules ?? []).SelectMany(static rule => rule.Actions))
            {
                if (action is FilterAction.Mirred { Device: { Length: > 0 } device })
                {
                    yield return device;
                }
            }
        }
    }

    protected override string NaturalKey() => $"dev {Device} {HookName}{(Chain == 0 ? "" : $" chain {Chain}")} pref {Preference}";

    public override string Print()
    {
        var text = new StringBuilder($"filter {NaturalKey()} protocol {Protocol} {Classifier}");
        foreach (var rule in Rules ?? [])
        {
            // A rule of u32 without keys is one whose only mask is empty.
            text.Append(Classifier == U32 && rule.Keys.Count == 0 ? " match u32 0 0" : "").Append(rule);
        }
        return text.ToString();
    }

    private string HookName => Hook == TrafficHook.Ingress ? "ingress" : "egress";
}

/// <summary>What a filter does with frames that have what is asked for.</summary>
/// <param name="Keys">All must hold; none: every frame.</param>
/// <param name="Actions">Each is done when the one before lets go on; none: the frame is classified and goes its way.</param>
public sealed record FilterRule(ValueList<FilterKey> Keys, ValueList<FilterAction> Actions)
{
    public override string ToString() => $"{string.Concat(Keys.Select(static key => $" match {key}"))}{string.Concat(Actions.Select(static action => $" action {action}"))}";
}

/// <summary>Four bytes of a frame that are looked at (<c>struct tc_u32_key</c>).</summary>
/// <param name="OffsetBytes">From the beginning of the network header; below zero: in the link's header.</param>
/// <param name="Value">As a number, the first byte uppermost.</param>
public readonly record struct FilterKey(int OffsetBytes, uint Value, uint Mask)
{
    public override string ToString() => $"u32 0x{Value:x8} 0x{Mask:x8} at {OffsetBytes}";
}

/// <summary>The protocol of a frame's content (ETH_P_* of <c>linux/if_ether.h</c>), in host order.</summary>
public readonly record struct EtherType(ushort Number)
{
    public static EtherType All { get; } = new(3);

    public static EtherType IPv4 { get; } = new(0x0800);

    public static EtherType IPv6 { get; } = new(0x86dd);

    /// <summary>802.1Q</summary>
    public static EtherType Tagged { get; } = new(0x8100);

    public override string ToString() => Number switch
    {
        3 => "all",
        0x0800 => "ip",
        0x0806 => "arp",
        0x86dd => "ipv6",
        _ => $"0x{Number:x4}",
    };
}
