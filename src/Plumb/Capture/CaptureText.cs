using System.Globalization;
using Plumb.Diagnosis.Capture;
using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;
using Plumb.Output;

namespace Plumb.Capture;

/// <summary>A line for each frame; what was rewritten stands below it.</summary>
/// <param name="placeWidth">Of the column of places; it grows when one is longer.</param>
internal sealed class CaptureText(TextWriter to, Style style, int placeWidth) : ICaptureSink
{
    private int _widest = placeWidth;

    public void Take(in CapturedPacket packet)
    {
        var place = packet.Place.ToString();
        _widest = Math.Max(_widest, place.Length);
        var time = DateTimeOffset.UnixEpoch.AddTicks(packet.Nanoseconds / 100).ToLocalTime().ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        to.WriteLine($"{style.Quiet(time)} {place.PadRight(_widest)} {(packet.IsOutgoing ? "out" : "in ")}  {What(packet)}");
        if (packet.Rewritten is { } rewritten)
        {
            to.WriteLine($"{new string(' ', time.Length + 1 + _widest + 6)}{style.Warning(rewritten)}");
        }
    }

    public void Flush() => to.Flush();

    public void End(IReadOnlyList<PlaceCount> counts) => to.Flush();

    private string What(in CapturedPacket packet)
    {
        if (packet.Seen is not { } seen)
        {
            return $"{packet.Length} bytes, no IP";
        }
        var headers = seen.Headers;
        var tunnel = seen.Tunnel is { } outer ? style.Quiet($"vxlan {seen.NetworkId} {outer.Source} → {outer.Destination} ") : "";
        var between = packet.Between is { } names ? style.Good($"  {names}") : "";
        return $"{tunnel}{End(headers.Source, headers.SourcePort)} → {End(headers.Destination, headers.DestinationPort)} {Transport(headers)}{between}";
    }

    private static string Transport(in PacketHeaders headers) => headers.Protocol switch
    {
        PacketHeaders.Tcp => $"tcp {Flags(headers.TcpFlags)} {headers.PayloadLength}",
        PacketHeaders.Udp => $"udp {headers.PayloadLength}",
        PacketHeaders.Sctp => $"sctp {headers.PayloadLength}",
        PacketHeaders.Icmp => headers.Type switch { 8 => $"icmp echo request {headers.EchoSequence}", 0 => $"icmp echo reply {headers.EchoSequence}", _ => $"icmp type {headers.Type} code {headers.Code}" },
        PacketHeaders.IcmpV6 => headers.Type switch { 128 => $"icmp6 echo request {headers.EchoSequence}", 129 => $"icmp6 echo reply {headers.EchoSequence}", _ => $"icmp6 type {headers.Type} code {headers.Code}" },
        _ => $"protocol {headers.Protocol}",
    };

    private static string Flags(byte flags)
    {
        var text = "";
        foreach (var (bit, letter) in (ReadOnlySpan<(int, char)>)[(2, 'S'), (1, 'F'), (4, 'R'), (8, 'P'), (16, '.')])
        {
            text += (flags & bit) != 0 ? letter : "";
        }
        return $"[{text}]";
    }

    private static string End(IpAddress address, ushort port) =>
        port == 0 ? address.ToString() : address.Family == IpFamily.V6 ? $"[{address}]:{port}" : $"{address}:{port}";
}
