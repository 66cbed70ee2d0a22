using FsCheck;
using FsCheck.Fluent;
using Plumb.Api.Controllers.Services;

namespace Plumb.Api.Tests.Controllers.Services;

public sealed class SlicePlacementTests
{
    private static readonly string[] Families = ["IPv4", "IPv6"];

    [Fact]
    public void Every_endpoint_is_in_one_slice_and_writes_are_bounded_by_changes() => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), static seed =>
    {
        var random = new Random(seed);
        var placement = new SlicePlacement();
        var wanted = new Dictionary<(string Uid, string Family), (string Ports, PlacedEndpoint Endpoint)>();
        foreach (string family in Families)
            placement.Open(family);
        Write(placement);
        for (int turn = 0; turn < 12; turn++)
        {
            int changes = random.Next(turn % 3 == 0 ? 400 : 5);
            int before = placement.Slices.Count;
            for (int i = 0; i < changes; i++)
            {
                var key = ($"pod-{random.Next(450)}", Families[random.Next(2)]);
                if (random.Next(3) == 0)
                {
                    Assert.Equal(wanted.Remove(key), placement.Remove(key.Item1, key.Item2));
                    continue;
                }
                var value = (random.Next(4) == 0 ? "a/TCP/1/" : "a/TCP/2/", new PlacedEndpoint(key.Item1, key.Item1, "10.0.0.1") { Ready = random.Next(2) == 0 });
                Assert.Equal(!wanted.TryGetValue(key, out var had) || had != value, placement.Put(key.Item2, value.Item1, value.Item2));
                wanted[key] = value;
            }
            int written = placement.Slices.Count(slice => slice.IsDirty);
            // One slice that it leaves, one that it comes to.
            Assert.True(written <= 2 * changes, $"{written} writes for {changes} changes");
            int gone = placement.TakeSpare(Families).Count;
            Assert.True(gone <= before + changes);
            Check(placement, wanted);
            Write(placement);
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    [Fact]
    public void A_new_endpoint_goes_where_something_is_written_anyway_and_fills_holes()
    {
        var placement = new SlicePlacement();
        for (int i = 0; i < 250; i++)
            placement.Put("IPv4", "", new PlacedEndpoint($"p{i}", "", ""));
        Write(placement);
        // One leaves the first slice and another comes: one write.
        placement.Remove("p5", "IPv4");
        placement.Put("IPv4", "", new PlacedEndpoint("new", "", ""));
        Assert.Single(placement.Slices, slice => slice.IsDirty);
        Assert.Equal([100, 100, 50], placement.Slices.Select(slice => slice.Endpoints.Count));
    }

    private static void Check(SlicePlacement placement, Dictionary<(string Uid, string Family), (string Ports, PlacedEndpoint Endpoint)> wanted)
    {
        var placed = placement.Slices.SelectMany(slice => slice.Endpoints.Values.Select(endpoint => (Key: (endpoint.PodUid, slice.Family), Value: (slice.Ports, endpoint)))).ToList();
        Assert.Equal(wanted.Count, placed.Count);
        Assert.All(placed, entry => Assert.Equal(wanted[entry.Key], entry.Value));
        Assert.All(placement.Slices, slice => Assert.InRange(slice.Endpoints.Count, 0, SlicePlacement.MostInSlice));
        foreach (string family in Families)
            Assert.Contains(placement.Slices, slice => slice.Family == family);
        Assert.True(placement.Slices.Count(slice => slice.Endpoints.Count == 0) <= Families.Length);
    }

    private static void Write(SlicePlacement placement)
    {
        foreach (var slice in placement.Slices)
            slice.IsDirty = false;
    }
}
