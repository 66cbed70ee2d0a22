using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.State;
using static Plumb.Linux.Tests.Kernel.TwoNodes;

namespace Plumb.Linux.Tests.Kernel;

public sealed class PropertyTests
{
    [Fact]
    public void From_any_state_to_any_other_one_apply_is_enough_and_a_second_sends_nothing() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var counter = new CountingSeam();
            using var world = new TwoNodes(counter);
            var random = new Random(seed);
            for (var step = 0; step < 3; step++)
            {
                var desired = RandomState.Next(random);
                world.Apply(desired);
                var left = world.Difference(desired);
                if (left.Items.Count > 0)
                {
                    throw new InvalidOperationException($"seed {seed}, step {step}:\n{string.Join('\n', left.Items)}");
                }
                var writes = counter.Writes;
                world.Apply(desired);
                Assert.Equal(writes, counter.Writes);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(15));

    [Fact]
    public void What_is_observed_says_the_same_when_it_is_applied_to_an_empty_world() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            using var first = new TwoNodes();
            first.Apply(RandomState.Next(new Random(seed)));
            var copy = new DesiredState();
            foreach (var observed in first.Kernels.Observe(Both).Entries.Values.Where(o => o.Owner == Owner.Plumb || o.Entry is LinkEntry { Name: "lo" }))
            {
                copy.Set(observed.Entry is LinkEntry { Name: "lo" } lo ? new LinkEntry(lo.Namespace, "lo", lo.Type) { Up = lo.Up } : observed.Entry, observed.Stamp);
            }
            using var second = new TwoNodes();

            second.Apply(copy);

            Assert.Equal(Owned(first), Owned(second));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(10));

    [Fact]
    public void Cut_after_any_write_the_next_apply_gets_there()
    {
        var counter = new CountingSeam();
        using (var whole = new TwoNodes(counter))
        {
            whole.Apply(PodOnBridge());
        }
        Assert.InRange(counter.Writes, 4, 12); // one for each namespace and step, and one for each parameter

        for (var cut = 0; cut < counter.Writes; cut++)
        {
            var seam = new CountingSeam { CutAfter = cut };
            using var world = new TwoNodes(seam);
            Assert.Throws<CutException>(() => world.Apply(PodOnBridge()));
            seam.CutAfter = int.MaxValue;

            world.Apply(PodOnBridge());

            Assert.Equal("", string.Join('\n', world.Difference(PodOnBridge()).Items));
        }
    }

    private static List<string> Owned(TwoNodes world) =>
        [.. world.Kernels.Observe(Both).Entries.Values.Where(o => o.Owner == Owner.Plumb).Select(o => $"{o.Entry} {o.Stamp}").Order()];

    private sealed class CutException : Exception;

    private sealed class CountingSeam : IWriteSeam
    {
        public int Writes { get; private set; }

        public int CutAfter { get; set; } = int.MaxValue;

        public void BeforeWrite(string what)
        {
            if (Writes++ >= CutAfter)
            {
                throw new CutException();
            }
        }
    }
}
