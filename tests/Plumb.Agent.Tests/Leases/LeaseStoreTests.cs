using Plumb.Agent.Cni;
using Plumb.Agent.Leases;
using Plumb.Agent.Storage;
using Plumb.Linux.Addresses;
using Plumb.Linux.Native;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Facts;
using Plumb.Network.Pods;

namespace Plumb.Agent.Tests.Leases;

public sealed class LeaseStoreTests : IDisposable
{
    private const string Boot = "boot-1";

    private static readonly PodPool Pool = new(IpPrefix.Parse("10.244.1.0/28"), new Origin(Subject.Node("node-1")));
    private static readonly PodPool Pool6 = new(IpPrefix.Parse("fd00:10:244:1::/64"), new Origin(Subject.Node("node-1")));

    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-leases-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Addresses_are_given_in_order_and_rest_before_they_are_given_again()
    {
        var store = Open();
        Assert.Equal(["10.244.1.2", "10.244.1.3", "10.244.1.4"], Take(store, "a", "b", "c"));
        store.Release(Id("b"));
        Assert.Equal(["10.244.1.5"], Take(store, "d"));
    }

    [Fact]
    public void A_full_pool_says_so_and_gives_again_what_comes_back()
    {
        var store = Open();
        Take(store, [.. Enumerable.Range(0, 13).Select(n => $"c{n}")]);
        var exception = Assert.Throws<CniException>(() => Take(store, "one-more"));
        Assert.Equal("no free address in 10.244.1.0/28 on node-1: 13 of 13 in use", exception.Message);
        Assert.Equal(CniErrorCode.TryAgainLater, exception.Code);
        store.Release(Id("c7"));
        Assert.Equal(["10.244.1.9"], Take(store, "one-more"));
    }

    [Fact]
    public void What_was_given_is_still_held_after_a_restart()
    {
        var before = Open();
        Take(before, "a", "b");
        before.Release(Id("a"));
        var after = Open();
        Assert.Equal(before.Find(Id("b")), Assert.Single(after.All));
        Assert.Equal(["10.244.1.4"], Take(after, "c"));
    }

    [Fact]
    public void Leases_of_an_earlier_boot_are_dropped()
    {
        Take(Open(), "a");
        Assert.Empty(LeaseStore.Open(_directory, "boot-2", Files()).All);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public void A_file_of_another_name_is_left_alone()
    {
        File.WriteAllText(Path.Combine(_directory, "README"), "mine");
        Open();
        Assert.True(File.Exists(Path.Combine(_directory, "README")));
    }

    [Fact]
    public void A_file_that_somebody_else_made_meanwhile_is_left_alone_and_what_was_taken_with_it_is_given_back()
    {
        var store = Open();
        var foreign = Path.Combine(_directory, "fd00:10:244:1::2");
        File.WriteAllText(foreign, "another's");
        Assert.Throws<IOException>(() => Take(store, [Pool, Pool6], "a"));
        Assert.Equal("another's", File.ReadAllText(foreign));
        Assert.Equal([foreign], Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public void A_pod_of_two_families_holds_both_or_none()
    {
        var store = Open();
        Assert.Equal(["10.244.1.2,fd00:10:244:1::2"], Take(store, [Pool, Pool6], "a"));
        File.Delete(Path.Combine(_directory, "fd00:10:244:1::2"));
        Assert.Empty(Open().All);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public void An_agent_cut_at_any_write_leaves_no_address_held_twice_and_none_leaked()
    {
        for (var cutAfter = 0; ; cutAfter++)
        {
            var returned = new List<string>();
            var cut = false;
            try
            {
                var writes = new CuttingSeam(cutAfter);
                var store = LeaseStore.Open(_directory, Boot, new AgentFiles(writes, synchronise: false));
                returned.AddRange(Take(store, [Pool, Pool6], "a"));
                returned.AddRange(Take(store, [Pool, Pool6], "b"));
                store.Release(Id("a"));
                returned.RemoveAt(0);
                returned.AddRange(Take(store, [Pool, Pool6], "c"));
            }
            catch (CutException)
            {
                cut = true;
            }

            var after = Open();
            // What a runtime was told must be held. What it was not told of may be: its DEL comes.
            var held = after.All.Select(Text).ToList();
            Assert.All(returned.Where(text => !cut || text != "10.244.1.2,fd00:10:244:1::2"), text => Assert.Contains(text, held));
            Assert.Equal(held.Count, held.Distinct().Count());
            Assert.Equal(after.All.Sum(lease => lease.Addresses.Count), Directory.EnumerateFileSystemEntries(_directory).Count());
            foreach (var lease in after.All.ToList())
            {
                after.Release(lease.Id);
            }
            Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
            if (!cut)
            {
                Assert.True(cutAfter > 10);
                return;
            }
        }
    }

    private LeaseStore Open() => LeaseStore.Open(_directory, Boot, Files());

    private static AgentFiles Files() => new(IWriteSeam.None, synchronise: false);

    private static SandboxId Id(string container) => new(container, "eth0");

    private static List<string> Take(LeaseStore store, params string[] containers) => Take(store, [Pool], containers);

    private static List<string> Take(LeaseStore store, PodPool[] pools, params string[] containers) =>
        [.. containers.Select(container => Text(store.Take(
            new Lease(Id(container), [], $"/run/netns/{container}", new FileIdentity(4, 1)) { PodName = container, PodScope = "default" }, pools, "node-1", [])))];

    private static string Text(Lease lease) => string.Join(',', lease.Addresses.Select(held => held.Address));
}
