using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Linux.State.Json;

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
