using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers.Services;

public sealed class EndpointSliceTests
{
    [Fact]
    public async Task A_service_lists_its_pods_with_the_port_that_each_of_them_means()
    {
        await using var cluster = new Cluster().Start();
        cluster.IsBroken = pod => pod.Name == "sick";
        cluster.Deployment("web", 2);
        cluster.Create(GroupResource.Pods, """{"metadata":{"name":"sick","labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"a:1","ports":[{"name":"http","containerPort":8080}]}]}}""");
        cluster.Pod("other");
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"web","labels":{"x":"y"}},"spec":{"selector":{"app":"web"},"ports":[{"name":"p","port":80,"targetPort":"http"}]}}""");
        await cluster.UntilAsync(() => Slices(cluster).Sum(s => s.Endpoints.Count(e => e.Conditions.Serving is not null)) == 3 && cluster.IsRolledOut("web") && Slices(cluster)[0].Endpoints.Count(e => e.Conditions.Ready == true) == 2);
        var slice = Assert.Single(Slices(cluster));
        Assert.Equal(("IPv4", "web", "y"), (slice.AddressType, slice.Metadata.Labels["kubernetes.io/service-name"], slice.Metadata.Labels["x"]));
        Assert.Equal(new EndpointPort { Name = "p", Port = 8080, Protocol = "TCP" }, Assert.Single(slice.Ports));
        var sick = slice.Endpoints.Single(e => e.TargetRef!.Name == "sick");
        Assert.Equal((false, false, false), (sick.Conditions.Ready, sick.Conditions.Serving, sick.Conditions.Terminating));
        await cluster.UntilAsync(() => cluster.Find<Endpoints>(GroupResource.Endpoints, "web") is { Subsets: [{ Addresses.Count: 2, NotReadyAddresses.Count: 1 }] });
    }

    [Fact]
    public async Task A_port_may_be_a_side_car_s()
    {
        await using var cluster = new Cluster().Start();
        cluster.Create(GroupResource.Pods, """
            {"metadata":{"name":"p","labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"a:1"}],"initContainers":[
              {"name":"first","image":"a:1","ports":[{"name":"http","containerPort":1}]},{"name":"side","image":"a:1","restartPolicy":"Always","ports":[{"name":"http","containerPort":9376}]}]}}
            """);
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80,"targetPort":"http"}]}}""");
        await cluster.UntilAsync(() => Slices(cluster) is [{ Ports: [{ Port: 9376 }], Endpoints.Count: 1 }]);
    }

    [Fact]
    public async Task A_service_without_pods_has_one_empty_slice_and_it_goes_with_the_service()
    {
        await using var cluster = new Cluster().Start();
        var service = cluster.Create(GroupResource.Services, """{"metadata":{"name":"lonely"},"spec":{"selector":{"app":"none"},"ports":[{"port":80}]}}""");
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints.Count: 0 }]);
        cluster.Registry.Delete(service.Key);
        await cluster.UntilAsync(() => Slices(cluster).Count == 0);
    }

    [Fact]
    public async Task Slices_hold_a_hundred_and_shrink_again()
    {
        await using var cluster = new Cluster().Start();
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}""");
        cluster.Deployment("web", 250);
        await cluster.UntilAsync(() => Slices(cluster).Sum(s => s.Endpoints.Count(e => e.Conditions.Ready == true)) == 250, () => string.Join(' ', Slices(cluster).Select(s => s.Endpoints.Count)));
        Assert.Equal([100, 100, 50], Slices(cluster).Select(s => s.Endpoints.Count).OrderDescending());
        Assert.Equal(250, Slices(cluster).SelectMany(s => s.Endpoints).Select(e => e.Addresses[0]).Distinct().Count());
        cluster.Scale("web", 0);
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints.Count: 0 }]);
    }

    [Fact]
    public async Task A_slice_that_somebody_deletes_comes_back_and_a_new_selector_is_followed()
    {
        await using var cluster = new Cluster().Start();
        cluster.Pod("a");
        cluster.Pod("b");
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"s"},"spec":{"selector":{"app":"a"},"ports":[{"port":80}]}}""");
        await cluster.UntilAsync(() => Names(cluster).SequenceEqual(["a"]));
        cluster.Registry.Delete(cluster.Store.List(GroupResource.EndpointSlices, "default")[0].Key);
        await cluster.UntilAsync(() => Names(cluster).SequenceEqual(["a"]));
        cluster.Registry.Update(new StoreKey(GroupResource.Services, "default", "s"), root => (root["spec"]!["selector"]!["app"] = "b") is not null);
        await cluster.UntilAsync(() => Names(cluster).SequenceEqual(["b"]));
    }

    [Fact]
    public async Task A_headless_service_keeps_host_names_and_lists_who_is_not_ready_if_it_wants()
    {
        await using var cluster = new Cluster().Start();
        cluster.IsBroken = _ => true;
        cluster.Pod("a", ""","hostname":"alpha","subdomain":"s" """);
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"s"},"spec":{"clusterIP":"None","publishNotReadyAddresses":true,"selector":{"app":"a"}}}""");
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Hostname: "alpha", Conditions: { Ready: true, Serving: false } }] }]);
        Assert.True(Slices(cluster)[0].Metadata.Labels.ContainsKey("service.kubernetes.io/headless"));
    }

    [Fact]
    public async Task Controllers_that_begin_anew_go_on_with_the_slices_that_are_there()
    {
        await using var cluster = new Cluster().Start();
        cluster.Deployment("web", 150);
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}""");
        await cluster.UntilAsync(() => Slices(cluster).Sum(s => s.Endpoints.Count(e => e.Conditions.Ready == true)) == 150);
        var before = Slices(cluster).ToDictionary(s => s.Metadata.Name, s => s.Metadata.ResourceVersion);
        var gone = cluster.Find<Pod>(GroupResource.Pods, Slices(cluster)[0].Endpoints[0].TargetRef!.Name!)!;
        await cluster.RestartAsync(() => cluster.Registry.Delete(new StoreKey(GroupResource.Pods, "default", gone.Metadata.Name)));
        await cluster.UntilAsync(() => Slices(cluster).SelectMany(s => s.Endpoints).Where(e => e.Conditions.Ready == true).Select(e => e.TargetRef!.Name!).ToHashSet() is { Count: 150 } ready && !ready.Contains(gone.Metadata.Name));
        Assert.Equal(before.Keys.Order(), Slices(cluster).Select(s => s.Metadata.Name).Order());
        Assert.Equal(150, Names(cluster).Count());
    }

    [Fact]
    public async Task Endpoints_tell_their_node_and_zone_and_are_kept_to_it_as_the_service_wants()
    {
        await using var cluster = new Cluster(nodes: 0).Start();
        cluster.AddNode("node-a", new JsonObject { ["topology.kubernetes.io/zone"] = "east" });
        cluster.Pod("p");
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"p"},"spec":{"selector":{"app":"p"},"ports":[{"port":80}]}}""");
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ NodeName: "node-a", Zone: "east", Hints: null }] }]);
        Distribute(cluster, "PreferSameZone");
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Hints: { ForZones: [{ Name: "east" }], ForNodes: [] } }] }]);
        Distribute(cluster, "PreferSameNode");
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Hints: { ForZones: [{ Name: "east" }], ForNodes: [{ Name: "node-a" }] } }] }]);
        cluster.Registry.Update(new StoreKey(GroupResource.Nodes, "", "node-a"), root => (root["metadata"]!["labels"]!["topology.kubernetes.io/zone"] = "west") is not null);
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Zone: "west", Hints.ForZones: [{ Name: "west" }] }] }]);
        Distribute(cluster, null);
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Hints: null }] }]);
    }

    [Theory]
    [InlineData("service.kubernetes.io/topology-mode")]
    [InlineData("service.kubernetes.io/topology-aware-hints")]
    public async Task A_service_that_wants_its_endpoints_spread_over_zones_hears_why_they_are_not(string annotation)
    {
        await using var cluster = new Cluster(nodes: 0).Start();
        cluster.AddNode("node-a", new JsonObject { ["topology.kubernetes.io/zone"] = "east" });
        cluster.Pod("p");
        // The annotation is older and goes before the field.
        cluster.Create(GroupResource.Services, $$$"""{"metadata":{"name":"p","annotations":{"{{{annotation}}}":"Auto"}},"spec":{"trafficDistribution":"PreferClose","selector":{"app":"p"},"ports":[{"port":80}]}}""");
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Zone: "east", Hints: null, Conditions.Ready: true }] }]);
        await cluster.UntilAsync(() => cluster.Store.List(GroupResource.Events, "default").Select(static e => e.ToNode()).Any(static e =>
            (string?)e["reason"] == "TopologyAwareHintsDisabled" && ((string?)e["message"])!.StartsWith("no topology hints for IPv4: ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_endpoint_that_is_not_ready_is_for_nobody_in_particular()
    {
        await using var cluster = new Cluster(kubelets: false, nodes: 0).Start();
        cluster.AddNode("node-a", new JsonObject { ["topology.kubernetes.io/zone"] = "east" });
        cluster.Pod("p");
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"p"},"spec":{"trafficDistribution":"PreferSameNode","selector":{"app":"p"},"ports":[{"port":80}]}}""");
        await cluster.UntilAsync(() => cluster.Pods("p")[0].NodeName.Length > 0);
        cluster.Run("p", false, "10.244.1.5");
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Zone: "east", Hints: null }] }]);
        cluster.Run("p", true, "10.244.1.5");
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Hints: { ForZones: [{ Name: "east" }], ForNodes: [{ Name: "node-a" }] } }] }]);
    }

    [Fact]
    public async Task Dual_stack_has_slices_of_each_family_and_endpoints_only_where_the_pod_has_the_address()
    {
        var registry = new Registry(new ObjectStore(), TimeProvider.System, new Random(1), new(System.Net.IPNetwork.Parse("10.96.0.0/12"), System.Net.IPNetwork.Parse("fd00:10:96::/112")));
        registry.Create(GroupResource.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } });
        await using var cluster = new Cluster(registry, kubelets: false).Start();
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"p"},"spec":{"ipFamilyPolicy":"PreferDualStack","selector":{"of":"p"},"ports":[{"port":80}]}}""");
        foreach (string name in (string[])["both", "old"])
        {
            cluster.Create(GroupResource.Pods, $$$"""{"metadata":{"name":"{{{name}}}","labels":{"of":"p"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}""");
        }
        cluster.Run("both", true, "10.244.1.5", "fd00:10:244:1::5");
        cluster.Run("old", true, "10.244.1.6");
        await cluster.UntilAsync(() => Slices(cluster).Count == 2 && Addresses(cluster, "IPv4") == "10.244.1.5 10.244.1.6" && Addresses(cluster, "IPv6") == "fd00:10:244:1::5", () => Addresses(cluster, "IPv4") + Addresses(cluster, "IPv6"));
        cluster.Registry.Update(new StoreKey(GroupResource.Services, "default", "p"), root => (root["spec"]!["ipFamilyPolicy"] = "SingleStack") is not null);
        await cluster.UntilAsync(() => Slices(cluster) is [{ AddressType: "IPv4", Endpoints.Count: 2 }]);
    }

    [Fact]
    public async Task A_pod_that_goes_is_serving_and_terminating_until_it_has_gone()
    {
        await using var cluster = new Cluster(kubelets: false).Start();
        cluster.Pod("p");
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"p"},"spec":{"selector":{"app":"p"},"ports":[{"port":80}]}}""");
        await cluster.UntilAsync(() => cluster.Pods("p")[0].NodeName.Length > 0);
        var pod = cluster.Run("p", true, "10.244.1.5");
        cluster.Registry.Delete(pod.Key);
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Conditions: { Ready: false, Serving: true, Terminating: true } }] }]);
        await cluster.UntilAsync(() => cluster.Find<Endpoints>(GroupResource.Endpoints, "p") is { Subsets: [] });
        cluster.Registry.Delete(pod.Key, DeleteOptions.Now);
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [] }]);
    }

    [Fact]
    public async Task Labels_of_the_service_are_those_of_its_slices_and_endpoints()
    {
        await using var cluster = new Cluster().Start();
        cluster.Pod("p");
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"p"},"spec":{"selector":{"app":"p"},"ports":[{"port":80}]}}""");
        await cluster.UntilAsync(() => Names(cluster).Any());
        cluster.Registry.Update(new StoreKey(GroupResource.Services, "default", "p"), root => (root["metadata"]!["labels"] = new JsonObject { ["service.kubernetes.io/service-proxy-name"] = "other" }) is not null);
        await cluster.UntilAsync(() => Slices(cluster)[0].Metadata.Labels.GetValueOrDefault(Service.ProxyNameLabel) == "other" && cluster.Find<Endpoints>(GroupResource.Endpoints, "p")!.Metadata.Labels.ContainsKey(Service.ProxyNameLabel));
        Assert.Single(Slices(cluster));
    }

    [Fact]
    public async Task Five_thousand_pods_are_in_fifty_slices_and_endpoints_tell_of_a_thousand()
    {
        await using var cluster = new Cluster(kubelets: false).Start();
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"p"},"spec":{"selector":{"app":"p"},"ports":[{"port":80}]}}""");
        for (int i = 0; i < 5_000; i++)
        {
            cluster.Create(GroupResource.Pods, $$$"""{"metadata":{"name":"p{{{i}}}","labels":{"app":"p"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}""");
            cluster.Run($"p{i}", i % 10 != 0, $"10.{i / 250}.{i % 250}.1");
        }
        await cluster.UntilAsync(() => Slices(cluster).Sum(s => s.Endpoints.Count(e => e.NodeName is not null)) == 5_000);
        Assert.Equal(50, Slices(cluster).Count);
        cluster.Time.Advance(TimeSpan.FromSeconds(1));
        await cluster.UntilAsync(() => cluster.Find<Endpoints>(GroupResource.Endpoints, "p") is { Subsets: [{ Addresses.Count: 1_000, NotReadyAddresses.Count: 0 }] } full && full.Metadata.Annotations["endpoints.kubernetes.io/over-capacity"] == "truncated");
        var versions = Slices(cluster).ToDictionary(s => s.Metadata.Name, s => s.Metadata.ResourceVersion);
        cluster.Run("p17", false, "10.0.17.1");
        await cluster.UntilAsync(() => Slices(cluster).Any(s => s.Endpoints.Any(e => e.TargetRef!.Name == "p17" && e.Conditions.Ready == false)));
        // One change writes one slice.
        Assert.Single(Slices(cluster), s => versions[s.Metadata.Name] != s.Metadata.ResourceVersion);
    }

    private static void Distribute(Cluster cluster, string? how) =>
        cluster.Registry.Update(new StoreKey(GroupResource.Services, "default", "p"), root =>
        {
            root["spec"]!["trafficDistribution"] = how;
            return true;
        });

    private static string Addresses(Cluster cluster, string family) =>
        string.Join(' ', Slices(cluster).Where(s => s.AddressType == family).SelectMany(s => s.Endpoints).Select(e => e.Addresses[0]).Order());

    private static List<EndpointSlice> Slices(Cluster cluster) => cluster.List<EndpointSlice>(GroupResource.EndpointSlices);

    private static IEnumerable<string> Names(Cluster cluster) => Slices(cluster).SelectMany(s => s.Endpoints).Select(e => e.TargetRef!.Name!);
}
