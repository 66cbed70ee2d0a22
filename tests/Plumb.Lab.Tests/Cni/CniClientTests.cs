using System.Text.Json.Nodes;
using Plumb.Agent.Cni;
using Plumb.Lab.Cni;
using Plumb.Lab.Node;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Tests.Cni;

/// <summary>A runtime with a plugin that writes down what it was asked, and is of the mood that a file says.</summary>
public sealed class CniClientTests : IDisposable
{
    private const string Plugin =
        """
        #!/bin/sh
        input=$(cat)
        echo "$CNI_COMMAND ${CNI_CONTAINERID:--} $input" >>/var/lib/asked
        [ -f "/var/lib/refuses-$CNI_COMMAND" ] && { cat "/var/lib/refuses-$CNI_COMMAND"; exit 1; }
        [ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.7/24"}]}'
        exit 0
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-cni-").FullName;
    private readonly NetworkNamespace _network = NetworkNamespace.Create();

    public CniClientTests()
    {
        foreach (var name in new[] { "net.d", "state", "bin" })
        {
            Directory.CreateDirectory(Path.Combine(_directory, name));
        }
        var plugin = Path.Combine(_directory, "bin", "asked");
        File.WriteAllText(plugin, Plugin);
        File.SetUnixFileMode(plugin, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Configure("1.1.0");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _network.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_node_asks_STATUS_each_time_and_GC_once()
    {
        using var client = Client();
        Assert.Null(await client.LookAsync(Cancel));
        Assert.Null(await client.LookAsync(Cancel));
        Assert.Equal(["STATUS -", "GC -", "STATUS -"], Asked());
        Assert.Equal("[]", Input("GC")["cni.dev/valid-attachments"]!.ToJsonString());

        Refuse("STATUS", 50, "the switch is away");
        Assert.Equal("plugin type=\"asked\" name=\"net\" failed (status): the switch is away", await client.LookAsync(Cancel));
        Refuse("STATUS", 51, "half of it is");
        Assert.NotNull(await client.LookAsync(Cancel));
        Refuse("STATUS", 11, "ask again");
        Assert.Null(await client.LookAsync(Cancel));
    }

    [Theory]
    [InlineData("1.0.0", false, false, "ADD CHECK DEL")]
    [InlineData("0.4.0", false, false, "ADD CHECK DEL")]
    [InlineData("0.3.1", false, false, "ADD DEL")]
    [InlineData("1.0.0", true, false, "ADD DEL")]
    [InlineData("1.0.0", false, true, "ADD DEL")]
    public async Task CHECK_follows_ADD_where_the_configuration_has_it_and_no_port_was_asked_for(string version, bool isDisabled, bool hasPort, string verbs)
    {
        Configure(version, isDisabled);
        using var client = Client();
        Assert.Null(await client.LookAsync(Cancel));
        var attachment = client.Attach(Pod("c1", hasPort));
        Assert.Equal("10.0.0.7", Assert.Single(await attachment.AddAsync(Cancel)).ToString());
        await attachment.DeleteAsync(Cancel);
        Assert.Equal(verbs.Split(' ').Select(static verb => $"{verb} c1"), Asked());
        foreach (var verb in verbs.Split(' ').Skip(1))
        {
            Assert.Equal("10.0.0.7/24", (string?)Input(verb)["prevResult"]!["ips"]![0]!["address"]);
        }
    }

    [Fact]
    public async Task What_CHECK_refuses_is_no_network()
    {
        using var client = Client();
        Assert.Null(await client.LookAsync(Cancel));
        Refuse("CHECK", 101, "it is not as it was made");
        var attachment = client.Attach(Pod("c1"));
        var refused = await Assert.ThrowsAsync<CniException>(() => attachment.AddAsync(Cancel));
        Assert.Equal("plugin type=\"asked\" name=\"net\" failed (check): it is not as it was made", refused.Message);
        await attachment.DeleteAsync(Cancel);
        Assert.Equal("DEL c1", Asked()[^1]);
    }

    [Fact]
    public async Task The_next_process_ends_what_the_last_one_left_by_its_configuration_and_result_and_keeps_what_lives()
    {
        using (var first = Client())
        {
            Assert.Null(await first.LookAsync(Cancel));
            await first.Attach(Pod("left", hasPort: true)).AddAsync(Cancel);
            var ended = first.Attach(Pod("ended", hasPort: true));
            await ended.AddAsync(Cancel);
            await ended.DeleteAsync(Cancel);
        }
        // libcni's own form, by which other programs find it.
        var kept = JsonNode.Parse(await File.ReadAllTextAsync(Assert.Single(Directory.EnumerateFiles(Path.Combine(_directory, "results"), "net-left-eth0")), Cancel))!;
        Assert.Equal(("cniCacheV1", "left", "eth0", "net"), ((string?)kept["kind"], (string?)kept["containerId"], (string?)kept["ifName"], (string?)kept["networkName"]));
        Assert.Single(Directory.EnumerateFiles(Path.Combine(_directory, "results")));
        Configure("1.1.0", name: "other");
        File.WriteAllText(Path.Combine(_directory, "results", "garbage"), "{");
        File.Delete(Path.Combine(_directory, "state", "asked"));

        using var second = Client();
        Refuse("DEL", 11, "not yet");
        Assert.Null(await second.LookAsync(Cancel));
        File.Delete(Path.Combine(_directory, "state", "refuses-DEL"));
        Assert.Null(await second.LookAsync(Cancel));

        Assert.Equal(["STATUS -", "DEL left", "STATUS -", "DEL left", "GC -"], Asked());
        Assert.Equal(("net", "10.0.0.7/24", 8080), ((string?)Input("DEL")["name"], (string?)Input("DEL")["prevResult"]!["ips"]![0]!["address"], (int)Input("DEL")["runtimeConfig"]!["portMappings"]![0]!["hostPort"]!));
        Assert.Equal(["garbage"], Directory.EnumerateFiles(Path.Combine(_directory, "results")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_result_in_which_a_key_is_twice_is_none()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "bin", "asked"), "#!/bin/sh\necho '{\"ips\":[],\"ips\":[]}'\n", Cancel);
        Configure("1.0.0");
        using var client = Client();
        Assert.Null(await client.LookAsync(Cancel));
        Assert.Contains("is no result of CNI", (await Assert.ThrowsAsync<CniException>(() => client.Attach(Pod("c1")).AddAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_waits_hears_that_the_configuration_is_another()
    {
        using var client = Client();
        Assert.Null(await client.LookAsync(Cancel));
        var replaced = client.Replaced;
        Assert.Null(await client.LookAsync(Cancel));
        Assert.False(replaced.IsCompleted);
        Configure("1.0.0");
        Assert.Null(await client.LookAsync(Cancel));
        await replaced.WaitAsync(Cancel);
        Directory.Delete(Path.Combine(_directory, "net.d"), recursive: true);
        Assert.Equal("", await client.LookAsync(Cancel));
    }

    private CniClient Client() => new(
        Path.Combine(_directory, "net.d"),
        new PluginCalls(new AgentPlugin(Path.Combine(_directory, "no.sock")), new PluginRunner(_network, Path.Combine(_directory, "state"), Path.Combine(_directory, "run"), Path.Combine(_directory, "bin"), TimeProvider.System)),
        new ResultCache(Path.Combine(_directory, "results")));

    private static PodAttachment Pod(string id, bool hasPort = false) =>
        new(id, "/proc/1/fd/7", new PodName("default", "client", "u-1"), hasPort ? [new PortMapping(8080, 80, "tcp", "")] : []);

    private void Configure(string version, bool isCheckDisabled = false, string name = "net") => File.WriteAllText(
        Path.Combine(_directory, "net.d", "10-net.conflist"),
        $$$"""{"cniVersion":"{{{version}}}","name":"{{{name}}}","disableCheck":{{{(isCheckDisabled ? "true" : "false")}}},"plugins":[{"type":"asked","capabilities":{"portMappings":true}}]}""");

    private void Refuse(string verb, int code, string message) =>
        File.WriteAllText(Path.Combine(_directory, "state", $"refuses-{verb}"), $$"""{"cniVersion":"1.1.0","code":{{code}},"msg":"{{message}}"}""");

    private List<string> Asked() => [.. File.ReadLines(Path.Combine(_directory, "state", "asked")).Select(static line => string.Join(' ', line.Split(' ').Take(2)))];

    private JsonNode Input(string verb) => JsonNode.Parse(File.ReadLines(Path.Combine(_directory, "state", "asked")).Last(line => line.StartsWith(verb + " ", StringComparison.Ordinal)).Split(' ', 3)[2])!;
}
