namespace Plumb.Lab.Tests.Life;

/// <summary>The programs of agnhost that are built in, asked as upstream's tests ask them.</summary>
public sealed class AgnhostTests(OneNode node) : IClassFixture<OneNode>
{
    [Fact]
    public async Task Netexec_dials_others_and_porter_says_its_words()
    {
        await node.PodAsync("porter", """ "containers":[{"name":"c","image":"agnhost","args":["porter"],"env":[{"name":"SERVE_PORT_80","value":"eighty"},{"name":"SERVE_PORT_81","value":"another"}]}] """);
        await node.PodAsync("named", """ "containers":[{"name":"c","image":"agnhost","args":["serve-hostname","--udp","--port=9376"]}] """);
        await node.PodAsync("dialer", """ "containers":[{"name":"c","image":"agnhost","args":["netexec","--http-port=80"]}] """);
        var porter = await node.UntilAsync("porter", static pod => pod.Status.Phase == "Running");
        var named = await node.UntilAsync("named", static pod => pod.Status.Phase == "Running");
        var dialer = await node.UntilAsync("dialer", static pod => pod.Status.Phase == "Running");
        Assert.Equal("eighty another", await node.ExecAsync("dialer", "c", "sh", "-c", $"curl -s http://{porter.Status.PodIP}/; printf ' '; curl -s http://{porter.Status.PodIP}:81/"));
        Assert.Equal("""{"responses":["named","named"]}""", await DialAsync($"host={named.Status.PodIP}&port=9376&protocol=http&request=x&tries=2"));
        Assert.Equal("""{"responses":["named"]}""", await DialAsync($"host={named.Status.PodIP}&port=9376&protocol=udp&request=x"));
        Assert.StartsWith("""{"errors":["Connection refused""", await DialAsync($"host={porter.Status.PodIP}&port=82&protocol=http&request=x"), StringComparison.Ordinal);

        Task<string> DialAsync(string query) => node.ExecAsync("dialer", "c", "curl", "-s", $"http://{dialer.Status.PodIP}/dial?{query}");
    }

    [Fact]
    public async Task Serve_hostname_says_the_name_to_whoever_comes_by_tcp()
    {
        await node.PodAsync("teller", """ "containers":[{"name":"c","image":"agnhost","args":["serve-hostname","--tcp","--http=false","--close","--port=9377"]}] """);
        var teller = await node.UntilAsync("teller", static pod => pod.Status.Phase == "Running");
        Assert.Equal("teller", await node.ExecAsync("teller", "c", "bash", "-c", $"cat < /dev/tcp/{teller.Status.PodIP}/9377"));
    }

    [Theory]
    [InlineData("refused", "\"connect\",\"ADDRESS:9\",\"--timeout=5s\"", "REFUSED", 1)]
    [InlineData("well", "\"connect\",\"--timeout=5s\",\"ADDRESS:80\"", "", 0)]
    [InlineData("silent", "\"connect\",\"ADDRESS:9\",\"--timeout=100ms\",\"--protocol=sctp\"", "OTHER: unknown protocol sctp", 1)]
    public async Task Connect_ends_with_a_word_for_what_it_met(string name, string args, string words, int code)
    {
        await node.PodAsync("server-" + name, """ "containers":[{"name":"c","image":"httpd"}] """);
        var server = await node.UntilAsync("server-" + name, static pod => pod.Status.Phase == "Running");
        await node.PodAsync("connect-" + name, $$$""" "restartPolicy":"Never","containers":[{"name":"c","image":"agnhost","args":[{{{args.Replace("ADDRESS", server.Status.PodIP, StringComparison.Ordinal)}}}]}] """);
        var pod = await node.UntilAsync("connect-" + name, static one => one.Status.ContainerStatuses is [{ State.Terminated: not null }]);
        Assert.Equal((code, words), (pod.Status.ContainerStatuses[0].State!.Terminated!.ExitCode, (await node.LogAsync("connect-" + name, "c")).Trim()));
    }

    [Fact]
    public async Task Etc_hosts_and_dns_suffix_print_what_the_pod_has()
    {
        await node.PodAsync("hosts", """ "restartPolicy":"Never","hostAliases":[{"ip":"10.1.2.3","hostnames":["alias"]}],"containers":[{"name":"h","image":"agnhost","args":["etc-hosts"]},{"name":"d","image":"agnhost","args":["dns-suffix"]}] """);
        await node.UntilAsync("hosts", static pod => pod.Status.Phase == "Succeeded");
        Assert.Contains("10.1.2.3\talias", await node.LogAsync("hosts", "h"), StringComparison.Ordinal);
        Assert.StartsWith("default.svc.cluster.local,svc.cluster.local,cluster.local", await node.LogAsync("hosts", "d"), StringComparison.Ordinal);
    }
}
