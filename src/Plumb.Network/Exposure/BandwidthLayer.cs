using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;
using Plumb.Network.Cluster;
using Plumb.Network.Facts;
using Plumb.Network.Overlay;

namespace Plumb.Network.Exposure;

/// <summary>
/// How fast pods may receive and send. Both queues stand on the node, where no pod can come at them: what a pod receives waits where its cable begins; what it sends waits in a
/// device made for that, to which a filter at the cable's end leads it.
/// </summary>
/// <remarks>
/// A device queues only what leaves it, and what a pod sends leaves by the pod's own end of the cable: there a pod that may make packets (CAP_NET_RAW, which containers have by
/// default) goes round the queue (PACKET_QDISC_BYPASS), and one that may configure takes it away. See docs/decisions/0011.
/// </remarks>
public sealed class BandwidthLayer : ILayer
{
    /// <summary>Behind all mirrors' filters: they show what a pod sent, and a frame that is led elsewhere is asked no more.</summary>
    public const ushort Preference = 400;

    private const ulong BitsInByte = 8;

    // VLAN_ETH_HLEN of linux/if_vlan.h
    private const uint FrameHeaderBytes = 18;

    // A bucket that is full before a processor comes to look at it again loses what would have come meanwhile, and so does a queue that is empty before: with 5 and 25 ms, two busy
    // processors passed a third of 1 Gbit/s, with these all of it. Of a slow link, as much as a sender begins with that has not heard anything yet (RFC 6928), twice in the queue.
    private const ulong BurstMilliseconds = 20;
    private const ulong BurstFrames = 10;
    private const ulong QueueMilliseconds = 50;
    private const ulong QueueFrames = 20;

    // What a kernel can spare.
    private const ulong MostQueueBytes = 32 << 20;

    public string Name => "bandwidth";

    public IEnumerable<PlanKey> Touched(Change change, NetworkView before, NetworkView after) => SandboxKeys.Touched(Name, change, after);

    public void Plan(PlanKey key, ClusterView cluster, NodeFacts node, IPlanWriter write)
    {
        if (node.Sandbox(SandboxId.From(key.Subject)) is not { } sandbox || node.Underlay is null || PathMtu.OfPods(node) is not { } mtuBytes)
        {
            return;
        }
        var home = node.Namespace;
        if (sandbox.Bandwidth.Ingress is { } ingress)
        {
            write.Add(QdiscEntry.OfDevice(home, sandbox.NodeEnd, BucketOf(ingress, mtuBytes)), CauseOf(sandbox, Bandwidth.IngressAnnotation));
        }
        if (sandbox.Bandwidth.Egress is { } egress)
        {
            var cause = CauseOf(sandbox, Bandwidth.EgressAnnotation);
            write.Add(new LinkEntry(home, sandbox.Queue, new LinkType.Ifb()) { MtuBytes = mtuBytes, Up = true, NoAutomaticAddress = true }, cause);
            write.Add(QdiscEntry.OfDevice(home, sandbox.Queue, BucketOf(egress, mtuBytes)), cause);
            write.Add(QdiscEntry.OfFilters(home, sandbox.NodeEnd), cause);
            var lead = new FilterAction.Mirred(MirredTo.EgressRedirect, sandbox.Queue, FilterVerdict.Stolen) { Cookie = ActionCookie.Plumb };
            write.Add(new FilterEntry(home, sandbox.NodeEnd, TrafficHook.Ingress, Preference) { Rules = [new FilterRule([], [lead])] }, cause);
        }
    }

    private static Origin CauseOf(Sandbox sandbox, string annotation) => sandbox.Origin.At($"metadata.annotations[{annotation}]");

    private static TokenBucket BucketOf(RateLimit limit, int mtuBytes)
    {
        var rate = limit.BitsPerSecond / BitsInByte;
        var frame = (ulong)mtuBytes + FrameHeaderBytes;
        var burst = limit.BurstBits == 0
            ? Math.Max(BurstFrames * frame, rate * BurstMilliseconds / 1000)
            // A bucket that no packet fits into would let none pass.
            : Math.Max(frame, limit.BurstBits / BitsInByte);
        // What the bucket lets through at once waits in the queue before, all of it: frames that are cut up later (GSO) come as one.
        return TokenBucket.Of(rate, burst, Math.Max(Math.Max(QueueFrames * frame, Math.Min(MostQueueBytes, burst)), Math.Min(MostQueueBytes, rate * QueueMilliseconds / 1000)));
    }
}
