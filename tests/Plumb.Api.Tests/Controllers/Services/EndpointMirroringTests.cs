using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers.Services;

public sealed class EndpointMirroringTests
{
    private static readonly StoreKey Key = new(GroupResource.Endpoints, "default", "db");

    [Fact]
    public async Task Endpoints_made_by_hand_are_shown_as_slices_and_followed()
    {
        await using var cluster = new Cluster().Start();
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"db"},"spec":{"ports":[{"name":"sql","port":5432}]}}""");
        cluster.Create(GroupResource.Endpoints, """
            {"metadata":{"name":"db","labels":{"tier":"back"},"annotations":{"note":"x"}},
             "subsets":[{"addresses":[{"ip":"192.168.1.100"},{"ip":"fd00::100"}],"notReadyAddresses":[{"ip":"192.168.1.101","hostname":"spare"}],"ports":[{"name":"sql","port":5432}]}]}
            """);
        await cluster.UntilAsync(() => Slices(cluster).Count == 2);
        var slice = Slices(cluster).Single(s => s.AddressType == "IPv4");
        Assert.Equal(("db", "back", "endpointslicemirroring-controller.k8s.io", "x"),
            (slice.Metadata.Labels[EndpointSlice.ServiceNameLabel], slice.Metadata.Labels["tier"], slice.Metadata.Labels[EndpointSlice.ManagedByLabel], slice.Metadata.Annotations["note"]));
        Assert.Equal([("192.168.1.100", true, null), ("192.168.1.101", false, "spare")], slice.Endpoints.Select(e => (e.Addresses[0], e.Conditions.Ready!.Value, e.Hostname)));
        Assert.Equal(new EndpointPort { Name = "sql", Port = 5432, Protocol = "TCP" }, Assert.Single(slice.Ports));
        cluster.Registry.Update(Key, root => (root["subsets"]![0]!["addresses"] = new JsonArray(new JsonObject { ["ip"] = "192.168.1.102" })) is not null);
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [{ Addresses: ["192.168.1.102"] }, _] } same] && same.Metadata.Name == slice.Metadata.Name);
        cluster.Registry.Delete(Key);
        await cluster.UntilAsync(() => Slices(cluster).Count == 0);
    }

    [Fact]
    public async Task Only_what_nobody_else_lists_is_mirrored()
    {
        await using var cluster = new Cluster().Start();
        cluster.Create(GroupResource.Endpoints, """{"metadata":{"name":"no-service"},"subsets":[{"addresses":[{"ip":"192.168.1.100"}],"ports":[{"port":1}]}]}""");
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"skipped"},"spec":{"ports":[{"port":1}]}}""");
        cluster.Create(GroupResource.Endpoints, """{"metadata":{"name":"skipped","labels":{"endpointslice.kubernetes.io/skip-mirror":"true"}},"subsets":[{"addresses":[{"ip":"192.168.1.100"}],"ports":[{"port":1}]}]}""");
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"db"},"spec":{"ports":[{"port":1}]}}""");
        cluster.Create(GroupResource.Endpoints, """{"metadata":{"name":"db"},"subsets":[{"addresses":[{"ip":"192.168.1.100"}],"ports":[{"port":1}]}]}""");
        await cluster.UntilAsync(() => Slices(cluster) is [var one] && one.Metadata.Labels[EndpointSlice.ServiceNameLabel] == "db");
        // A Service that gets a selector has its own from then on.
        cluster.Registry.Update(new StoreKey(GroupResource.Services, "default", "db"), root => (root["spec"]!["selector"] = new JsonObject { ["app"] = "db" }) is not null);
        await cluster.UntilAsync(() => Slices(cluster) is [{ Endpoints: [] } one] && one.Metadata.Labels[EndpointSlice.ManagedByLabel] == "endpointslice-controller.k8s.io");
    }

    [Fact]
    public async Task Many_addresses_are_in_slices_of_a_hundred_and_no_more_than_a_thousand()
    {
        await using var cluster = new Cluster().Start();
        cluster.Create(GroupResource.Services, """{"metadata":{"name":"db"},"spec":{"ports":[{"port":1}]}}""");
        string addresses = string.Join(',', Enumerable.Range(0, 1_050).Select(i => $$"""{"ip":"10.1.{{i / 250}}.{{i % 250}}"}"""));
        cluster.Create(GroupResource.Endpoints, $$"""{"metadata":{"name":"db"},"subsets":[{"addresses":[{{addresses}}],"ports":[{"port":1}]}]}""");
        await cluster.UntilAsync(() => Slices(cluster).Sum(s => s.Endpoints.Count) == 1_000);
        Assert.All(Slices(cluster), s => Assert.Equal(100, s.Endpoints.Count));
        await cluster.UntilAsync(() => cluster.Events("TooManyAddresses").Count == 1);
    }

    private static List<EndpointSlice> Slices(Cluster cluster) => cluster.List<EndpointSlice>(GroupResource.EndpointSlices);
}
