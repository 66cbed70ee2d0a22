using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;

namespace Plumb.Diagnosis.Tests.Recorded;

/// <summary>A line of <c>conntrack -L -o extended</c>.</summary>
internal static class RecordedConnection
{
    private static readonly string[] States = ["NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2"];

    /// <summary>Null: of a protocol without ports.</summary>
    public static ConntrackEntry? Read(string line)
    {
        // ipv4     2 udp      17 119 src=… dst=… sport=… dport=… [UNREPLIED] src=… dst=… sport=… dport=… [ASSURED] mark=0 use=1
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var protocol = byte.Parse(words[3]);
        if (protocol is not (Packet.Tcp or Packet.Udp or Packet.Sctp))
        {
            return null;
        }
        var values = words.Where(static word => word.Contains('=')).Select(static word => word.Split('=')).ToLookup(static pair => pair[0], static pair => pair[1]);
        var status = (words.Contains("[UNREPLIED]") ? 0u : 2u) | (words.Contains("[ASSURED]") ? 4u : 0u);
        return new ConntrackEntry(Tuple(0), Tuple(1), new ConnectionMark(uint.Parse(values["mark"].First())), status, 0, 0)
        {
            TimeoutSeconds = uint.Parse(words[4]),
            TcpState = protocol == Packet.Tcp ? (byte)Array.IndexOf(States, words[5]) : (byte)0,
        };

        ConntrackTuple Tuple(int way) => new(
            IpAddress.Parse(values["src"].ElementAt(way)), IpAddress.Parse(values["dst"].ElementAt(way)), protocol,
            ushort.Parse(values["sport"].ElementAt(way)), ushort.Parse(values["dport"].ElementAt(way)));
    }
}
