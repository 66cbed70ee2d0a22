using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Controllers.Services;

public sealed class ServiceAddressTests
{
    private static readonly StoreKey Address = new(GroupResource.IPAddresses, "", "10.96.0.77");

    [Fact]
    public async Task An_address_object_that_somebody_deletes_comes_back_while_its_service_stands()
    {
        await using var cluster = new Cluster().Start();
        var service = Create(cluster, "10.96.0.77");
        string first = cluster.Store.Get(Address).Uid;
        cluster.Registry.Delete(Address);
        await cluster.UntilAsync(() => cluster.Store.Find(Address) is { } again && again.Uid != first && again.Field("spec.parentRef.name") == "s");
        cluster.Registry.Delete(service.Key);
        await cluster.UntilAsync(() => cluster.Store.Find(Address) is null);
    }

    [Fact]
    public async Task An_address_object_whose_service_does_not_hold_it_goes_unless_a_person_made_it()
    {
        await using var cluster = new Cluster().Start();
        foreach (var (address, labels) in new[] { ("10.96.0.77", ""","labels":{"ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"}"""), ("10.96.0.78", "") })
        {
            cluster.Registry.Create(GroupResource.IPAddresses, "",
                JsonNode.Parse($$$"""{"metadata":{"name":"{{{address}}}"{{{labels}}} },"spec":{"parentRef":{"resource":"services","namespace":"default","name":"none"} } }""")!.AsObject());
        }
        await cluster.UntilAsync(() => cluster.Store.Find(Address) is null);
        Assert.NotNull(cluster.Store.Find(Address with { Name = "10.96.0.78" }));
    }

    [Fact]
    public async Task A_range_goes_when_no_service_needs_it_any_more()
    {
        await using var cluster = new Cluster().Start();
        var range = cluster.Registry.Create(GroupResource.ServiceCidrs, "", JsonNode.Parse("""{"metadata":{"name":"more"},"spec":{"cidrs":["10.200.0.0/24"]}}""")!.AsObject());
        await cluster.UntilAsync(() => cluster.Store.Get(range.Key) is { Finalizers.Count: 1 } ready && Ready(ready) == "True");
        var service = Create(cluster, "10.200.0.7");
        cluster.Registry.Delete(range.Key);
        await cluster.UntilAsync(() => cluster.Store.Find(range.Key) is { IsDeleting: true } going && Ready(going) == "False");
        cluster.Registry.Delete(service.Key);
        await cluster.UntilAsync(() => cluster.Store.Find(range.Key) is null);
        Assert.Contains("does not match the current range", Assert.Throws<ApiException>(() => Create(cluster, "10.200.0.7")).Message, StringComparison.Ordinal);
    }

    private static StoredObject Create(Cluster cluster, string address) =>
        cluster.Create(GroupResource.Services, $$$"""{"metadata":{"name":"s"},"spec":{"clusterIP":"{{{address}}}","ports":[{"port":80}]}}""");

    private static string? Ready(StoredObject range) => (string?)range.ToNode()["status"]?["conditions"]?[0]?["status"];
}
