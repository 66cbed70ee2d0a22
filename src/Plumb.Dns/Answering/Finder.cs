using System.Buffers.Text;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Linux.Addresses;

namespace Plumb.Dns.Answering;

/// <summary>
/// Finds what the cluster's names say to a question. Pure; allocates nothing.
/// </summary>
/// <remarks>
/// 1. The name as asked. 2. An external Service's name leads on. 3. A name below a namespace that does not exist is taken for the first try of
/// a client's search path: its other entries are tried here, so that the client need not ask again.
/// </remarks>
internal sealed class Finder
{
    private readonly ClusterZone _zone;
    private readonly byte[] _services;
    private readonly byte[] _pods;
    private readonly IpPrefix[] _podRanges; // an array: to go through a list through its interface allocates

    public Finder(ClusterZone zone)
    {
        _zone = zone;
        _services = [.. "\x03svc"u8, .. zone.Domain.Wire];
        _pods = [.. "\x03pod"u8, .. zone.Domain.Wire];
        _podRanges = [.. zone.Options.PodRanges];
    }

    /// <param name="name">In wire form and lower case.</param>
    /// <param name="scratch">For names that are put together: <see cref="WireName.MostBytes"/> bytes that live as long as the result.</param>
    public Finding Find(ReadOnlySpan<byte> name, RecordType type, Span<byte> scratch)
    {
        var found = Follow(name, type);
        return found is { Kind: FindingKind.NoName, Hops: 0 } && TryComplete(name, type, scratch, out var completed) ? completed : found;
    }

    /// <summary>What there is without any completion.</summary>
    public Finding Follow(ReadOnlySpan<byte> name, RecordType type)
    {
        var found = new Finding { Target = name };
        while (true)
        {
            var node = _zone.Table.Find(found.Target);
            if (node is null)
            {
                Miss(ref found, type);
                return found;
            }
            var content = node.Content;
            found.Content = content;
            found.Apex = node.IsApex ? node : node.Apex;
            if (type == RecordType.Any ? !content.IsEmpty : content.Of(type).Length != 0 || (type == RecordType.Soa && node.IsApex))
            {
                found.Kind = FindingKind.Records;
                return found;
            }
            var alias = content.Of(RecordType.Cname);
            if (alias.Length == 0)
            {
                found.Kind = FindingKind.NoData;
                return found;
            }
            if (!found.TryAddHop(alias[0]))
            {
                found.Kind = FindingKind.Loop;
                return found;
            }
            found.Target = alias[0].Data.Span;
        }
    }

    private void Miss(ref Finding found, RecordType type)
    {
        found.Content = null;
        var closest = _zone.Table.Closest(found.Target);
        if (closest is null)
        {
            // Addresses are no names, though ExternalName takes them: nobody is asked for 192.0.2.1.
            var isAddress = found.Hops != 0 && IpAddress.TryParse(DomainName.FromWire(found.Target).ToString().TrimEnd('.'), out _);
            found.Kind = isAddress ? FindingKind.NoName : FindingKind.Outside;
            return;
        }
        found.Apex = closest.IsApex ? closest : closest.Apex;
        if (TryReadPod(found.Target, out found.Computed))
        {
            found.Kind = type == RecordType.Any || type == TypeOf(found.Computed) ? FindingKind.Records : FindingKind.NoData;
            return;
        }
        found.Kind = FindingKind.NoName;
    }

    // `website.default.default.svc.cluster.local`: somebody in `default` says `website.default`.
    private bool TryComplete(ReadOnlySpan<byte> name, RecordType type, Span<byte> scratch, out Finding completed)
    {
        completed = default;
        var typed = TypedPart(name);
        if (typed.Length == 0)
        {
            return false;
        }
        foreach (var suffix in (ReadOnlySpan<int>)[_services.Length, _zone.Domain.Wire.Length])
        {
            if (TryJoin(typed, _services.AsSpan(_services.Length - suffix), scratch, out var candidate) && IsThere(candidate, type, out completed))
            {
                completed.Completed = candidate;
                return true;
            }
        }
        if (!TryJoin(typed, [0], scratch, out var absolute))
        {
            return false;
        }
        if (_zone.Table.Closest(absolute) is not null || _zone.Table.Find(absolute) is not null)
        {
            completed = Follow(absolute, type);
            completed.Completed = absolute;
            return completed.Kind is FindingKind.Records or FindingKind.Outside or FindingKind.Loop || completed.Content is { IsEmpty: false };
        }
        // Others are asked only for addresses, only for names with a dot in them, only for clients of namespaces that have names, and not for
        // what is missing below a Service: `kafka-7.kafka` is a pod that is not there yet, and no name of the world's.
        var isForOthers = type is RecordType.A or RecordType.Aaaa
            && typed[0] + 1 < typed.Length
            && _zone.Table.Closest(name) is { } closest
            && closest.Name.Length == name.Length - typed.Length
            && !_zone.IsHeadless(LastTyped(name, typed.Length));
        completed = new Finding { Kind = FindingKind.Outside, Target = absolute, Completed = absolute };
        return isForOthers;
    }

    /// <summary>The labels before <c>NAMESPACE.svc.cluster.local</c>; empty when the name does not end so.</summary>
    private ReadOnlySpan<byte> TypedPart(ReadOnlySpan<byte> name)
    {
        if (!WireName.IsWithin(name, _services))
        {
            return [];
        }
        var at = 0;
        var scope = 0;
        while (name.Length - at > _services.Length)
        {
            scope = at;
            at += name[at] + 1;
        }
        return name[..scope];
    }

    /// <summary>The name of which the part that was typed keeps its last label only: a Service's, if it is one.</summary>
    private static ReadOnlySpan<byte> LastTyped(ReadOnlySpan<byte> name, int typedBytes)
    {
        var at = 0;
        while (at + name[at] + 1 < typedBytes)
        {
            at += name[at] + 1;
        }
        return name[at..];
    }

    private static bool TryJoin(ReadOnlySpan<byte> labels, ReadOnlySpan<byte> suffix, Span<byte> scratch, out ReadOnlySpan<byte> joined)
    {
        joined = default;
        if (labels.Length + suffix.Length > WireName.MostBytes)
        {
            return false;
        }
        labels.CopyTo(scratch);
        suffix.CopyTo(scratch[labels.Length..]);
        joined = scratch[..(labels.Length + suffix.Length)];
        return true;
    }

    // A name that exists only because others are below it is nobody's aim.
    private bool IsThere(ReadOnlySpan<byte> candidate, RecordType type, out Finding found)
    {
        found = Follow(candidate, type);
        return found.Kind is FindingKind.Records or FindingKind.Outside or FindingKind.Loop || found.Content is { IsEmpty: false };
    }

    private bool TryReadPod(ReadOnlySpan<byte> name, out IpAddress address)
    {
        address = default;
        if (_podRanges.Length == 0 || !WireName.IsWithin(name, _pods))
        {
            return false;
        }
        var label = name.Slice(1, name[0]);
        var scope = WireName.Parent(name);
        if (scope.Length <= _pods.Length || WireName.Parent(scope).Length != _pods.Length || label.Length > 45)
        {
            return false;
        }
        return (TryReadV4(label, out address) || TryReadV6(label, out address)) && IsPods(address);
    }

    private static bool TryReadV4(ReadOnlySpan<byte> dashed, out IpAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        address = default;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (!Utf8Parser.TryParse(dashed, out bytes[i], out var digits) || (digits > 1 && dashed[0] == (byte)'0') || !char.IsAsciiDigit((char)dashed[0]))
            {
                return false;
            }
            dashed = dashed[digits..];
            if (i < bytes.Length - 1)
            {
                if (dashed.Length == 0 || dashed[0] != (byte)'-')
                {
                    return false;
                }
                dashed = dashed[1..];
            }
        }
        return dashed.Length == 0 && IpAddress.TryRead(bytes, out address);
    }

    private static bool TryReadV6(ReadOnlySpan<byte> dashed, out IpAddress address)
    {
        Span<char> text = stackalloc char[dashed.Length];
        for (var i = 0; i < dashed.Length; i++)
        {
            text[i] = dashed[i] == (byte)'-' ? ':' : (char)dashed[i];
        }
        return IpAddress.TryParse(text, out address);
    }

    private bool IsPods(IpAddress address)
    {
        foreach (var range in _podRanges)
        {
            if (range.Contains(address))
            {
                return true;
            }
        }
        return false;
    }

    internal static RecordType TypeOf(IpAddress address) => address.Family == IpFamily.V4 ? RecordType.A : RecordType.Aaaa;
}
