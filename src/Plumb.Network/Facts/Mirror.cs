namespace Plumb.Network.Facts;

/// <summary>Which of a pod's packets, seen from the pod.</summary>
public enum MirrorDirection
{
    Both = 1,

    /// <summary>What comes to it.</summary>
    Ingress,

    /// <summary>What it sends.</summary>
    Egress,
}

/// <summary>
/// A copy of a pod's packets, sent through a tunnel of its own to another node for somebody there to look at: a fact of both nodes, for as long as whoever asked
/// for it is there.
/// </summary>
/// <param name="Number">The same on both nodes; the tunnel's device and the filters are named by it.</param>
/// <param name="Vni">VXLAN network identifier.</param>
/// <param name="Pod"><c>NAMESPACE/POD</c></param>
/// <param name="Peer">The node at the other end.</param>
/// <param name="Holder">Who asked for it, for a person.</param>
public sealed record Mirror(int Number, int Vni, string Pod, string Peer, string Holder)
{
    /// <summary>As many as have filters and names of their own.</summary>
    public const int Most = 100;

    /// <summary>Of the first, unless another is asked for: nobody's overlay has so high a number by default.</summary>
    public const int FirstVni = 1001;

    /// <summary>The pod's interface on this node; null: this is the node to which the copies come.</summary>
    public SandboxId? Source { get; init; }

    public MirrorDirection Direction { get; init; } = MirrorDirection.Both;

    public string Device => Devices.Mirror(Number);

    public Subject Subject => SubjectOf(Number);

    /// <summary>The tunnel's name and what it is for.</summary>
    public Origin Origin => new(Subject, $"{(Source is null ? $"of {Pod} from" : $"of {Pod} to")} {Peer}, for {Holder}");

    public static Subject SubjectOf(int number) => new(SubjectKind.Mirror, "", Devices.Mirror(number));
}
