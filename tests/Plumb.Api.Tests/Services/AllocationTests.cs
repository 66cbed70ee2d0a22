using System.Net;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Services;

public sealed class AllocationTests
{
    /// <summary>Whatever is created, changed, deleted, and whenever the server starts anew: no address and no node port is held twice, and the IPAddresses say who holds which.</summary>
    [Fact]
    public void Nothing_is_ever_held_twice() => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), static seed =>
    {
        var random = new Random(seed);
        // So small that it is full at times.
        var cluster = new ServiceCluster(dual: true, v4: IPNetwork.Parse("10.96.0.0/28"));
        for (int step = 0; step < 60; step++)
        {
            try
            {
                Step(cluster, random);
            }
            catch (ApiException refused) when (refused.Code is 404 or 409 or 422 or 500)
            {
                // A server that refuses changes nothing.
            }
            Check(cluster);
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Fact]
    public void Addresses_and_ports_of_deleted_services_are_free_again()
    {
        var cluster = new ServiceCluster(v4: IPNetwork.Parse("10.96.0.0/29"));
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 6; i++)
                cluster.Create($"s{i}", """{"type":"NodePort","ports":[{"port":80}]}""");
            Assert.Equal("Internal error occurred: failed to allocate a serviceIP: range is full", ServiceCluster.Refused(() => cluster.Create("more", """{"ports":[{"port":80}]}""")));
            for (int i = 0; i < 6; i++)
                cluster.Delete($"s{i}");
            Assert.Empty(cluster.Addresses);
        }
        Assert.Equal(30080, cluster.Create("again", """{"type":"NodePort","ports":[{"port":80,"nodePort":30080}]}""").Spec.Ports[0].NodePort);
    }

    [Fact]
    public void What_nobody_asks_for_by_name_comes_from_the_upper_band()
    {
        var cluster = new ServiceCluster();
        for (int i = 0; i < 200; i++)
        {
            var service = cluster.Create($"s{i}", """{"type":"NodePort","ports":[{"port":80}]}""");
            Assert.InRange(IPAddress.Parse(service.Spec.ClusterIP!).GetAddressBytes()[3], 17, 254);
            Assert.InRange(service.Spec.Ports[0].NodePort, 30086, 32767);
        }
        Assert.Equal("10.96.0.5", cluster.Create("named", """{"clusterIP":"10.96.0.5","ports":[{"port":80}]}""").Spec.ClusterIP);
        for (int i = 200; i < 238; i++)
            cluster.Create($"s{i}", """{"ports":[{"port":80}]}""");
        // The upper band of 238 is full.
        Assert.InRange(IPAddress.Parse(cluster.Create("last", """{"ports":[{"port":80}]}""").Spec.ClusterIP!).GetAddressBytes()[3], 1, 16);
    }

    [Fact]
    public void A_server_that_starts_anew_knows_what_is_held()
    {
        var cluster = new ServiceCluster();
        var held = cluster.Create("a", """{"type":"NodePort","clusterIP":"10.96.0.7","ports":[{"port":80,"nodePort":30100}]}""");
        cluster.Restart();
        Assert.Equal("spec.clusterIPs: Invalid value: [\"10.96.0.7\"]: failed to allocate IP 10.96.0.7: provided IP is already allocated",
            ServiceCluster.Refused(() => cluster.Create("b", """{"clusterIP":"10.96.0.7","ports":[{"port":80}]}""")));
        Assert.Equal("spec.ports[0].nodePort: Invalid value: 30100: provided port is already allocated",
            ServiceCluster.Refused(() => cluster.Create("b", """{"type":"NodePort","ports":[{"port":80,"protocol":"UDP","nodePort":30100}]}""")));
        cluster.Delete("a");
        Assert.Equal(held.Spec.ClusterIP, cluster.Create("b", """{"type":"NodePort","clusterIP":"10.96.0.7","ports":[{"port":80,"nodePort":30100}]}""").Spec.ClusterIP);
    }

    [Fact]
    public void Each_address_has_its_object_and_one_that_a_person_makes_keeps_the_address_free()
    {
        var cluster = new ServiceCluster();
        cluster.Create("a", """{"clusterIP":"10.96.0.7","ports":[{"port":80}]}""");
        Assert.Equal(["10.96.0.7 a"], cluster.Addresses);
        cluster.Registry.Create(GroupResource.IPAddresses, "", JsonNode.Parse("""{"metadata":{"name":"10.96.0.8"},"spec":{"parentRef":{"resource":"leases","name":"x"}}}""")!.AsObject());
        Assert.Contains("already allocated", ServiceCluster.Refused(() => cluster.Create("b", """{"clusterIP":"10.96.0.8","ports":[{"port":80}]}""")), StringComparison.Ordinal);
    }

    [Fact]
    public void One_number_serves_two_protocols_of_one_service_and_no_other_service()
    {
        var cluster = new ServiceCluster();
        var dns = cluster.Create("dns", """{"type":"NodePort","ports":[{"name":"u","port":53,"protocol":"UDP"},{"name":"t","port":53},{"name":"m","port":9153}]}""");
        Assert.Equal(dns.Spec.Ports[0].NodePort, dns.Spec.Ports[1].NodePort);
        Assert.NotEqual(dns.Spec.Ports[0].NodePort, dns.Spec.Ports[2].NodePort);
        Assert.Contains("already allocated", ServiceCluster.Refused(() =>
            cluster.Create("other", $$"""{"type":"NodePort","ports":[{"port":1,"protocol":"SCTP","nodePort":{{dns.Spec.Ports[0].NodePort}}}]}""")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_range_gives_addresses_when_the_first_is_full()
    {
        var cluster = new ServiceCluster(v4: IPNetwork.Parse("10.96.0.0/30"));
        cluster.Create("a", """{"ports":[{"port":80}]}""");
        cluster.Create("b", """{"ports":[{"port":80}]}""");
        cluster.Registry.Create(GroupResource.ServiceCidrs, "", JsonNode.Parse("""{"metadata":{"name":"more"},"spec":{"cidrs":["10.112.0.0/24"]}}""")!.AsObject());
        cluster.Restart();
        Assert.StartsWith("10.112.0.", cluster.Create("c", """{"ports":[{"port":80}]}""").Spec.ClusterIP, StringComparison.Ordinal);
        Assert.Equal("10.112.0.9", cluster.Create("d", """{"clusterIP":"10.112.0.9","ports":[{"port":80}]}""").Spec.ClusterIP);
    }

    [Fact]
    public void A_dry_run_takes_nothing()
    {
        var cluster = new ServiceCluster();
        var dry = new WriteOptions { DryRun = true };
        for (int i = 0; i < 2; i++)
        {
            cluster.Registry.Create(GroupResource.Services, "default",
                JsonNode.Parse("""{"metadata":{"name":"a"},"spec":{"type":"NodePort","clusterIP":"10.96.0.9","ports":[{"port":80,"nodePort":30200}]}}""")!.AsObject(), dry);
        }
        Assert.Empty(cluster.Addresses);
        cluster.Create("a", """{"type":"NodePort","clusterIP":"10.96.0.9","ports":[{"port":80,"nodePort":30200}]}""");
    }

    private static void Step(ServiceCluster cluster, Random random)
    {
        string name = $"s{random.Next(8)}";
        string type = Pick(random, "ClusterIP", "NodePort", "LoadBalancer", "ExternalName");
        string policy = Pick(random, "SingleStack", "PreferDualStack", "RequireDualStack");
        int port = 30000 + random.Next(6);
        switch (random.Next(8))
        {
            case 0 or 1:
                string more = random.Next(3) switch
                {
                    0 when type == "LoadBalancer" => ",\"externalTrafficPolicy\":\"Local\"" + (random.Next(2) == 0 ? $",\"healthCheckNodePort\":{port}" : ""),
                    1 when type != "ExternalName" => $",\"clusterIP\":\"10.96.0.{random.Next(1, 15)}\"",
                    _ => "",
                };
                string node = type is "NodePort" or "LoadBalancer" && random.Next(2) == 0 ? $",\"nodePort\":{port}" : "";
                string family = type == "ExternalName" ? ",\"externalName\":\"a.example\"" : $",\"ipFamilyPolicy\":\"{policy}\"";
                cluster.Create(name, $$"""{"type":"{{type}}","ports":[{"name":"a","port":80{{node}}},{"name":"b","port":80,"protocol":"UDP"}]{{family}}{{more}}}""");
                break;
            case 2:
                cluster.Update(name, spec =>
                {
                    spec["type"] = type;
                    if (type == "ExternalName")
                        spec["externalName"] = "a.example";
                });
                break;
            case 3:
                cluster.Update(name, spec => spec["ipFamilyPolicy"] = policy);
                break;
            case 4:
                cluster.Update(name, spec => spec["ports"]![0]!["nodePort"] = port);
                break;
            case 5:
                cluster.Update(name, spec => spec["externalTrafficPolicy"] = Pick(random, "Local", "Cluster"));
                break;
            case 6:
                cluster.Delete(name);
                break;
            default:
                cluster.Restart();
                break;
        }
    }

    private static void Check(ServiceCluster cluster)
    {
        var addresses = cluster.Services.SelectMany(service => service.Spec.ClusterIPs.Select(address => (service.Metadata.Name, Address: address))).Where(held => held.Address != "None").ToList();
        Assert.Equal(addresses.Count, addresses.Select(held => held.Address).Distinct().Count());
        Assert.Equal(addresses.Select(held => $"{held.Address} {held.Name}").Order(StringComparer.Ordinal), cluster.Addresses.Order(StringComparer.Ordinal));
        var ports = cluster.Services.SelectMany(service => service.Spec.Ports.Select(port => port.NodePort).Append(service.Spec.HealthCheckNodePort).Where(port => port != 0).Distinct()).ToList();
        Assert.Equal(ports.Count, ports.Distinct().Count());
        foreach (var service in cluster.Services)
        {
            Assert.Equal(service.Spec.ClusterIP ?? "", service.Spec.ClusterIPs.Count > 0 ? service.Spec.ClusterIPs[0] : "");
            Assert.Equal(service.Spec.IsExternalName ? 0 : service.Spec.IpFamilies.Count, service.Spec.ClusterIPs.Count);
            Assert.Equal(service.Spec.Type is "NodePort" or "LoadBalancer", service.Spec.Ports.All(port => port.NodePort != 0));
            Assert.Equal(service.Spec is { Type: "LoadBalancer", ExternalTrafficPolicy: "Local" }, service.Spec.HealthCheckNodePort != 0);
        }
    }

    private static string Pick(Random random, params ReadOnlySpan<string> choices) => choices[random.Next(choices.Length)];
}
