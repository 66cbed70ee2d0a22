using Plumb.Diagnosis.Explain;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network;

namespace Plumb.Diagnosis.Tests.Explain;

public sealed class QuestionTests
{
    private static readonly NamespaceId Node = new("node-1");

    private static readonly Entry Bridge = new LinkEntry(Node, "cni0", new LinkType.Bridge());
    private static readonly Entry Gateway = new AddressEntry(Node, "cni0", IpPrefix.Parse("10.244.1.1/32"));
    private static readonly Entry ToPod = AccountTests.Route("10.244.1.5/32", "cni0", RouteProtocol.Plumb, null);
    private static readonly Entry ToOther = AccountTests.Route("10.244.2.0/24", "eth0", RouteProtocol.Plumb, "192.168.1.12");
    private static readonly Entry Default = AccountTests.Route("0.0.0.0/0", "eth0", RouteProtocol.PlumbLab, "192.168.1.1");
    private static readonly Entry Neighbour = new NeighbourEntry(Node, "cni0", IpAddress.Parse("10.244.1.5")) { Mac = MacAddress.Parse("02:00:0a:f4:01:05") };

    private static readonly ObservedState Observed = AccountTests.Held(
        [.. new[] { Bridge, Gateway, ToPod, ToOther, Default, Neighbour }.Select(static e => (e, e == Default ? Owner.Foreign : Owner.Plumb, (Stamp?)null))]);

    private static readonly IReadOnlyList<Explanation> Everything = Account.Of(
        Observed,
        AccountTests.Planned(
            (Bridge, Subject.Node("node-1")),
            (Gateway, Subject.Node("node-1")),
            (ToPod, Subject.Pod("default", "client")),
            (Neighbour, Subject.Pod("default", "client")),
            (ToOther, Subject.Node("node-2"))));

    public static TheoryData<string, int[]> Questions => new()
    {
        { "client", [2, 5] },
        { "default/client", [2, 5] },
        { "Pod default/client", [2, 5] },
        { "other/client", [] },
        { "node-2", [3] },
        { "cni0", [0, 1, 2, 5] },
        { "cni", [] },
        { "10.244.1.1", [1, 4] },
        { "10.244.1.5", [2, 5] },
        { "10.244.2.9", [3] },
        { "203.0.113.9", [4] },
        { "10.244.2.0/24", [3] },
        { "192.168.1.12", [3, 4] },
        { "02:00:0a:f4:01:05", [5] },
        { "42", [0] },
        { "43", [] },
    };

    [Theory, MemberData(nameof(Questions))]
    public void A_thing_is_found_by_the_name_that_a_person_has(string thing, int[] expected)
    {
        Entry[] entries = [Bridge, Gateway, ToPod, ToOther, Default, Neighbour];

        var answer = new Question(thing).Answer(Everything, Observed);

        Assert.Equal(expected.Select(i => entries[i].Key).Order(), answer.Select(static e => e.Key).Order());
    }
}
