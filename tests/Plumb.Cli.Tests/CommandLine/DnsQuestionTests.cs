using Plumb.Commands;
using Plumb.Dns.Answering;
using Plumb.Dns.Wire;
using Plumb.Output;

namespace Plumb.Cli.Tests.CommandLine;

public sealed class DnsQuestionTests
{
    [Theory]
    [InlineData("", "asked by pod default/a on node-1: no nameserver, no search, ndots 1")]
    [InlineData("search b.c\n", "asked by pod default/a on node-1: no nameserver, search b.c, ndots 1")]
    [InlineData("nameserver 10.96.0.10\nnameserver 10.96.0.11\nsearch b.c d\noptions ndots:5\n", "asked by pod default/a on node-1: nameserver 10.96.0.10 10.96.0.11, search b.c d, ndots 5")]
    public void It_is_said_how_a_pod_asks(string resolver, string line)
    {
        var tried = new TriedName("x.", null, ResponseCode.NoSuchName, IsForOthers: false, "there is no such name", []);
        var result = DnsQuestion.Answer(new NameReport("x", [tried]), "A", "default/a", "node-1", SearchPath.Parse(resolver));
        using var to = new StringWriter { NewLine = "\n" };
        DnsQuestion.Write(result, to, new Style(Colours: false));
        Assert.Equal(line, to.ToString().Split('\n')[1]);
    }
}
