using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Services;

/// <summary>Services and endpoints that cannot be, each beside the nearest one that can.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("""{"clusterIP":"10.96.1.1","ports":[{"port":80}]}""", "provided network does not match the current range", """{"clusterIP":"10.96.0.254","ports":[{"port":80}]}""")]
    [InlineData("""{"clusterIP":"10.96.0.10","ports":[{"port":80}]}""", "provided IP is already allocated", """{"clusterIP":"10.96.0.11","ports":[{"port":80}]}""")]
    [InlineData("""{"type":"NodePort","ports":[{"port":80,"nodePort":29999}]}""", "The range of valid ports is 30000-32767", """{"type":"NodePort","ports":[{"port":80,"nodePort":30000}]}""")]
    [InlineData("""{"type":"NodePort","ports":[{"port":80,"nodePort":32768}]}""", "The range of valid ports is 30000-32767", """{"type":"NodePort","ports":[{"port":80,"nodePort":32767}]}""")]
    [InlineData("""{"type":"NodePort","ports":[{"port":80,"nodePort":31100}]}""", "provided port is already allocated", """{"type":"NodePort","ports":[{"port":80,"nodePort":31101}]}""")]
    [InlineData("""{"ports":[{"name":"a","port":80},{"name":"a","port":81}]}""", "spec.ports[1].name: Duplicate value: \"a\"", """{"ports":[{"name":"a","port":80},{"name":"b","port":81}]}""")]
    [InlineData("""{"ports":[{"name":"a","port":80},{"name":"b","port":80}]}""", "spec.ports[1]: Duplicate value", """{"ports":[{"name":"a","port":80},{"name":"b","port":80,"protocol":"UDP"}]}""")]
    [InlineData("""{"ports":[{"port":80},{"name":"b","port":81}]}""", "spec.ports[0].name: Required value", """{"ports":[{"port":80}]}""")]
    public void A_Service_that_cannot_be_is_refused_and_the_nearest_that_can_is_not(string wrong, string why, string right)
    {
        var cluster = new ServiceCluster();
        cluster.Create("taken", """{"type":"NodePort","clusterIP":"10.96.0.10","ports":[{"port":80,"nodePort":31100}]}""");
        var said = ServiceCluster.Refused(() => cluster.Create("a", wrong));
        Assert.Contains(why, said, StringComparison.Ordinal);
        cluster.Create("a", right);
        Assert.Equal(2, cluster.Services.Count);
    }

    [Theory]
    [InlineData("IPv4", "fd00:10:244::5", "must be an IPv4 address", "10.244.1.5")]
    [InlineData("IPv6", "10.244.1.5", "must be an IPv6 address", "fd00:10:244::5")]
    [InlineData("IPv4", "127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)", "126.0.0.1")]
    [InlineData("IPv6", "::1", "may not be in the loopback range (127.0.0.0/8, ::1/128)", "2001:db8::1")]
    [InlineData("IPv4", "169.254.1.1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)", "169.253.1.1")]
    [InlineData("IPv6", "fe80::1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)", "fd80::1")]
    [InlineData("IPv4", "224.0.0.5", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)", "223.0.0.5")]
    [InlineData("IPv4", "nowhere", "endpoints[0].addresses[0]", "192.0.2.1")]
    public void A_slice_names_addresses_of_its_family_that_others_can_reach(string family, string wrong, string why, string right)
    {
        var cluster = new ServiceCluster(dual: true);
        var said = ServiceCluster.Refused(() => Create(wrong));
        Assert.Contains(why, said, StringComparison.Ordinal);
        Create(right);
        Assert.Single(cluster.Store.List(GroupResource.EndpointSlices));

        void Create(string address) => cluster.Registry.Create(GroupResource.EndpointSlices, "default", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "a" },
            ["addressType"] = family,
            ["ports"] = new JsonArray(new JsonObject { ["port"] = 80 }),
            ["endpoints"] = new JsonArray(new JsonObject { ["addresses"] = new JsonArray(address) }),
        });
    }
}
