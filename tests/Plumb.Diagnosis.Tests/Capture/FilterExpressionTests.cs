using Plumb.Diagnosis.Capture;
using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;

namespace Plumb.Diagnosis.Tests.Capture;

public sealed class FilterExpressionTests
{
    private static readonly PacketHeaders Web = new(IpAddress.Parse("10.244.1.2"), IpAddress.Parse("10.96.0.7"), PacketHeaders.Tcp) { SourcePort = 40000, DestinationPort = 80 };
    private static readonly PacketHeaders Ping = new(IpAddress.Parse("fd00::1"), IpAddress.Parse("fd00::2"), PacketHeaders.IcmpV6);

    [Theory]
    [InlineData("tcp", true, false)]
    [InlineData("icmp6", false, true)]
    [InlineData("ip", true, false)]
    [InlineData("ip6 or tcp", true, true)]
    [InlineData("port 80", true, false)]
    [InlineData("src port 80", false, false)]
    [InlineData("tcp dst port 80", true, false)]
    [InlineData("udp port 80", false, false)]
    [InlineData("portrange 79-81", true, false)]
    [InlineData("host 10.244.1.2", true, false)]
    [InlineData("dst 10.244.1.2", false, false)]
    [InlineData("src net 10.244.0.0/16", true, false)]
    [InlineData("not tcp", false, true)]
    [InlineData("!(tcp and port 80)", false, true)]
    [InlineData("tcp and not host 10.244.1.2 or icmp6", false, true)]
    [InlineData("icmp6 or tcp and port 81", false, false)]
    [InlineData("host fd00::2 && icmp6", false, true)]
    public void Hosts_ports_and_protocols_are_understood_as_tcpdump_does(string text, bool web, bool ping)
    {
        var expression = FilterExpression.TryParse(text, out var problem);
        Assert.Equal("", problem);
        Assert.Equal((web, ping), (expression!.Matches(Web), expression.Matches(Ping)));
    }

    [Theory]
    [InlineData("", "ends where a condition is expected")]
    [InlineData("tcp and", "ends where a condition is expected")]
    [InlineData("port http", "'http' is no port")]
    [InlineData("port 70000", "'70000' is no port")]
    [InlineData("portrange 80", "'80' is no range")]
    [InlineData("host web", "'web' is no address")]
    [InlineData("(tcp", "')' is missing at the end")]
    [InlineData("tcp )", "')' is not understood")]
    [InlineData("vlan 7", "'vlan' is no condition")]
    [InlineData("host", "says nothing of which")]
    public void What_is_not_understood_is_named(string text, string says)
    {
        Assert.Null(FilterExpression.TryParse(text, out var problem));
        Assert.Contains(says, problem, StringComparison.Ordinal);
    }
}
