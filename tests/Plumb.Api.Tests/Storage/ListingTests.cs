using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Storage;

public sealed class ListingTests
{
    // One is the beginning of another, and '-' comes before letters and after nothing.
    private static readonly string[] _namespaces = ["team", "team-a", "teams", "z", "a"];

    [Fact]
    public void Is_what_a_sorted_dictionary_is_now_and_at_every_moment_before()
    {
        using var store = new ObjectStore();
        var random = new Random(7);
        var now = new SortedDictionary<StoreKey, StoredObject>();
        var past = new List<(long Version, List<StoredObject> Objects)>();
        for (var i = 0; i < 1000; i++)
        {
            var key = new StoreKey(GroupResource.ConfigMaps, _namespaces[random.Next(_namespaces.Length)], $"map-{random.Next(40)}");
            if (!now.TryGetValue(key, out var present))
            {
                now[key] = store.Insert(key, Map(key, i));
            }
            else if (random.Next(3) == 0)
            {
                store.Remove(present);
                now.Remove(key);
            }
            else
            {
                now[key] = store.Replace(present, Map(key, i));
            }

            past.Add((store.ResourceVersion, [.. now.Values]));
        }

        Assert.Equal(now.Values, store.List(GroupResource.ConfigMaps));
        foreach (var space in _namespaces)
            Assert.Equal(now.Values.Where(stored => stored.Namespace == space), store.List(GroupResource.ConfigMaps, space));
        foreach (var (version, objects) in past)
            Assert.Equal(objects, store.ListingAt(GroupResource.ConfigMaps, version)!.From(null));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("team")]
    public void Goes_on_after_a_key_whether_or_not_it_is_still_there(string? space)
    {
        using var store = new ObjectStore();
        foreach (var name in (string[])["a", "b", "c", "d"])
        {
            foreach (var other in _namespaces)
            {
                var key = new StoreKey(GroupResource.ConfigMaps, other, name);
                store.Insert(key, Map(key, 0));
            }
        }

        var listing = store.ListingOf(GroupResource.ConfigMaps, out _);
        var last = new StoreKey(GroupResource.ConfigMaps, "team", "b");
        var expected = store.List(GroupResource.ConfigMaps, space).Where(stored => stored.Key.CompareTo(last) > 0).ToList();
        Assert.Equal("c", expected[0].Name);
        foreach (var then in (Listing[])[listing, listing.Without(last)])
        {
            Assert.Equal(expected, then.From(space, last));
            Assert.Equal(expected.Count, then.CountFrom(space, last));
        }

        Assert.Empty(listing.From("a", last));
        Assert.Equal(0, listing.CountFrom("a", last));
    }

    private static JsonObject Map(StoreKey key, int value) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = key.Name, ["namespace"] = key.Namespace, ["uid"] = $"{key}" },
        ["data"] = new JsonObject { ["value"] = $"{value}" },
    };
}
