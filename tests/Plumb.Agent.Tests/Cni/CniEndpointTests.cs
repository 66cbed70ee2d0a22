using System.Text;
using System.Text.Json.Nodes;
using Plumb.Agent.Cni;

namespace Plumb.Agent.Tests.Cni;

public sealed class CniEndpointTests
{
    private const string Good = """{"cniVersion":"1.1.0","name":"p"}""";
    private const string Add = "CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_IFNAME=eth0 CNI_NETNS=/x";

    private readonly RecordingVerbs _verbs = new();

    [Theory]
    [InlineData("ADD")]
    [InlineData("DEL")]
    [InlineData("CHECK")]
    [InlineData("GC")]
    [InlineData("STATUS")]
    public async Task Every_verb_of_1_1_0_reaches_what_does_it(string verb)
    {
        var (succeeded, _) = await Call(verb, "1.1.0");
        Assert.True(succeeded);
        Assert.Equal([verb], _verbs.Called);
    }

    [Theory]
    [InlineData("CHECK", "0.3.1")]
    [InlineData("GC", "1.0.0")]
    [InlineData("STATUS", "0.4.0")]
    public async Task A_verb_that_is_younger_than_the_configuration_is_refused(string verb, string version)
    {
        var (succeeded, body) = await Call(verb, version);
        Assert.False(succeeded);
        Assert.Equal(1, (int)body["code"]!);
        Assert.Equal(version, (string?)body["cniVersion"]);
        Assert.Empty(_verbs.Called);
    }

    [Fact]
    public async Task Version_needs_no_configuration()
    {
        var (succeeded, body) = await Call(["CNI_COMMAND=VERSION"], "");
        Assert.True(succeeded);
        Assert.Equal(["0.3.1", "0.4.0", "1.0.0", "1.1.0"], body["supportedVersions"]!.AsArray().Select(v => (string)v!));
    }

    [Theory]
    [InlineData("CNI_COMMAND=ADD", Good, 4, "CNI_CONTAINERID")]
    [InlineData("CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_IFNAME=eth0", Good, 4, "CNI_NETNS")]
    [InlineData("CNI_COMMAND=ADD CNI_CONTAINERID=a/b CNI_IFNAME=eth0 CNI_NETNS=/x", Good, 4, "CNI_CONTAINERID 'a/b'")]
    [InlineData("CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_IFNAME=sixteen-letters- CNI_NETNS=/x", Good, 4, "CNI_IFNAME 'sixteen")]
    [InlineData("CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_IFNAME=.. CNI_NETNS=/x", Good, 4, "'..'")]
    [InlineData("CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_IFNAME=eth0 CNI_NETNS=/x CNI_ARGS=x", Good, 4, "CNI_ARGS")]
    [InlineData("CNI_COMMAND=JUMP", Good, 4, "JUMP")]
    [InlineData("CNI_IFNAME=eth0", Good, 4, "CNI_COMMAND")]
    [InlineData(Add, """{"cniVersion":"2.0.0"}""", 1, "2.0.0")]
    [InlineData(Add, "{}", 1, "0.1.0")]
    [InlineData(Add, "[]", 6, "a list")]
    [InlineData(Add, "{not json", 6, "not JSON")]
    [InlineData(Add, "", 6, "not JSON")]
    [InlineData(Add, """{"cniVersion":7}""", 6, "a number")]
    [InlineData(Add, """{"cniVersion":"1.1.0"}""", 7, "no name")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"../x"}""", 7, "../x")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","ipam":{"type":"dhcp"}}""", 2, """ipam: {"type":"dhcp"}""")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","ipMasq":false}""", 2, "ipMasq: false")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"portMappings":{}}}""", 7, "portMappings: it is not a list")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"portMappings":[{"hostPort":80}]}}""", 7, "a port that is none")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"portMappings":[{"hostPort":65535,"containerPort":1,"range":2}]}}""", 7, "a port that is none")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"portMappings":[{"hostPort":65536,"containerPort":1}]}}""", 7, "hostPort 65536 is no port")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"portMappings":[{"hostPort":1,"containerPort":1,"protocol":"icmp"}]}}""", 7, "protocol ICMP is not")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"portMappings":[{"hostPort":1,"containerPort":1,"hostIP":"here"}]}}""", 7, "hostIP 'here' is no address")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"portMappings":[{"hostPort":1,"containerPort":1},{"hostPort":1,"containerPort":2,"hostIP":"10.0.0.1"}]}}""", 7, "10.0.0.1 TCP 1 is there twice")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"bandwidth":[]}}""", 7, "bandwidth: [] is not an object")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"bandwidth":{"ingressRate":999}}}""", 7, "bandwidth: ingressRate 999 is not from 1000 to 1000000000000000 bits")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"bandwidth":{"egressRate":1000000000000001}}}""", 7, "bandwidth: egressRate 1000000000000001 is not from 1000")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"bandwidth":{"egressRate":-1}}}""", 7, "bandwidth: egressRate -1 is no number of bits")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"bandwidth":{"egressRate":"1M"}}}""", 7, "bandwidth: egressRate \"1M\" is no number of bits")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"bandwidth":{"ingressRate":1000,"egressBurst":8}}}""", 7, "bandwidth: egressBurst 8 is of no egressRate")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"ips":["10.0"]}}""", 7, "'10.0'")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"ips":[4]}}""", 6, "ips")]
    [InlineData(Add, """{"cniVersion":"1.1.0","name":"p","runtimeConfig":{"mac":"01:00:00:00:00:01"}}""", 7, "01:00:00:00:00:01")]
    [InlineData("CNI_COMMAND=GC", """{"cniVersion":"1.1.0","cni.dev/valid-attachments":[{"ifname":"eth0"}]}""", 7, "valid-attachments")]
    public async Task A_malformed_call_gets_the_code_of_the_specification_and_says_what_is_wrong(string environment, string configuration, int code, string said)
    {
        var (succeeded, body) = await Call(environment.Split(' '), configuration);
        Assert.False(succeeded);
        Assert.Equal(code, (int)body["code"]!);
        Assert.Contains(said, (string)body["msg"]!);
        Assert.Empty(_verbs.Called);
    }

    [Theory]
    [InlineData("not a call at all")]
    [InlineData("CNI_COMMAND=ADD\0")]
    [InlineData("=ADD\0\0")]
    public async Task What_is_no_call_is_answered(string bytes)
    {
        var answer = await new CniEndpoint(_verbs).AnswerAsync(Encoding.UTF8.GetBytes(bytes), TestContext.Current.CancellationToken);
        Assert.False(answer.Succeeded);
        Assert.Equal(6, (int)JsonNode.Parse(answer.Body)!["code"]!);
    }

    [Fact]
    public async Task An_end_needs_none_of_what_a_beginning_is_asked_with()
    {
        var (succeeded, _) = await Call(
            ["CNI_COMMAND=DEL", "CNI_CONTAINERID=a", "CNI_IFNAME=eth0", "CNI_ARGS=x"], """{"cniVersion":"1.0.0","ipam":{"type":"dhcp"},"runtimeConfig":{"mac":"x"},"prevResult":null}""");
        Assert.True(succeeded);
        Assert.Equal(["DEL"], _verbs.Called);
    }

    [Fact]
    public async Task The_result_of_plugins_before_is_handed_on_with_ours_behind_it()
    {
        var (_, body) = await Call(
            Add.Split(' '),
            """
            {"cniVersion":"1.0.0","name":"p","prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"tun0","sandbox":"/x","pciID":"1"}],"ips":[{"address":"192.0.2.1/24","interface":0}],"dns":{"domain":"first"}}}
            """);
        Assert.Equal(
            """
            {"cniVersion":"1.0.0","interfaces":[{"name":"tun0","sandbox":"/x","pciID":"1"},{"name":"eth0"}],"ips":[{"address":"192.0.2.1/24","interface":0},{"address":"10.244.1.2/32","interface":1}],"dns":{"domain":"first"},"routes":[{"dst":"0.0.0.0/0","gw":"10.244.1.1"}]}
            """,
            body.ToJsonString());
    }

    [Fact]
    public async Task A_full_disk_is_an_io_failure_and_not_the_end_of_the_agent()
    {
        _verbs.Fails = new IOException("No space left on device : '/var/lib/plumb/leases/10.244.1.2'");
        var (succeeded, body) = await Call("ADD", "1.0.0");
        Assert.False(succeeded);
        Assert.Equal(5, (int)body["code"]!);
        Assert.Contains("No space left", (string)body["msg"]!);
    }

    [Fact]
    public void The_arguments_of_a_pod_are_read_and_others_are_passed_over()
    {
        var arguments = CniArguments.Parse("IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=client;K8S_POD_INFRA_CONTAINER_ID=ff;K8S_POD_UID=u-1");
        Assert.Equal(new CniArguments("default", "client", "u-1"), arguments);
    }

    private Task<(bool, JsonNode)> Call(string verb, string version) => Call(
        [$"CNI_COMMAND={verb}", "CNI_CONTAINERID=abc", "CNI_IFNAME=eth0", "CNI_NETNS=/run/netns/x"], $$$"""{"cniVersion":"{{{version}}}","name":"plumb","type":"plumb-cni"}""");

    private async Task<(bool Succeeded, JsonNode Body)> Call(string[] environment, string configuration)
    {
        var call = new CniCall(environment.Select(static one => one.Split('=', 2)).ToDictionary(static one => one[0], static one => one[1]), Encoding.UTF8.GetBytes(configuration));
        var answer = await new CniEndpoint(_verbs).AnswerAsync(call.ToBytes(), TestContext.Current.CancellationToken);
        return (answer.Succeeded, answer.Body.Length == 0 ? new JsonObject() : JsonNode.Parse(answer.Body)!);
    }

    private sealed class RecordingVerbs : ICniVerbs
    {
        public List<string> Called { get; } = [];

        public Exception? Fails { get; set; }

        public Task<CniResult> AddAsync(CniRequest request, CancellationToken cancel)
        {
            Record("ADD");
            return Task.FromResult(new CniResult(
                request.Configuration.Version,
                [new CniInterface { Name = "eth0" }],
                [new CniAddress { Address = "10.244.1.2/32", Interface = 0 }],
                [new CniRoute("0.0.0.0/0", "10.244.1.1")],
                new CniDns()));
        }

        public Task DeleteAsync(CniRequest request, CancellationToken cancel) => Record("DEL");

        public Task CheckAsync(CniRequest request, CancellationToken cancel) => Record("CHECK");

        public Task CollectAsync(CniRequest request, CancellationToken cancel) => Record("GC");

        public Task StatusAsync(CancellationToken cancel) => Record("STATUS");

        private Task Record(string verb)
        {
            Called.Add(verb);
            return Fails is { } exception ? throw exception : Task.CompletedTask;
        }
    }
}
