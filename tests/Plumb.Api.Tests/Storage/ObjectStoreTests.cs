using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Storage;

public sealed class ObjectStoreTests : IDisposable
{
    private readonly ObjectStore _store = new();

    public void Dispose() => _store.Dispose();

    private static StoreKey Key(string name, string @namespace = "default") => new(GroupResource.Pods, @namespace, name);

    private static JsonObject Pod(string name, string node = "", string label = "x") => JsonNode.Parse(
        $$$"""{"kind":"Pod","metadata":{"name":"{{{name}}}","labels":{"app":"{{{label}}}"},"uid":"u-{{{name}}}"},"spec":{"nodeName":"{{{node}}}"},"status":{"phase":"Running"}}""")!.AsObject();

    [Fact]
    public void Each_write_gets_the_next_resource_version_and_an_equal_write_gets_none()
    {
        var first = _store.Insert(Key("a"), Pod("a"));
        var second = _store.Insert(Key("b"), Pod("b"));
        Assert.Equal(first.ResourceVersion + 1, second.ResourceVersion);
        Assert.Same(first, _store.Replace(first, Pod("a")));
        var changed = _store.Replace(first, Pod("a", node: "node-1"));
        Assert.Equal(second.ResourceVersion + 1, changed.ResourceVersion);
        Assert.Equal("node-1", changed.NodeName);
        Assert.Contains($"\"resourceVersion\":\"{changed.ResourceVersion}\"", System.Text.Encoding.UTF8.GetString(changed.Json.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void A_write_over_a_version_that_is_no_longer_there_is_a_conflict()
    {
        var old = _store.Insert(Key("a"), Pod("a"));
        _store.Replace(old, Pod("a", node: "node-1"));
        Assert.True(Assert.Throws<ApiException>(() => _store.Replace(old, Pod("a", node: "node-2"))).IsConflict);
        Assert.True(Assert.Throws<ApiException>(() => _store.Remove(old)).IsConflict);
        Assert.True(Assert.Throws<ApiException>(() => _store.Insert(Key("a"), Pod("a"))).IsAlreadyExists);
    }

    [Fact]
    public async Task A_subscription_holds_what_was_there_and_then_every_change_in_order()
    {
        _store.Insert(Key("b"), Pod("b"));
        var a = _store.Insert(Key("a"), Pod("a"));
        using var subscription = _store.Subscribe(GroupResource.Pods);
        Assert.Equal(["a", "b"], subscription.Initial.Select(static pod => pod.Name));
        var moved = _store.Replace(a, Pod("a", node: "node-1"));
        _store.Remove(moved);
        var modified = await subscription.Changes.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal((ChangeKind.Modified, a, moved), (modified.Kind, modified.Old, modified.New));
        var deleted = await subscription.Changes.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal((ChangeKind.Deleted, moved, null), (deleted.Kind, deleted.Old, deleted.New));
        Assert.Equal(_store.ResourceVersion, deleted.Object.ResourceVersion);
    }

    [Fact]
    public void Seen_through_a_filter_an_object_that_begins_to_match_is_added_and_one_that_ceases_is_deleted()
    {
        using var subscription = _store.Subscribe(GroupResource.Pods, "default", static pod => pod.NodeName == "node-1");
        var pod = _store.Insert(Key("a"), Pod("a"));
        pod = _store.Replace(pod, Pod("a", node: "node-1"));
        pod = _store.Replace(pod, Pod("a", node: "node-1", label: "y"));
        _store.Replace(pod, Pod("a", node: "node-2"));
        _store.Insert(Key("a", "other"), Pod("a", node: "node-1"));
        var kinds = new List<ChangeKind>();
        while (subscription.Changes.TryRead(out var change))
            kinds.Add(change.Kind);
        Assert.Equal([ChangeKind.Added, ChangeKind.Modified, ChangeKind.Deleted], kinds);
    }

    [Fact]
    public void A_watch_from_the_past_replays_and_one_from_before_the_history_is_expired()
    {
        var a = _store.Insert(Key("a"), Pod("a"));
        _store.Insert(Key("b"), Pod("b"));
        using (var since = _store.SubscribeSince(GroupResource.Pods, null, null, a.ResourceVersion, 10))
        {
            Assert.True(since.Changes.TryRead(out var change));
            Assert.Equal("b", change.Object.Name);
            Assert.False(since.Changes.TryRead(out _));
        }

        _store.Compact();
        Assert.Equal(410, Assert.Throws<ApiException>(() => _store.SubscribeSince(GroupResource.Pods, null, null, a.ResourceVersion, 10)).Code);
    }

    [Fact]
    public async Task A_reader_that_falls_too_far_behind_is_told_that_its_version_expired()
    {
        using var subscription = _store.Subscribe(GroupResource.Pods, null, null, capacity: 2);
        for (var i = 0; i < 4; i++)
            _store.Insert(Key($"p{i}"), Pod($"p{i}"));
        Assert.True(subscription.Changes.TryRead(out _));
        Assert.True(subscription.Changes.TryRead(out _));
        var cut = await Assert.ThrowsAsync<ApiException>(async () => await subscription.Changes.WaitToReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal(410, cut.Code);
    }

    [Fact]
    public void Dependents_are_found_by_their_owners_uid()
    {
        var owned = Pod("a");
        owned["metadata"]!["ownerReferences"] = JsonNode.Parse("""[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"owner-1","controller":true}]""");
        var stored = _store.Insert(Key("a"), owned);
        Assert.Equal("r", stored.Controller?.Name);
        Assert.Equal([stored], _store.Dependents("owner-1"));
        _store.Remove(stored);
        Assert.Empty(_store.Dependents("owner-1"));
    }

    [Theory]
    [InlineData("spec.nodeName", "n")]
    [InlineData("status.phase", "Running")]
    [InlineData("metadata.name", "a")]
    [InlineData("metadata.uid", "u-a")]
    [InlineData("spec.absent.deeper", "")]
    [InlineData("metadata.labels", "")]
    public void Fields_are_read_by_path(string path, string value) => Assert.Equal(value, _store.Insert(Key("a"), Pod("a", node: "n")).Field(path));
}
