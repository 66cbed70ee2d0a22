using Plumb.Dns.Wire;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;

namespace Plumb.Dns.Zones;

/// <summary>Why a record is there: the object that it was made from and, for an endpoint's, the pod behind it.</summary>
public sealed record Cause(ObjectKey Object, ObjectKey? Behind = null) : IComparable<Cause>
{
    public int CompareTo(Cause? other)
    {
        var byObject = Object.CompareTo(other?.Object ?? default);
        return byObject != 0 ? byObject : (Behind ?? default).CompareTo(other?.Behind ?? default);
    }

    public override string ToString() => Behind is { } behind ? $"{Object}, {behind}" : Object.ToString();
}

/// <summary>One record of the cluster's names, without owner and time to live: those are its place's.</summary>
/// <param name="Data">In wire form, names in it not compressed.</param>
public sealed record Record(RecordType Type, ReadOnlyMemory<byte> Data, Cause Cause)
{
    internal static Record Of(IpAddress address, Cause cause) =>
        new(address.Family == IpFamily.V4 ? RecordType.A : RecordType.Aaaa, address.ToBytes(), cause);

    internal static Record To(RecordType type, DomainName target, Cause cause) => new(type, target.WireBytes, cause);

    /// <summary>RFC 2782. Of equal weight and priority: who goes where is the Service's business, not the asker's.</summary>
    internal static Record Service(int port, DomainName target, Cause cause)
    {
        const int priority = 0;
        const int weight = 100;
        return new Record(RecordType.Srv, (byte[])[0, priority, 0, weight, (byte)(port >> 8), (byte)port, .. target.Wire], cause);
    }

    public bool Equals(Record? other) =>
        other is not null && Type == other.Type && Data.Span.SequenceEqual(other.Data.Span) && Cause == other.Cause;

    public override int GetHashCode() => HashCode.Combine(Type, NameComparer.HashOf(Data.Span));

    /// <summary>Type and data as zone files have them.</summary>
    public override string ToString() => RecordText.Print(Type, Data.Span);
}
