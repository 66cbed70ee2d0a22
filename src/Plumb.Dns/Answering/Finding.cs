using System.Runtime.CompilerServices;
using Plumb.Dns.Zones;
using Plumb.Linux.Addresses;

namespace Plumb.Dns.Answering;

internal enum FindingKind
{
    /// <summary>The name exists and has records of the type.</summary>
    Records,

    /// <summary>The name exists, and has none of the type.</summary>
    NoData,

    /// <summary>There is no such name, nor one below it.</summary>
    NoName,

    /// <summary>Others know: <see cref="Finding.Target"/> is the name to ask them for.</summary>
    Outside,

    /// <summary>Names of external Services lead to one another in a circle, or too far.</summary>
    Loop,
}

/// <summary>What the cluster's names say to one question, and by which way. Made without allocation.</summary>
internal ref struct Finding
{
    /// <summary>More external names than these in a row are a mistake or a circle.</summary>
    public const int MostHops = 8;

    private Way _hops;

    public FindingKind Kind;

    /// <summary>What the name that was found holds, as it was then; null when there is no such name, or when it was computed.</summary>
    public NodeContent? Content;

    /// <summary>The zone in which a name is missing, or has nothing.</summary>
    public NameNode? Apex;

    /// <summary>The name that the client's search path would have come to, in place of the one that was asked for; empty: none.</summary>
    public ReadOnlySpan<byte> Completed;

    /// <summary>The last name on the way, in wire form: that asked for, <see cref="Completed"/>, or an external Service's.</summary>
    public ReadOnlySpan<byte> Target;

    /// <summary>A pod's address, read off its name.</summary>
    public IpAddress Computed;

    /// <summary>Number of CNAME records on the way.</summary>
    public int Hops { get; private set; }

    public Record Hop(int index) => _hops[index];

    public bool TryAddHop(Record alias)
    {
        if (Hops == MostHops)
        {
            return false;
        }
        _hops[Hops++] = alias;
        return true;
    }

    [InlineArray(MostHops)]
    private struct Way
    {
        private Record _first;
    }
}
