using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.TrafficControl;

/// <summary>
/// How a device's packets are slowed down (<c>tbf</c>): each takes as many tokens as it has bytes, its link header among them; tokens come at a steady rate, and so many at most
/// are kept while nobody sends. Packets that find none wait in a queue; what does not fit into that is dropped.
/// </summary>
/// <param name="RateBytes">Each second.</param>
/// <param name="BurstTicks">How long it takes to fill an empty bucket, in units of 64 ns (PSCHED_SHIFT): a kernel keeps no bytes.</param>
/// <param name="QueueBytes">How much may wait.</param>
public readonly record struct TokenBucket(ulong RateBytes, uint BurstTicks, uint QueueBytes)
{
    private static readonly string[] Prefixes = ["", "K", "M", "G", "T"];

    private const ulong TickNanoseconds = 64;
    private const ulong SecondNanoseconds = 1_000_000_000;

    /// <summary>What may leave at once when nobody has sent for a while.</summary>
    public ulong BurstBytes => (ulong)((((UInt128)BurstTicks * TickNanoseconds * RateBytes) + (IsSaidInBytes ? SecondNanoseconds - 1 : 0)) / SecondNanoseconds);

    /// <summary>
    /// Whether a kernel has to be told the burst in bytes, too: of a time it takes 32 bits of nanoseconds, and drops what is larger than the bytes of that time.
    /// </summary>
    internal bool IsSaidInBytes => BurstTicks * TickNanoseconds > uint.MaxValue;

    /// <param name="burstBytes">What takes longer than 274 s to fill, or is more than 2 GiB, is cut to that: a kernel counts no further.</param>
    public static TokenBucket Of(ulong rateBytes, ulong burstBytes, ulong queueBytes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rateBytes);
        // The kernel computes bytes from time and rounds down: the time is rounded up, so that a packet of the burst's own size still fits.
        var perTick = (UInt128)TickNanoseconds * rateBytes;
        var ticks = (((UInt128)Math.Min(burstBytes, 1UL << 31) * SecondNanoseconds) + perTick - 1) / perTick;
        if (ticks * TickNanoseconds > uint.MaxValue)
        {
            ticks = TicksOf(rateBytes, (uint)Math.Min(burstBytes, 1UL << 31));
        }
        return new TokenBucket(rateBytes, (uint)UInt128.Min(ticks, uint.MaxValue), (uint)Math.Min(queueBytes, uint.MaxValue));
    }

    // What a kernel makes of a number of bytes: psched_ratecfg_precompute and psched_l2t_ns of net/sched.
    private static UInt128 TicksOf(ulong rateBytes, uint bytes)
    {
        var (factor, multiplier, shift) = (SecondNanoseconds, 0UL, 0);
        while (true)
        {
            multiplier = factor / rateBytes;
            if ((multiplier & (1UL << 31)) != 0 || (factor & (1UL << 63)) != 0)
            {
                break;
            }
            factor <<= 1;
            shift++;
        }
        return (bytes * (UInt128)multiplier >> shift) / TickNanoseconds;
    }

    /// <summary>As <c>tc</c> writes it: <c>10Mbit</c>, <c>1500Kbit</c>.</summary>
    public string RateText
    {
        get
        {
            var (bits, prefix) = (RateBytes * 8, 0);
            for (; bits >= 1000 && bits % 1000 == 0 && prefix < Prefixes.Length - 1; bits /= 1000)
            {
                prefix++;
            }
            return $"{bits}{Prefixes[prefix]}bit";
        }
    }

    public override string ToString() => $"rate {RateText} burst {BurstBytes}b limit {QueueBytes}b";
}

/// <summary>The same in messages (TCA_TBF_* of <c>linux/pkt_sched.h</c>).</summary>
internal static class TokenBucketOptions
{
    internal const ushort TCA_TBF_PARMS = 1;
    internal const ushort TCA_TBF_RATE64 = 4;
    internal const ushort TCA_TBF_BURST = 6;
    internal const byte TC_LINKLAYER_ETHERNET = 1;

    /// <returns>Null: it has a second bucket for its peaks, or counts bytes that packets do not have.</returns>
    public static TokenBucket? Parse(NetlinkAttribute nest)
    {
        var parameters = default(Parameters);
        ulong? large = null;
        foreach (var a in nest.Nested("TCA_OPTIONS (tbf)"))
        {
            switch (a.Type)
            {
                case TCA_TBF_PARMS:
                    parameters = MemoryMarshal.Read<Parameters>(a.Structure(nameof(TCA_TBF_PARMS), Unsafe.SizeOf<Parameters>()));
                    break;
                case TCA_TBF_RATE64:
                    large = a.U64(nameof(TCA_TBF_RATE64));
                    break;
                default:
                    break;
            }
        }
        var rate = large ?? parameters.Rate.BytesPerSecond;
        return rate == 0 || parameters.Peak.BytesPerSecond != 0 || parameters.Rate.OverheadBytes != 0 || parameters.Rate.LeastBytes != 0 || parameters.Rate.LinkLayer != TC_LINKLAYER_ETHERNET
            ? null
            : new TokenBucket(rate, parameters.BurstTicks, parameters.QueueBytes);
    }

    public static void Emit(TokenBucket bucket, NetlinkWriter writer)
    {
        using var nest = writer.Nest(TrafficMessage.TCA_OPTIONS);
        writer.Structure(TCA_TBF_PARMS, new Parameters
        {
            // With a link layer that is known the kernel needs no table of rates.
            Rate = new RateSpecification { LinkLayer = TC_LINKLAYER_ETHERNET, BytesPerSecond = (uint)Math.Min(bucket.RateBytes, uint.MaxValue) },
            QueueBytes = bucket.QueueBytes,
            BurstTicks = bucket.BurstTicks,
        });
        if (bucket.IsSaidInBytes)
        {
            writer.U32(TCA_TBF_BURST, (uint)bucket.BurstBytes);
        }
        if (bucket.RateBytes > uint.MaxValue)
        {
            writer.U64(TCA_TBF_RATE64, bucket.RateBytes);
        }
    }

    /// <summary><c>struct tc_tbf_qopt</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Parameters
    {
        public RateSpecification Rate;
        public RateSpecification Peak;
        public uint QueueBytes;
        public uint BurstTicks;
        public uint PeakBytes;
    }

    /// <summary><c>struct tc_ratespec</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RateSpecification
    {
        public byte CellLog;
        public byte LinkLayer;
        public ushort OverheadBytes;
        public short CellAlign;
        public ushort LeastBytes;
        public uint BytesPerSecond;
    }
}
