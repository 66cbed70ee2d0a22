using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>Sets of ip_set, made by <c>ipset</c>: packets over rules that look into them, here and in the kernel.</summary>
public sealed class IpSetAgreementTests
{
    private const string Sets = """
        create addresses hash:ip
        add addresses 10.1.0.1
        add addresses 10.1.0.3
        create masked hash:ip netmask 24
        add masked 10.1.1.0
        create networks hash:net
        add networks 10.1.0.0/16
        add networks 10.1.0.0/24 nomatch
        add networks 10.1.0.2
        create service hash:ip,port
        add service 10.2.0.1,tcp:80
        add service 10.2.0.1,udp:53
        create loop hash:ip,port,ip
        add loop 10.2.0.1,tcp:80,10.1.0.1
        create ranges hash:ip,port,net
        add ranges 10.2.0.1,tcp:80,10.1.0.0/25
        add ranges 10.2.0.2,tcp:80-81,10.1.0.0/16
        create networkports hash:net,port
        add networkports 10.2.0.0/24,udp:53
        add networkports 10.2.0.2/32,udp:53 nomatch
        create ports bitmap:port range 0-1024
        add ports 53
        add ports 80-81
        create few bitmap:ip range 10.1.0.0/24
        add few 10.1.0.2
        create fromdevice hash:net,iface
        add fromdevice 10.1.0.0/24,c
        create all list:set
        add all addresses
        add all few

        """;

    private static readonly string[] Matches =
    [
        "addresses src", "masked src", "networks src", "networks dst", "service dst,dst", "service src,src", "loop dst,dst,src", "ranges dst,dst,src", "networkports dst,dst",
        "ports dst", "ports src", "few src", "fromdevice src,src", "all src",
    ];

    [Theory]
    [InlineData("iptables-nft")]
    [InlineData("iptables-legacy")]
    public void A_rule_finds_in_a_set_what_the_kernel_finds(string variant)
    {
        using var crossing = new Crossing();
        crossing.Run(Sets, "ipset", "restore");
        var sets = crossing.Sets();
        Assert.Equal(11, sets.Count);
        var trouble = new List<string>();
        ushort number = 20_000;
        foreach (var match in Matches)
        {
            foreach (var not in (string[])["", "! "])
            {
                crossing.Run($"*mangle\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p udp -m udp --dport {Crossing.MarkerPort} -j ACCEPT\n-A FORWARD -m set {not}--match-set {match} -j DROP\nCOMMIT\n", $"{variant}-restore");
                var entries = IptablesSave.Read(crossing.Run("", $"{variant}-save"), IpFamily.V4, Crossing.Router);
                foreach (var packet in Packets(++number))
                {
                    var predicted = new Predicted(entries, packet, sets);
                    if (crossing.Send(packet) is null != predicted.Out is null)
                    {
                        trouble.Add($"{not}{match}: {packet} is {(predicted.Out is null ? "dropped" : "let through")} here, and not by the kernel");
                    }
                }
            }
        }
        Assert.True(trouble.Count == 0, string.Join('\n', trouble));
    }

    private static IEnumerable<Packet> Packets(ushort port) =>
        from source in (IpAddress[])[IpAddress.V4(10, 1, 0, 1), IpAddress.V4(10, 1, 0, 2), IpAddress.V4(10, 1, 1, 200)]
        from destination in (IpAddress[])[IpAddress.V4(10, 2, 0, 1), IpAddress.V4(10, 2, 0, 2)]
        from to in ((byte Protocol, ushort Port)[])[(Packet.Tcp, 80), (Packet.Tcp, 82), (Packet.Udp, 53)]
        select new Packet(source, destination, to.Protocol) { SourcePort = port, DestinationPort = to.Port, Flags = to.Protocol == Packet.Tcp ? TcpFlags.Syn : TcpFlags.None };
}
