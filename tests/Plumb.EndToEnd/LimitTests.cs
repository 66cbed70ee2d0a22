using System.Text;

namespace Plumb.EndToEnd;

/// <summary>What nodes do not do of what an object asks for is said where people look.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task A_Service_with_more_ports_than_nodes_serve_says_so_in_an_event_and_in_its_explanation()
    {
        await using var user = new LabUser();
        var lab = await user.UpAsync("--nodes", "2", "--dns-upstream", "none");
        var manifest = new StringBuilder("apiVersion: v1\nkind: Service\nmetadata: {name: big}\nspec:\n  ports:\n");
        for (var port = 1; port <= 2049; port++)
        {
            manifest.Append($"  - {{name: p{port}, port: {port}}}\n");
        }
        (await lab.KubectlWithInputAsync(manifest.ToString(), "create", "-f", "-")).Succeeds();
        const string says = "2049 ports are more than the 2048 of one Service that nodes serve";
        // One event, though two nodes have it to say.
        Assert.Contains(says, Assert.Single((await lab.EventAsync("NotServedAsAsked", "big")).Split('\n')), StringComparison.Ordinal);
        Assert.Contains(says, (await lab.KubectlAsync("describe", "service", "big")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains($"not done: Service default/big: spec.ports: {says}", (await lab.PlumbAsync("explain", "service/big")).Succeeds().Output, StringComparison.Ordinal);
        Assert.DoesNotContain("not done", (await lab.PlumbAsync("explain", "service/kubernetes")).Succeeds().Output, StringComparison.Ordinal);
    }
}
