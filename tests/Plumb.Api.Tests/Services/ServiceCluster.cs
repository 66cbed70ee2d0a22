using System.Net;
using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Services;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Services;

/// <summary>A registry without controllers, on which Services are written as clients do.</summary>
internal sealed class ServiceCluster
{
    public static readonly IPNetwork V4 = IPNetwork.Parse("10.96.0.0/24");
    public static readonly IPNetwork V6 = IPNetwork.Parse("fd00:10:96::/120");

    private readonly ServiceRanges ranges;
    private int restarts;

    public ServiceCluster(bool dual = false, IPNetwork? v4 = null)
    {
        ranges = new ServiceRanges(v4 ?? V4, dual ? V6 : null);
        Registry = New();
        Registry.Create(GroupResource.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } });
    }

    public ObjectStore Store { get; } = new();

    public Registry Registry { get; private set; }

    /// <summary>Forgets everything but the objects.</summary>
    public void Restart() => Registry = New();

    public Service Create(string name, string spec) =>
        Read(Registry.Create(GroupResource.Services, "default", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = JsonNode.Parse(spec) }));

    public Service Update(string name, Action<JsonObject> change) => Read(Registry.Update(Key(name), root =>
    {
        change(root["spec"]!.AsObject());
        return true;
    }));

    /// <summary>Writes exactly these fields, as PUT does.</summary>
    public Service Put(string name, string spec) => Read(Registry.Update(Key(name), root =>
    {
        root["spec"] = JsonNode.Parse(spec);
        return true;
    }));

    public void Delete(string name) => Registry.Delete(Key(name));

    public Service Find(string name) => Read(Store.Get(Key(name)));

    public List<Service> Services => [.. Store.List(GroupResource.Services).Select(Read)];

    public List<string> Addresses => [.. Store.List(GroupResource.IPAddresses).Select(address => $"{address.Name} {address.Field("spec.parentRef.name")}")];

    /// <summary>What a write is refused with.</summary>
    public static string Refused(Action write)
    {
        var refusal = Assert.Throws<ApiException>(write);
        return refusal.Message[(refusal.Message.IndexOf("invalid: ", StringComparison.Ordinal) is var at and >= 0 ? at + "invalid: ".Length : 0)..];
    }

    private Registry New() => new(Store, TimeProvider.System, new Random(++restarts), ranges);

    private static StoreKey Key(string name) => new(GroupResource.Services, "default", name);

    private static Service Read(StoredObject stored) => stored.As(KubernetesJson.TypeInfo<Service>());
}
