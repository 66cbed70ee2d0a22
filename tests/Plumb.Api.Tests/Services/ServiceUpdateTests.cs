using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Services;

public sealed class ServiceUpdateTests
{
    [Fact]
    public void A_cluster_address_stays_and_what_a_client_leaves_out_it_does_not_change()
    {
        var cluster = new ServiceCluster(dual: true);
        var before = cluster.Create("a", """{"type":"NodePort","ipFamilyPolicy":"PreferDualStack","ports":[{"port":80}]}""");
        var after = cluster.Put("a", """{"type":"NodePort","ports":[{"port":80},{"name":"x","port":81}]}""".Replace("{\"port\":80}", "{\"name\":\"h\",\"port\":80}", StringComparison.Ordinal));
        Assert.Equal(before.Spec.ClusterIPs, after.Spec.ClusterIPs);
        Assert.Equal(before.Spec.IpFamilies, after.Spec.IpFamilies);
        Assert.Equal(before.Spec.Ports[0].NodePort, after.Spec.Ports[0].NodePort);
        Assert.Equal("spec.clusterIPs[0]: Invalid value: [\"10.96.0.9\"]: may not change once set", ServiceCluster.Refused(() => cluster.Put("a", """{"clusterIP":"10.96.0.9","ipFamilyPolicy":"SingleStack","ports":[{"port":80}]}""")));
    }

    [Fact]
    public void Another_type_lets_go_of_what_only_the_old_one_had()
    {
        var cluster = new ServiceCluster();
        var balanced = cluster.Create("a", """{"type":"LoadBalancer","externalTrafficPolicy":"Local","loadBalancerClass":"x.io/y","ports":[{"port":80,"nodePort":30100}]}""");
        Assert.NotEqual(0, balanced.Spec.HealthCheckNodePort);
        var plain = cluster.Update("a", spec => spec["type"] = "ClusterIP");
        Assert.Equal((0, 0, null, null, (bool?)null), (plain.Spec.Ports[0].NodePort, plain.Spec.HealthCheckNodePort, plain.Spec.ExternalTrafficPolicy, plain.Spec.LoadBalancerClass, plain.Spec.AllocateLoadBalancerNodePorts));
        Assert.Equal(balanced.Spec.ClusterIP, plain.Spec.ClusterIP);
        cluster.Create("b", $$"""{"type":"NodePort","ports":[{"name":"a","port":80,"nodePort":30100},{"name":"b","port":81,"nodePort":{{balanced.Spec.HealthCheckNodePort}}}]}""");
    }

    [Fact]
    public void A_service_that_becomes_a_name_gives_its_address_back_and_gets_one_when_it_returns()
    {
        var cluster = new ServiceCluster();
        string address = cluster.Create("a", """{"ports":[{"port":80}]}""").Spec.ClusterIP!;
        var name = cluster.Update("a", spec => (spec["type"], spec["externalName"]) = ("ExternalName", "example.com"));
        Assert.Equal((null, 0, 0, null), (name.Spec.ClusterIP, name.Spec.ClusterIPs.Count, name.Spec.IpFamilies.Count, name.Spec.InternalTrafficPolicy));
        Assert.Empty(cluster.Addresses);
        Assert.Equal(address, cluster.Create("b", $$"""{"clusterIP":"{{address}}","ports":[{"port":80}]}""").Spec.ClusterIP);
        Assert.NotNull(cluster.Update("a", spec => spec["type"] = "ClusterIP").Spec.ClusterIP);
    }

    [Fact]
    public void A_second_family_comes_and_goes_with_the_policy()
    {
        var cluster = new ServiceCluster(dual: true);
        var one = cluster.Create("a", """{"ports":[{"port":80}]}""");
        Assert.Equal(["IPv4"], one.Spec.IpFamilies);
        var two = cluster.Update("a", spec => spec["ipFamilyPolicy"] = "PreferDualStack");
        Assert.Equal(["IPv4", "IPv6"], two.Spec.IpFamilies);
        Assert.Equal(one.Spec.ClusterIP, two.Spec.ClusterIPs[0]);
        Assert.Equal(2, cluster.Addresses.Count);
        Assert.Equal("spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary cluster IP",
            ServiceCluster.Refused(() => cluster.Update("a", spec => spec["clusterIPs"] = new System.Text.Json.Nodes.JsonArray(one.Spec.ClusterIP))));
        var back = cluster.Update("a", spec => spec["ipFamilyPolicy"] = "SingleStack");
        Assert.Equal([one.Spec.ClusterIP!], back.Spec.ClusterIPs);
        Assert.Equal([$"{one.Spec.ClusterIP} a"], cluster.Addresses);
    }

    [Theory]
    [InlineData("""{}""", "SingleStack", "IPv4")]
    [InlineData("""{"ipFamilies":["IPv6"]}""", "SingleStack", "IPv6")]
    [InlineData("""{"ipFamilyPolicy":"PreferDualStack"}""", "PreferDualStack", "IPv4,IPv6")]
    [InlineData("""{"ipFamilyPolicy":"RequireDualStack","ipFamilies":["IPv6"]}""", "RequireDualStack", "IPv6,IPv4")]
    [InlineData("""{"ipFamilies":["IPv6","IPv4"]}""", "RequireDualStack", "IPv6,IPv4")]
    [InlineData("""{"clusterIP":"fd00:10:96::9"}""", "SingleStack", "IPv6")]
    [InlineData("""{"clusterIP":"10.96.0.9","clusterIPs":["10.96.0.9","fd00:10:96::9"]}""", "RequireDualStack", "IPv4,IPv6")]
    [InlineData("""{"clusterIP":"None","selector":{"a":"b"}}""", "SingleStack", "IPv4")]
    [InlineData("""{"clusterIP":"None"}""", "RequireDualStack", "IPv4,IPv6")]
    [InlineData("""{"clusterIP":"None","ipFamilyPolicy":"SingleStack"}""", "SingleStack", "IPv4")]
    public void Families_follow_from_what_is_said(string spec, string policy, string families)
    {
        var service = new ServiceCluster(dual: true).Create("a", spec.Insert(1, "\"ports\":[{\"port\":80}]" + (spec == "{}" ? "" : ",")));
        Assert.Equal((policy, families), (service.Spec.IpFamilyPolicy, string.Join(',', service.Spec.IpFamilies)));
        Assert.Equal(service.Spec.IsHeadless ? ["None"] : families.Split(','), service.Spec.ClusterIPs.Select(address => address == "None" ? address : address.Contains(':', StringComparison.Ordinal) ? "IPv6" : "IPv4"));
    }

    [Theory]
    [InlineData("""{"ipFamilyPolicy":"SingleStack","ipFamilies":["IPv4","IPv6"]}""", "must be RequireDualStack or PreferDualStack when multiple `ipFamilies` are specified")]
    [InlineData("""{"clusterIP":"10.96.0.9","clusterIPs":["10.96.0.9","10.96.0.10"]}""", "may specify no more than one IP for each IP family")]
    [InlineData("""{"clusterIP":"10.96.0.9","ipFamilies":["IPv6"]}""", "expected an IPv6 value as indicated by `ipFamilies[0]`")]
    [InlineData("""{"clusterIP":"None","clusterIPs":["None","10.96.0.9"]}""", "'None' must be the first and only value")]
    [InlineData("""{"type":"ExternalName","externalName":"*.example.com"}""", "a lowercase RFC 1123 subdomain")]
    [InlineData("""{"type":"ExternalName","externalName":"a.example","ipFamilyPolicy":"SingleStack"}""", "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services")]
    [InlineData("""{"externalIPs":["169.254.1.1"]}""", "link-local range")]
    [InlineData("""{"loadBalancerSourceRanges":["10.0.0.0/8"]}""", "may only be used when `type` is 'LoadBalancer'")]
    public void What_contradicts_itself_is_refused(string spec, string why) =>
        Assert.Contains(why, ServiceCluster.Refused(() => new ServiceCluster(dual: true).Create("a", spec.Insert(1, "\"ports\":[{\"port\":80}],"))), StringComparison.Ordinal);

    [Fact]
    public void The_class_of_a_balancer_and_the_port_of_its_health_check_stay()
    {
        var cluster = new ServiceCluster();
        cluster.Create("a", """{"type":"LoadBalancer","loadBalancerClass":"x.io/a","externalTrafficPolicy":"Local","ports":[{"port":80}]}""");
        Assert.Equal("spec.loadBalancerClass: Invalid value: \"x.io/b\": may not change once set", ServiceCluster.Refused(() => cluster.Update("a", spec => spec["loadBalancerClass"] = "x.io/b")));
        Assert.Equal("spec.healthCheckNodePort: Forbidden: field is immutable", ServiceCluster.Refused(() => cluster.Update("a", spec => spec["healthCheckNodePort"] = 31999)));
    }

    [Fact]
    public void An_address_as_external_name_is_warned_of()
    {
        var warnings = new List<string>();
        new ServiceCluster().Registry.Create(GroupResource.Services, "default",
            System.Text.Json.Nodes.JsonNode.Parse("""{"metadata":{"name":"a"},"spec":{"type":"ExternalName","externalName":"10.1.2.3"}}""")!.AsObject(), new WriteOptions { Warnings = warnings });
        Assert.Contains("taken for a name", Assert.Single(warnings), StringComparison.Ordinal);
    }
}
