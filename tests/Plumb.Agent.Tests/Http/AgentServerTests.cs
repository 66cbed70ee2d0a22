using System.Net;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Agent.Tests.Http;

public sealed class AgentServerTests : IDisposable
{
    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task Observed_is_what_the_kernel_holds_whoever_put_it_there()
    {
        await using var agent = await _node.StartAsync();
        await agent.Ready;
        var foreign = new RouteEntry(TestNode.Id, IpPrefix.Parse("172.16.0.0/12")) { NextHops = [new NextHop("eth0", null)], Protocol = new RouteProtocol(4) };
        _node.Kernel.Give(foreign);

        var observed = await _node.ObservedAsync();

        var planned = observed.Entries[new EntryKey(TestNode.Id, EntryKind.Route, "10.244.2.0/24 table main metric 0")];
        Assert.Equal(Owner.Plumb, planned.Owner);
        var held = observed.Entries[foreign.Key];
        Assert.Equal((foreign, Owner.Foreign), (held.Entry, held.Owner));
        Assert.Equal(observed.Entries.Values.Select(static holds => holds.Entry.Print()).Order(), (await _node.ObservedAsync()).Entries.Values.Select(static holds => holds.Entry.Print()).Order());
    }

    [Fact]
    public async Task Who_asks_for_another_way_of_serving_Services_hears_why_the_agent_ended_of_it()
    {
        var seam = new Cut();
        await using var agent = await _node.StartAsync(seam);
        await agent.Ready;
        Assert.Equal(HttpStatusCode.BadRequest, (await _node.SetServicesAsync("magic")).Status);
        Assert.Contains("hears of no Services", (await _node.SetServicesAsync("nftables")).Text, StringComparison.Ordinal);
        seam.IsNow = true;
        var (status, text) = await _node.SetServicesAsync("none");
        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.StartsWith("cut before: ", text, StringComparison.Ordinal);
    }

    [Fact, Trait("Needs", "Root")]
    public async Task Another_user_is_not_answered_even_where_the_socket_lets_him_in()
    {
        await using var agent = await _node.StartAsync();
        await agent.Ready;
        for (var path = _node.Socket; path != Path.GetTempPath().TrimEnd('/'); path = Path.GetDirectoryName(path)!)
        {
            File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);
        }
        Assert.Equal((0, "200"), await AskAsync());
        var (code, _) = await AskAsync("setpriv", "--reuid", "65533", "--clear-groups", "--");
        Assert.NotEqual(0, code);
        Assert.Contains("user 65533", await _node.Log.LineAsync("not answered"), StringComparison.Ordinal);
    }

    private async Task<(int Code, string Said)> AskAsync(params string[] how)
    {
        string[] command = [.. how, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", _node.Socket, "http://agent/state"];
        using var asking = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        var said = await asking.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await asking.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (asking.ExitCode, said);
    }

    [Theory]
    [InlineData("GET", "/observed", HttpStatusCode.OK)]
    [InlineData("POST", "/observed", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/state", HttpStatusCode.OK)]
    [InlineData("DELETE", "/state", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/cni", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/departed?address=10.244.1.2&address=fd00:10:244::2", HttpStatusCode.OK)]
    [InlineData("GET", "/departed?address=10.244.1", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/departed?address=10.244.1.2", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/bandwidth", HttpStatusCode.MethodNotAllowed)]
    [InlineData("PUT", "/bandwidth", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/observe", HttpStatusCode.NotFound)]
    public async Task Each_path_has_its_one_method(string method, string path, HttpStatusCode status)
    {
        await using var agent = await _node.StartAsync();
        await agent.Ready;
        Assert.Equal(status, await _node.StatusOfAsync(new HttpMethod(method), path));
    }

    private sealed class Cut : IWriteSeam
    {
        public bool IsNow { get; set; }

        public void BeforeWrite(string what)
        {
            if (IsNow)
            {
                throw new CutException(what);
            }
        }
    }
}
