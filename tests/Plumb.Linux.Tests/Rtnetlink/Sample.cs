using System.Runtime.InteropServices;
using Plumb.Linux.Netlink;
using Plumb.Linux.Rtnetlink;

namespace Plumb.Linux.Tests.Rtnetlink;

/// <summary>
/// A message as it was captured (<c>strace -e write=all</c> of a command of iproute2 6.1, or a dump of Linux 6.18). The files' first lines
/// say what made them.
/// </summary>
internal sealed record Sample(string File, int Line, byte[] Wire)
{
    public static IEnumerable<Sample> All()
    {
        var directory = Path.Combine(AppContext.BaseDirectory, "Rtnetlink", "testdata");
        foreach (var file in Directory.GetFiles(directory, "*.hex").Order())
        {
            var lines = System.IO.File.ReadAllLines(file);
            for (var i = 1; i < lines.Length; i++)
            {
                yield return new Sample(Path.GetFileNameWithoutExtension(file), i + 1, Convert.FromHexString(lines[i]));
            }
        }
    }

    public static Sample Of(string file) => All().First(s => s.File == file);

    public ushort Type => MemoryMarshal.Read<ushort>(Wire.AsSpan(4));

    public ReadOnlySpan<byte> Payload => Wire.AsSpan(16);

    public object Parse() => Parse(Type, Payload);

    /// <summary>What the product does with a message of this type; unknown attributes are kept.</summary>
    public static object Parse(ushort type, ReadOnlySpan<byte> payload) => type switch
    {
        RtnetlinkTypes.RTM_NEWLINK or RtnetlinkTypes.RTM_SETLINK => LinkMessage.Parse(payload, keepUnknown: true),
        RtnetlinkTypes.RTM_NEWADDR => AddressMessage.Parse(payload, keepUnknown: true),
        RtnetlinkTypes.RTM_NEWROUTE => RouteMessage.Parse(payload, keepUnknown: true),
        RtnetlinkTypes.RTM_NEWNEIGH => NeighbourMessage.Parse(payload, keepUnknown: true),
        RtnetlinkTypes.RTM_NEWRULE => RuleMessage.Parse(payload, keepUnknown: true),
        RtnetlinkTypes.RTM_NEWNSID => NamespaceIdMessage.Parse(payload, keepUnknown: true),
        _ => throw new InvalidDataException($"no parser for message type {type}"),
    };

    public static byte[] Emit(object message, ushort type)
    {
        using var writer = new NetlinkWriter();
        switch (message)
        {
            case LinkMessage link:
                link.Emit(writer, type);
                break;
            case AddressMessage address:
                address.Emit(writer, type);
                break;
            case RouteMessage route:
                route.Emit(writer, type);
                break;
            case NeighbourMessage neighbour:
                neighbour.Emit(writer, type);
                break;
            case RuleMessage rule:
                rule.Emit(writer, type);
                break;
            case NamespaceIdMessage id:
                id.Emit(writer, type);
                break;
        }
        return writer.Written[16..].ToArray();
    }

    public override string ToString() => $"{File}:{Line}";
}
