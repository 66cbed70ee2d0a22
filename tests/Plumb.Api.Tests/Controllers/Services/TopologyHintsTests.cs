using Plumb.Api.Controllers.Services;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers.Services;

public sealed class TopologyHintsTests
{
    [Fact]
    public void Zones_get_endpoints_by_their_processors_their_own_first()
    {
        var zones = Zones(("a", "2"), ("b", "1"), ("c", "1"));
        var assigned = TopologyHints.Assign([.. Endpoints("a", 1), .. Endpoints("b", 5), .. Endpoints("c", 2)], zones, out _);
        Assert.Equal([4, 2, 2], Counts(assigned, "a", "b", "c"));
        Assert.Equal("a", assigned["a0"]);
        Assert.Equal(["c", "c"], [assigned["c0"], assigned["c1"]]);
    }

    [Fact]
    public void An_endpoint_that_serves_another_zone_goes_on_with_it()
    {
        var zones = Zones(("a", "1"), ("b", "1"));
        var endpoints = Endpoints("a", 4).ToList();
        var first = TopologyHints.Assign(endpoints, zones, out _);
        Assert.Equal([2, 2], Counts(first, "a", "b"));
        endpoints = [.. endpoints.Select(endpoint => endpoint with { ForZone = first[endpoint.PodUid] }), new PlacedEndpoint("b0", "", "") { Zone = "b" }, new PlacedEndpoint("b1", "", "") { Zone = "b" }];
        var second = TopologyHints.Assign(endpoints, zones, out _);
        Assert.Equal([3, 3], Counts(second, "a", "b"));
        Assert.Equal(["b", "b"], [second["b0"], second["b1"]]);
    }

    [Fact]
    public void There_are_no_hints_where_a_zone_would_serve_far_more_than_its_share()
    {
        Refused("2 ready endpoints are too few", [.. Endpoints("a", 1), .. Endpoints("b", 1)], Zones(("a", "3"), ("b", "1")));
        Refused("1 ready endpoints are too few", [.. Endpoints("a", 1)], Zones(("a", "1"), ("b", "1")));
        Given([.. Endpoints("a", 2), .. Endpoints("b", 2)], Zones(("a", "500m"), ("b", "0.5")));
        // A fifth more is still borne: what 2.4 of 6 were to serve, 2 do.
        Given(Endpoints("a", 6), Zones(("a", "121"), ("b", "239"), ("c", "238")));
        Refused("6 ready endpoints are too few", Endpoints("a", 6), Zones(("a", "121"), ("b", "235"), ("c", "244")));
    }

    [Fact]
    public void There_are_no_hints_where_a_node_does_not_tell_what_is_needed()
    {
        var four = Endpoints("a", 4);
        Refused("not in two zones", four, Zones(("a", "4")));
        Refused("node n2 has no label topology.kubernetes.io/zone", four, ZoneShares.Of([Node("a", "1"), Node(null, "1", "n2")]));
        Refused("node n2 has no label topology.kubernetes.io/zone", four, ZoneShares.Of([Node("a", "1"), Node("", "1", "n2")]));
        Refused("node n2 does not tell how many processors", four, ZoneShares.Of([Node("a", "1"), Node("b", "0", "n2")]));
        Refused("the node of pod  has no label", Endpoints("", 4), Zones(("a", "1"), ("b", "1")));
        foreach (string role in (string[])["control-plane", "master"])
        {
            var other = Node(null, "1");
            var node = other with { Metadata = other.Metadata with { Labels = new Dictionary<string, string> { [$"node-role.kubernetes.io/{role}"] = "" } } };
            Given(four, ZoneShares.Of([Node("a", "1"), Node("b", "1"), node]));
        }
    }

    private static void Refused(string why, PlacedEndpoint[] endpoints, ZoneShares zones)
    {
        Assert.Empty(TopologyHints.Assign(endpoints, zones, out string? fault));
        Assert.Contains(why, fault, StringComparison.Ordinal);
    }

    private static void Given(PlacedEndpoint[] endpoints, ZoneShares zones)
    {
        Assert.Equal(endpoints.Length, TopologyHints.Assign(endpoints, zones, out string? fault).Count);
        Assert.Null(fault);
    }

    private static PlacedEndpoint[] Endpoints(string zone, int count) => [.. Enumerable.Range(0, count).Select(i => new PlacedEndpoint($"{zone}{i}", "", "") { Zone = zone })];

    private static ZoneShares Zones(params (string Zone, string Cpu)[] zones) => ZoneShares.Of(zones.Select(zone => Node(zone.Zone, zone.Cpu)));

    private static Node Node(string? zone, string cpu, string name = "n") => new()
    {
        Metadata = new() { Name = name, Labels = zone is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [TopologyHints.ZoneLabel] = zone } },
        Status = new() { Allocatable = new Dictionary<string, Quantity> { ["cpu"] = new(cpu) }, Conditions = [new() { Type = "Ready", Status = "True" }] },
    };

    private static IEnumerable<int> Counts(Dictionary<string, string> assigned, params string[] zones) => zones.Select(zone => assigned.Values.Count(other => other == zone));
}
