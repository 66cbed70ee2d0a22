using System.Text;
using System.Text.Json.Nodes;
using Plumb.Agent.Cni;

namespace Plumb.Agent.Tests.Cni;

public sealed class CniEndpointTests
{
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
        var (succeeded, body) = await Call("""{"environment":{"CNI_COMMAND":"VERSION"},"stdin":null}""");
        Assert.True(succeeded);
        Assert.Equal(["0.3.1", "0.4.0", "1.0.0", "1.1.0"], body["supportedVersions"]!.AsArray().Select(v => (string)v!));
    }

    [Theory]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD"},"stdin":{"cniVersion":"1.1.0","name":"p"}}""", 4, "CNI_CONTAINERID")]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD","CNI_CONTAINERID":"a","CNI_IFNAME":"eth0"},"stdin":{"cniVersion":"1.1.0"}}""", 4, "CNI_NETNS")]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD","CNI_CONTAINERID":"a/b","CNI_IFNAME":"eth0","CNI_NETNS":"/x"},"stdin":{"cniVersion":"1.1.0"}}""", 4, "a/b")]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD","CNI_CONTAINERID":"a","CNI_IFNAME":"sixteen-letters-","CNI_NETNS":"/x"},"stdin":{"cniVersion":"1.1.0"}}""", 4, "sixteen")]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD","CNI_CONTAINERID":"a","CNI_IFNAME":"..","CNI_NETNS":"/x"},"stdin":{"cniVersion":"1.1.0"}}""", 4, "'..'")]
    [InlineData("""{"environment":{"CNI_COMMAND":"DEL","CNI_CONTAINERID":"a","CNI_IFNAME":"eth0","CNI_ARGS":"x"},"stdin":{"cniVersion":"1.1.0"}}""", 4, "CNI_ARGS")]
    [InlineData("""{"environment":{"CNI_COMMAND":"JUMP"},"stdin":{"cniVersion":"1.1.0"}}""", 4, "JUMP")]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD"},"stdin":{"cniVersion":"2.0.0"}}""", 1, "2.0.0")]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD"},"stdin":{}}""", 1, "0.1.0")]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD"},"stdin":[]}""", 6, "a list")]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD"},"stdin":"{not json"}""", 6, "not JSON")]
    [InlineData("""{"environment":{"CNI_COMMAND":"ADD"},"stdin":{"cniVersion":7}}""", 6, "a number")]
    [InlineData("""{"environment":{"CNI_COMMAND":"GC"},"stdin":{"cniVersion":"1.1.0","cni.dev/valid-attachments":[{"ifname":"eth0"}]}}""", 7, "valid-attachments")]
    [InlineData("""not json at all""", 6, "environment, stdin")]
    [InlineData("null", 6, "null")]
    public async Task A_malformed_call_gets_the_code_of_the_specification_and_says_what_is_wrong(string call, int code, string said)
    {
        var (succeeded, body) = await Call(call);
        Assert.False(succeeded);
        Assert.Equal(code, (int)body["code"]!);
        Assert.Contains(said, (string)body["msg"]!);
        Assert.Empty(_verbs.Called);
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
        $$$"""
        {"environment":{"CNI_COMMAND":"{{{verb}}}","CNI_CONTAINERID":"abc","CNI_IFNAME":"eth0","CNI_NETNS":"/run/netns/x"},
         "stdin":{"cniVersion":"{{{version}}}","name":"plumb","type":"plumb-cni"}}
        """);

    private async Task<(bool Succeeded, JsonNode Body)> Call(string json)
    {
        var answer = await new CniEndpoint(_verbs).AnswerAsync(Encoding.UTF8.GetBytes(json), TestContext.Current.CancellationToken);
        return (answer.Succeeded, answer.Body.Length == 0 ? new JsonObject() : JsonNode.Parse(answer.Body)!);
    }

    private sealed class RecordingVerbs : ICniVerbs
    {
        public List<string> Called { get; } = [];

        public Exception? Fails { get; set; }

        public Task<CniResult> AddAsync(CniRequest request, CancellationToken cancel)
        {
            Record("ADD");
            return Task.FromResult(new CniResult(request.Configuration.Version, [], [], [], new CniDns()));
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
