using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers;

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

    private static List<EndpointSlice> Slices(Cluster cluster) => cluster.List<EndpointSlice>(GroupResource.EndpointSlices);

    private static IEnumerable<string> Names(Cluster cluster) => Slices(cluster).SelectMany(s => s.Endpoints).Select(e => e.TargetRef!.Name!);
}
