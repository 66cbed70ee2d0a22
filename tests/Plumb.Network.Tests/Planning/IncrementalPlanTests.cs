using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Network.Tests.Planning;

public sealed class IncrementalPlanTests
{
    private const int Steps = 40;

    /// <summary>The law of <see cref="ILayer"/>.</summary>
    [Fact]
    public void After_any_changes_the_plan_is_the_plan_from_scratch() =>
        Prop.ForAll(Seeds(), static seed =>
        {
            var (network, planner) = Start(seed);
            for (var step = 0; step < Steps; step++)
            {
                planner.Apply(network.Step(), network.View);
                network.View = planner.View;
                Assert.Equal(PlanText.Dump(Planner.FromScratch(Layers.For(network.View.Node.Options), network.View).Index), PlanText.Dump(planner.Index));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Fact]
    public void The_items_of_every_step_lead_from_the_state_before_to_the_state_after() =>
        Prop.ForAll(Seeds(), static seed =>
        {
            var (network, planner) = Start(seed);
            var followed = new Dictionary<EntryKey, Desired>(planner.Desired.Entries);
            for (var step = 0; step < Steps; step++)
            {
                var items = planner.Apply(network.Step(), network.View);
                network.View = planner.View;
                foreach (var item in items)
                {
                    Assert.Equal(item.Was, followed.GetValueOrDefault(item.Key)?.Entry);
                    if (item.Want is { } want)
                    {
                        Assert.NotEqual(want, followed.GetValueOrDefault(item.Key));
                        followed[item.Key] = want;
                    }
                    else
                    {
                        Assert.True(followed.Remove(item.Key));
                    }
                }
                Assert.Equal(planner.Desired.Entries.OrderBy(e => e.Key), followed.OrderBy(e => e.Key));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Fact]
    public void Another_way_of_serving_Services_is_the_plan_that_it_would_have_been_from_scratch() =>
        Prop.ForAll(Seeds(), static seed =>
        {
            var (network, planner) = Start(seed);
            var random = new Random(seed);
            var followed = new Dictionary<EntryKey, Desired>(planner.Desired.Entries);
            for (var step = 0; step < Steps; step++)
            {
                IReadOnlyList<DeltaItem> items;
                if (step % 5 == 4)
                {
                    var hasServed = planner.View.Node.Options.Services != ServicesKind.None;
                    var options = planner.View.Node.Options with { Services = random.GetItems([ServicesKind.Nftables, ServicesKind.Iptables], 1)[0] };
                    items = planner.Replan(Layers.For(options), planner.View with { Node = planner.View.Node.With(options) });
                    Assert.All(planner.Ended, flow => Assert.True(flow is EndedFlow.ToFrontend && !hasServed));
                }
                else
                {
                    items = planner.Apply(network.Step(), network.View);
                }
                network.View = planner.View;
                foreach (var item in items)
                {
                    Assert.Equal(item.Was, followed.GetValueOrDefault(item.Key)?.Entry);
                    if (item.Want is { } want)
                    {
                        followed[item.Key] = want;
                    }
                    else
                    {
                        Assert.True(followed.Remove(item.Key));
                    }
                }
                Assert.Equal(planner.Desired.Entries.OrderBy(e => e.Key), followed.OrderBy(e => e.Key));
                Assert.Equal(PlanText.Dump(Planner.FromScratch(Layers.For(network.View.Node.Options), network.View).Index), PlanText.Dump(planner.Index));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    [Fact]
    public void A_plan_made_twice_sends_nothing() =>
        Prop.ForAll(Seeds(), static seed =>
        {
            var (network, planner) = Start(seed);
            for (var step = 0; step < Steps; step++)
            {
                network.Step();
            }
            planner.Apply([.. Planner.AllSubjects(network.View)], network.View);
            Assert.Empty(planner.Apply([.. Planner.AllSubjects(planner.View)], planner.View));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    /// <summary>What a layer remembers decides where things stand, never which: without memory each pool has the same members, in other slots.</summary>
    [Fact]
    public void A_plan_without_memory_has_the_same_pools() =>
        Prop.ForAll(Seeds(), static seed =>
        {
            var (network, planner) = Start(seed);
            for (var step = 0; step < Steps; step++)
            {
                planner.Apply(network.Step(), network.View);
                network.View = planner.View;
            }
            var afresh = Planner.FromScratch(Layers.For(network.View.Node.Options), network.View with { Node = network.View.Node.With(PoolTable.Empty) });
            foreach (var service in network.View.Node.Options.Services == ServicesKind.None ? [] : network.View.Cluster.Services.All)
            {
                var (one, other) = (planner.View.Node.Pools.Of(service.Subject)!, afresh.View.Node.Pools.Of(service.Subject)!);
                Assert.Equal(one.Ports.Length, other.Ports.Length);
                for (var i = 0; i < one.Ports.Length; i++)
                {
                    AssertSame(one.Ports[i].Cluster, other.Ports[i].Cluster);
                    Assert.Equal(one.Ports[i].Local is null, other.Ports[i].Local is null);
                    if (one.Ports[i].Local is { } local)
                    {
                        AssertSame(local, other.Ports[i].Local!);
                    }
                }
            }
            Assert.Equal(planner.Desired.Count, afresh.Desired.Count);

            static void AssertSame(Pool one, Pool other)
            {
                Assert.Equal(one.Program, other.Program);
                Assert.Equal(one.Members.ToHashSet(), other.Members.ToHashSet());
                Assert.Equal(one.Members.Length, one.Members.Select(static member => member.Backend).Distinct().Count());
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Fact]
    public void When_everything_goes_nothing_of_it_stays()
    {
        var (network, planner) = Start(7);
        for (var step = 0; step < Steps; step++)
        {
            planner.Apply(network.Step(), network.View);
            network.View = planner.View;
        }
        var bare = network.View.Node.With((Underlay?)null);
        foreach (var id in network.View.Node.Sandboxes.Keys)
        {
            bare = bare.Without(id);
        }
        planner.Apply([.. Planner.AllSubjects(network.View)], new NetworkView(Cluster.ClusterView.Empty, bare));

        // What options alone cause stays: a router is a router, and the program of constant size is there.
        Assert.All(planner.Desired.Entries.Keys, key => Assert.All(planner.Index.Why(key), static cause => Assert.Equal(SubjectKind.Option, cause.Subject.Kind)));
        Assert.Empty(planner.Index.Conflicts());
    }

    private static Arbitrary<int> Seeds() => Gen.Choose(0, int.MaxValue - 1).ToArbitrary();

    private static (RandomNetwork Network, Planner Planner) Start(int seed)
    {
        var options = RandomNetwork.AllOptions[(uint)seed % RandomNetwork.AllOptions.Length];
        var network = new RandomNetwork(new Random(seed), options);
        var planner = Planner.FromScratch(Layers.For(options), network.View);
        return (network, planner);
    }
}
