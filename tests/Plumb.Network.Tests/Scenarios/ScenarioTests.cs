using Plumb.Linux.Addresses;
using Plumb.Network.Facts;

namespace Plumb.Network.Tests.Scenarios;

public sealed class ScenarioTests
{
    public static TheoryData<string> Names => [.. Scenario.Names];

    [Theory, MemberData(nameof(Names))]
    public void The_plan_is_the_expected_one(string name)
    {
        var scenario = Scenario.Read(name);
        var now = scenario.Print();
        if (Environment.GetEnvironmentVariable("PLUMB_RENEW") is { Length: > 0 })
        {
            File.WriteAllText(scenario.ExpectedPath, now);
        }
        var expected = File.Exists(scenario.ExpectedPath) ? File.ReadAllText(scenario.ExpectedPath) : "";
        Assert.True(
            expected == now,
            $"{name}\n{LineDifference.Of(expected, now)}\nif that is right: PLUMB_RENEW=1 artifacts/bin/Plumb.Network.Tests/release/Plumb.Network.Tests -class '*ScenarioTests', and read git diff");
    }

    /// <summary>Overlay, families of the pods, and whether a router stands between nodes: each together with each.</summary>
    [Fact]
    public void Every_cell_of_the_matrix_has_a_scenario_that_plans_a_way_to_another_node()
    {
        var tried = new HashSet<(OverlayKind, string, bool)>();
        foreach (var scenario in Scenario.Names.Select(Scenario.Read))
        {
            var families = string.Join('+', scenario.Options.ClusterRanges.Select(static range => range.Family));
            if (scenario.Print().Contains("  # Node node-2 spec.podCIDR", StringComparison.Ordinal))
            {
                tried.Add((scenario.Options.Overlay, families, scenario.Machine.Routers.Count != 0));
            }
        }
        var all =
            from overlay in Enum.GetValues<OverlayKind>()
            from families in new[] { $"{IpFamily.V4}", $"{IpFamily.V6}", $"{IpFamily.V4}+{IpFamily.V6}" }
            from behindRouter in new[] { false, true }
            select (overlay, families, behindRouter);
        Assert.Superset(all.ToHashSet(), tried);
    }

    [Fact]
    public void A_folder_without_input_is_not_a_scenario() =>
        Assert.All(Scenario.Names, static name => Assert.True(File.Exists(Path.Combine(Scenario.Folder, name, "input.yaml")), $"{name}: there is no input.yaml"));

    [Fact]
    public void A_difference_shows_what_is_gone_and_what_is_new_where_it_stands() =>
        Assert.Equal("  a\n- b\n+ x\n  c\n", LineDifference.Of("a\nb\nc\n", "a\nx\nc\n"));
}
