namespace Plumb.Api.Tests.Custom;

/// <summary>The machine's own kubectl finds custom resources as it finds any other.</summary>
public sealed class KubectlCustomTests : KubectlFixture
{
    [Fact]
    public async Task A_custom_resource_is_explained_listed_scaled_and_applied()
    {
        var definition = await FileAsync("crd.json", CustomResourceTests.Lamp());
        await RunAsync("apply", "-f", definition);
        await RunAsync("wait", "--for=condition=established", "--timeout=10s", "crd/lamps.home.example.com");
        Assert.Matches(@"lamps\s+lp\s+home.example.com/v1\s+true\s+Lamp", await RunAsync("api-resources"));
        Assert.Matches(@"bulbs\s+<integer> -required-", await RunAsync("explain", "lamp.spec"));
        var lamp = await FileAsync("lamp.yaml", "apiVersion: home.example.com/v1\nkind: Lamp\nmetadata: {name: desk}\nspec: {bulbs: 2, parts: [{name: a}]}\n");
        await RunAsync("apply", "--server-side", "-f", lamp);
        await RunAsync("scale", "lamp/desk", "--replicas=3");
        await RunAsync("patch", "lamp/desk", "--subresource=status", "--type=merge", "-p", """{"status":{"conditions":[{"type":"Ready","status":"True"}]}}""");
        var listed = await RunAsync("get", "lp");
        Assert.Matches(@"NAME\s+COLOR\s+READY", listed);
        Assert.Matches(@"desk\s+white\s+True", listed);
        Assert.Matches(@"FAR\b", await RunAsync("get", "lp", "-o", "wide"));
        Assert.Equal("3", await RunAsync("get", "lamp/desk", "-o", "jsonpath={.spec.bulbs}"));
        Assert.Contains("conflict with \"kubectl\" with subresource \"scale\"", await RunAsync(["apply", "--server-side", "-f", lamp], fails: true), StringComparison.Ordinal);
        Assert.Contains("serverside-applied", await RunAsync("apply", "--server-side", "--force-conflicts", "-f", lamp), StringComparison.Ordinal);
        Assert.Contains("deleted", await RunAsync("delete", "crd", "lamps.home.example.com"), StringComparison.Ordinal);
        Assert.Contains("NotFound", await RunAsync(["get", "lamps"], fails: true), StringComparison.Ordinal);
    }
}
