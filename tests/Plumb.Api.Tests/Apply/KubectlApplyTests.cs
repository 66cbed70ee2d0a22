namespace Plumb.Api.Tests.Apply;

/// <summary>Who owns a field, as kubectl meets it.</summary>
public sealed class KubectlApplyTests : KubectlFixture
{
    private const string Map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: '1', b: '2'}\n";

    [Fact]
    public async Task A_field_that_another_command_wrote_is_a_conflict_until_it_is_forced()
    {
        await RunAsync("create", "configmap", "m", "--from-literal=a=9");
        var map = await FileAsync("map.yaml", Map);
        var refused = await RunAsync(["apply", "--server-side", "-f", map], fails: true);
        Assert.Contains("conflict with \"kubectl-create\" using v1: .data.a", refused, StringComparison.Ordinal);
        await RunAsync("apply", "--server-side", "--force-conflicts", "-f", map);
        Assert.Equal("1 2", await RunAsync("get", "configmap", "m", "-o", "jsonpath={.data.a} {.data.b}"));
        var owners = await RunAsync("get", "configmap", "m", "--show-managed-fields", "-o", "jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation} {end}");
        Assert.Equal("kubectl/Apply kubectl-create/Update", owners.Trim());
    }

    [Fact]
    public async Task What_is_no_longer_applied_goes_and_what_others_added_stays()
    {
        var map = await FileAsync("map.yaml", Map);
        await RunAsync("apply", "--server-side", "-f", map);
        await RunAsync("patch", "configmap", "m", "--type=merge", "-p", """{"data":{"c":"3"}}""");
        await FileAsync("map.yaml", Map.Replace(", b: '2'", "", StringComparison.Ordinal));
        await RunAsync("apply", "--server-side", "-f", map);
        Assert.Equal("""{"a":"1","c":"3"}""", await RunAsync("get", "configmap", "m", "-o", "jsonpath={.data}"));
    }

    [Fact]
    public async Task What_nobody_owns_belongs_to_before_first_apply()
    {
        Server.Api.Registry.Create(Plumb.Api.Storage.GroupResource.ConfigMaps, "default",
            new System.Text.Json.Nodes.JsonObject { ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = "m" }, ["data"] = new System.Text.Json.Nodes.JsonObject { ["a"] = "9" } });
        var map = await FileAsync("map.yaml", Map);
        Assert.Contains("conflict with \"before-first-apply\" using v1: .data.a", await RunAsync(["apply", "--server-side", "-f", map], fails: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_is_added_to_a_pod_for_looking_at_it()
    {
        await RunAsync("run", "client", "--image=busybox");
        await RunAsync("debug", "client", "--image=alpine", "--container=look", "--attach=false");
        Assert.Equal("look alpine", await RunAsync("get", "pod", "client", "-o", "jsonpath={.spec.ephemeralContainers[0].name} {.spec.ephemeralContainers[0].image}"));
        var (code, answer) = await Server.SendAsync("PATCH", "/api/v1/namespaces/default/pods/client/ephemeralcontainers", """{"spec":{"ephemeralContainers":null}}""", "application/merge-patch+json");
        Assert.Equal(422, (int)code);
        Assert.Contains("may not be removed", (string)answer["message"]!, StringComparison.Ordinal);
    }
}
