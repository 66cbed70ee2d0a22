using System.Text.Json.Serialization;

namespace Plumb.Linux.TrafficControl;

/// <summary>What is done with a frame that a filter has found (<c>tc action</c>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "action")]
[JsonDerivedType(typeof(Mirred), "mirred")]
[JsonDerivedType(typeof(Verdict), "gact")]
[JsonDerivedType(typeof(Unknown), "unknown")]
public abstract record FilterAction
{
    /// <summary>Who made it (TCA_ACT_COOKIE); null: nobody says.</summary>
    public ActionCookie? Cookie { get; init; }

    /// <summary>Sends the frame, or a copy of it, to another device (<c>act_mirred</c>).</summary>
    /// <param name="Device">Empty: that device is no more, and nothing is sent.</param>
    /// <param name="Then">What becomes of the frame itself; of one that is redirected, nothing any more.</param>
    public sealed record Mirred(MirredTo To, string Device, FilterVerdict Then) : FilterAction
    {
        [JsonIgnore]
        public bool IsRedirect => To is MirredTo.EgressRedirect or MirredTo.IngressRedirect;

        [JsonIgnore]
        public bool IsIntoHost => To is MirredTo.IngressRedirect or MirredTo.IngressMirror;

        public override string ToString() =>
            $"mirred {(IsIntoHost ? "ingress" : "egress")} {(IsRedirect ? "redirect" : "mirror")} dev {(Device.Length == 0 ? "*" : Device)}{(IsRedirect && Then == FilterVerdict.Stolen ? "" : $" {Then.Name()}")}";
    }

    /// <summary>Decides over the frame (<c>act_gact</c>).</summary>
    public sealed record Verdict(FilterVerdict Decision) : FilterAction
    {
        public override string ToString() => Decision.Name();
    }

    /// <summary>One that Plumb does not know, by name (TCA_ACT_KIND).</summary>
    public sealed record Unknown(string Name) : FilterAction
    {
        public override string ToString() => Name;
    }
}

/// <summary>Where <c>act_mirred</c> sends to (TCA_EGRESS_REDIR and on, of <c>linux/tc_act/tc_mirred.h</c>).</summary>
public enum MirredTo
{
    EgressRedirect = 1,
    EgressMirror = 2,
    IngressRedirect = 3,
    IngressMirror = 4,
}

/// <summary>What an action says shall become of the frame (TC_ACT_* of <c>linux/pkt_cls.h</c>).</summary>
public enum FilterVerdict
{
    /// <summary>TC_ACT_UNSPEC: the next rule and the next filter are asked.</summary>
    Continue = -1,

    /// <summary>No further filter is asked.</summary>
    Pass = 0,

    /// <summary>All filters are asked again.</summary>
    Reclassify = 1,

    /// <summary>TC_ACT_SHOT</summary>
    Drop = 2,

    /// <summary>The next action of the same rule; after the last one, as <see cref="Pass"/>.</summary>
    Pipe = 3,

    /// <summary>Somebody else has it now.</summary>
    Stolen = 4,
}

/// <summary>Up to 16 bytes that a writer leaves with an action, for itself (TC_COOKIE_MAX_SIZE).</summary>
/// <param name="Hex">As <c>tc</c> prints them.</param>
public readonly record struct ActionCookie(string Hex)
{
    /// <summary><c>plumb</c> in ASCII.</summary>
    public static ActionCookie Plumb { get; } = new(Convert.ToHexStringLower("plumb"u8));
}

internal static class FilterVerdicts
{
    /// <summary>As <c>tc</c> spells it.</summary>
    public static string Name(this FilterVerdict verdict) => verdict.ToString().ToLowerInvariant();
}
