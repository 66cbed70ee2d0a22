using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.Nftables;

/// <summary>Elements that are asked for one by one.</summary>
public sealed class ElementTests
{
    [Theory]
    [MemberData(nameof(WitnessTests.Files), MemberType = typeof(WitnessTests))]
    public void Each_element_is_found_by_its_key_as_a_dump_tells_it(string file)
    {
        using var space = new NftNamespace();
        Assert.Equal("", space.Load(File.ReadAllText(WitnessTests.PathOf(file))));
        var all = space.Observe();

        foreach (var set in all.Select(static observed => observed.Entry).OfType<SetEntry>())
        {
            var within = all.Where(observed => observed.Entry is ElementEntry element && element.Set.Table == set.Schema.Table && element.Set.Name == set.Schema.Name).ToList();
            // The kernel tells a hash's elements in the order of its buckets, of which it makes more by and by.
            Assert.Equal(within.Select(Still).Order(StringComparer.Ordinal), NftablesKernel.Elements(space.Socket, NftNamespace.Id, set).Select(Still).Order(StringComparer.Ordinal));
            foreach (var observed in set.Schema.IsInterval ? [] : within)
            {
                var element = ((ElementEntry)observed.Entry).Element;
                Assert.Equal(Still(observed), Still(NftablesKernel.Find(space.Socket, NftNamespace.Id, set, element.IsCatchAll ? Absent(set.Schema) : element.Key)!));
            }
        }
        Assert.Equal(
            all.Where(static observed => observed.Entry is not ElementEntry).Select(static observed => observed.Entry),
            NftablesKernel.ObserveRules(space.Socket, NftNamespace.Id).Select(static observed => observed.Entry));
    }

    [Fact]
    public void A_key_that_is_not_there_finds_what_stands_for_all_others_or_nothing()
    {
        using var space = new NftNamespace();
        Assert.Equal("", space.Load(
            """
            table ip t {
                map with { type ipv4_addr . inet_service : verdict
                    elements = { 192.0.2.1 . 80 : accept, * : drop }
                }
                set without { type ipv4_addr
                    elements = { 192.0.2.1 }
                }
            }
            """));
        var sets = space.Observe().Select(static observed => observed.Entry).OfType<SetEntry>().ToDictionary(static set => set.Schema.Name);

        var found = (ElementEntry)NftablesKernel.Find(space.Socket, NftNamespace.Id, sets["with"], Absent(sets["with"].Schema))!.Entry;

        Assert.True(found.Element.IsCatchAll);
        Assert.Equal(VerdictCode.Drop, found.Element.Verdict!.Code);
        Assert.Null(NftablesKernel.Find(space.Socket, NftNamespace.Id, sets["without"], Absent(sets["without"].Schema)));
        Assert.Equal("", space.Load("delete table ip t"));
        Assert.Null(NftablesKernel.Find(space.Socket, NftNamespace.Id, sets["with"], Absent(sets["with"].Schema)));
    }

    private static Octets Absent(SetSchema set) => Octets.Adopt([.. Enumerable.Repeat((byte)0x7e, set.KeyBytes)]);

    // Time runs on between two answers.
    private static string Still(Observed observed)
    {
        var entry = (ElementEntry)observed.Entry;
        var element = entry.Element with { ExpiresMilliseconds = null };
        return $"{(entry with { Element = element }).Key} {element.Data} {element.Verdict} {element.ObjectName} {element.TimeoutMilliseconds} {string.Join(' ', element.Statements)} {observed.Stamp} {observed.Owner}";
    }
}
