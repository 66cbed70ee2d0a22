using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;
using Plumb.Linux.Json;
using Plumb.Linux.Tests.Nftables;

namespace Plumb.Linux.Tests.State;

public sealed class StateJsonTests
{
    [Fact]
    public void What_is_read_back_is_what_was_written() => Prop.ForAll(RandomEntries.All.ToArbitrary(), entry =>
    {
        var back = StateJson.ReadEntry(StateJson.Print(entry));
        return back.Equals(entry) && back.Key == entry.Key && back.Print() == entry.Print();
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_observed_state_of_a_world_survives_with_owners_stamps_and_facts() =>
        Prop.ForAll(RandomEntries.All.ListOf().ToArbitrary(), entries =>
        {
            var state = new ObservedState();
            foreach (var entry in entries)
            {
                state.Set(new Observed(entry, Owner.Foreign, new Stamp("the \"uplink\""), new KernelFacts(7, 9) { Counted = new TrafficCount(3, 120) }));
            }
            using var file = new MemoryStream();
            StateJson.Write(file, state);
            file.Position = 0;
            var back = StateJson.ReadObserved(file);
            return back.Count == state.Count && state.Entries.All(pair => back.Entries[pair.Key] == pair.Value);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_ruleset_survives_with_everything_in_it() => Prop.ForAll(ArbMap.Default.GeneratorFor<int>().ToArbitrary(), seed =>
    {
        foreach (var entry in new RandomRuleset(seed).Build(new NamespaceId("node-1")).Select(static desired => desired.Entry))
        {
            var back = StateJson.ReadEntry(StateJson.Print(entry));
            Assert.Equal((entry, entry.Key, entry.Print()), (back, back.Key, back.Print()));
        }
    }).QuickCheckThrowOnFailure();

    [Theory]
    [MemberData(nameof(WitnessTests.Files), MemberType = typeof(WitnessTests))]
    public void What_the_kernel_holds_of_others_survives_and_prints_the_same(string file)
    {
        using var space = new NftNamespace();
        Assert.Equal("", space.Load(File.ReadAllText(WitnessTests.PathOf(file))));
        var observed = space.Observe();
        var state = new ObservedState();
        foreach (var entry in observed)
        {
            state.Set(entry);
        }
        using var json = new MemoryStream();
        StateJson.Write(json, state);
        json.Position = 0;

        var back = StateJson.ReadObserved(json);

        Assert.Equal(observed, observed.Select(entry => back.Entries[entry.Entry.Key]));
        Assert.Equal(RulesetText.Print(observed), RulesetText.Print(observed.Select(entry => back.Entries[entry.Entry.Key])));
    }

    [Fact]
    public void Messages_of_a_ruleset_cut_or_damaged_are_refused_as_JSON()
    {
        var random = new Random(1);
        foreach (var entry in new RandomRuleset(7).Build(new NamespaceId("node-1")).Select(static desired => desired.Entry))
        {
            var json = JsonNode.Parse(StateJson.Print(entry))!.AsObject();
            var messages = Convert.FromBase64String(json["messages"]!.GetValue<string>());
            for (var length = 0; length < messages.Length; length++)
            {
                ReadOrRefuse(json, messages[..length]);
                messages[random.Next(messages.Length)] ^= (byte)(1 << random.Next(8));
                ReadOrRefuse(json, messages);
            }
            Assert.ThrowsAny<JsonException>(() => StateJson.ReadEntry(With(json, [])));
        }
    }

    [Fact]
    public void A_person_finds_the_text_of_a_ruleset_beside_its_messages()
    {
        var json = JsonNode.Parse(StateJson.Print(new TableEntry(new NamespaceId("node-1"), TableId.Plumb(TableFamily.Inet))))!.AsObject();

        Assert.NotEmpty(Convert.FromBase64String(json["messages"]!.GetValue<string>()));
        json.Remove("messages");
        Assert.Equal("""{"entry":"table","text":"table inet plumb","namespace":"node-1"}""", json.ToJsonString());
    }

    [Fact]
    public void Messages_of_another_kind_of_entry_are_refused_as_JSON()
    {
        var table = StateJson.Print(new TableEntry(new NamespaceId("node-1"), TableId.Plumb(TableFamily.Inet)));

        var refusal = Assert.Throws<JsonException>(() => StateJson.ReadEntry(table.Replace("\"entry\":\"table\"", "\"entry\":\"chain\"", StringComparison.Ordinal)));

        Assert.Equal("expected the messages of a chain, found those of node-1: table inet plumb", refusal.Message);
    }

    private static void ReadOrRefuse(JsonObject json, byte[] messages)
    {
        try
        {
            StateJson.ReadEntry(With(json, messages));
        }
        catch (JsonException)
        {
            // The one exception that the reader may throw.
        }
    }

    private static string With(JsonObject json, byte[] messages)
    {
        json["messages"] = Convert.ToBase64String(messages);
        return json.ToJsonString();
    }

    [Fact]
    public void The_form_is_one_that_a_person_can_read()
    {
        var route = new RouteEntry(new NamespaceId("node-1"), IpPrefix.Parse("10.244.2.0/24"))
        {
            NextHops = [new NextHop("eth0", IpAddress.Parse("192.168.1.12"))],
        };

        Assert.Equal(
            """{"entry":"route","destination":"10.244.2.0/24","table":254,"type":"Unicast","metric":0,"tos":0,"protocol":112,"scope":"Universe","nextHops":[{"device":"eth0","gateway":"192.168.1.12","weight":1,"onLink":false}],"namespace":"node-1"}""",
            StateJson.Print(route));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"entry":"tunnel"}""")]
    [InlineData("""{"entry":"route","namespace":"n","destination":"10.244.2.0/33"}""")]
    [InlineData("""{"entry":"neighbour","namespace":"n","device":"eth0","address":7}""")]
    public void What_is_no_entry_is_refused_as_JSON(string text) =>
        Assert.ThrowsAny<JsonException>(() => StateJson.ReadEntry(text));

    [Fact]
    public void A_state_cut_at_any_length_is_refused_as_JSON()
    {
        var state = new ObservedState();
        state.Set(new Observed(new SysctlEntry(new NamespaceId("n"), "net/ipv4/ip_forward", "1"), Owner.Kernel, null, new KernelFacts()));
        using var file = new MemoryStream();
        StateJson.Write(file, state);
        var whole = file.ToArray();

        for (var length = 0; length < whole.Length; length++)
        {
            using var cut = new MemoryStream(whole, 0, length);
            Assert.ThrowsAny<JsonException>(() => StateJson.ReadObserved(cut));
        }
        Assert.Contains("net/ipv4/ip_forward", Encoding.UTF8.GetString(whole), StringComparison.Ordinal);
    }
}
