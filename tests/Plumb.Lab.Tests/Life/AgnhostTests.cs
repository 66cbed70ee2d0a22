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
    [InlineData("odd", "\"connect\",\"ADDRESS:9\",\"--timeout=100ms\",\"--protocol=dccp\"", "OTHER: unknown protocol dccp", 1)]
    [InlineData("silent", "\"connect\",\"192.0.2.1:9\",\"--timeout=100ms\"", "TIMEOUT", 1)]
    [InlineData("no-port", "\"connect\",\"ADDRESS\"", "UNKNOWN: ADDRESS is no HOST:PORT", 1)]
    [InlineData("named", "\"connect\",\"friend:80\",\"--timeout=30s\"", "", 0)]
    [InlineData("service", "\"connect\",\"service-service:80\",\"--timeout=30s\"", "", 0)]
    [InlineData("stranger", "\"connect\",\"nobody.default.svc.cluster.local:80\",\"--timeout=30s\"", "DNS: lookup nobody.default.svc.cluster.local: no such host", 1)]
    public async Task Connect_ends_with_a_word_for_what_it_met(string name, string args, string words, int code)
    {
        await node.PodAsync("server-" + name, """ "containers":[{"name":"c","image":"httpd"}] """);
        var server = await node.UntilAsync("server-" + name, static pod => pod.Status.Phase == "Running");
        await node.CreateAsync("services", $$$"""{"metadata":{"name":"service-{{{name}}}"},"spec":{"selector":{"app":"server-{{{name}}}"},"ports":[{"port":80}]}}""");
        await node.ExecAsync("server-" + name, "c", "curl", "-s", "--retry", "50", "--retry-delay", "1", "--retry-all-errors", "--max-time", "2", $"http://service-{name}/hostname");
        await node.PodAsync("connect-" + name, $$$""" "restartPolicy":"Never","hostAliases":[{"ip":"{{{server.Status.PodIP}}}","hostnames":["friend"]}],"dnsPolicy":"None","dnsConfig":{"nameservers":["127.0.0.1","10.96.0.10"],"searches":["default.svc.cluster.local"]},"containers":[{"name":"c","image":"agnhost","args":[{{{args.Replace("ADDRESS", server.Status.PodIP, StringComparison.Ordinal)}}}]}] """);
        var pod = await node.UntilAsync("connect-" + name, static one => one.Status.ContainerStatuses is [{ State.Terminated: not null }]);
        Assert.Equal((code, words.Replace("ADDRESS", server.Status.PodIP, StringComparison.Ordinal)), (pod.Status.ContainerStatuses[0].State!.Terminated!.ExitCode, (await node.LogAsync("connect-" + name, "c")).Trim()));
    }

    [Fact]
    public async Task Etc_hosts_and_dns_suffix_print_what_the_pod_has()
    {
        await node.PodAsync("hosts", """ "restartPolicy":"Never","hostAliases":[{"ip":"10.1.2.3","hostnames":["alias"]}],"containers":[{"name":"h","image":"agnhost","args":["etc-hosts"]},{"name":"d","image":"agnhost","args":["dns-suffix"]}] """);
        await node.UntilAsync("hosts", static pod => pod.Status.Phase == "Succeeded");
        Assert.Contains("10.1.2.3\talias", await node.LogAsync("hosts", "h"), StringComparison.Ordinal);
        Assert.StartsWith("default.svc.cluster.local,svc.cluster.local,cluster.local", await node.LogAsync("hosts", "d"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Netexec_dials_and_ends_as_it_is_told()
    {
        await node.PodAsync("shell", """ "restartPolicy":"Never","containers":[{"name":"c","image":"agnhost","args":["netexec","--http-port=80","--udp-port=-1"]}] """);
        await node.PodAsync("asker", """ "containers":[{"name":"c","image":"agnhost","args":["pause"]}] """);
        var shell = await node.UntilAsync("shell", static pod => pod.Status.Phase == "Running");
        await node.UntilAsync("asker", static pod => pod.Status.Phase == "Running");
        Assert.StartsWith("request parameter not specified.", await AskAsync("dial?host=localhost&port=80"), StringComparison.Ordinal);
        Assert.StartsWith("unsupported protocol. dccp", await AskAsync("dial?host=localhost&port=80&request=x&protocol=dccp"), StringComparison.Ordinal);
        Assert.Equal("""{"responses":["shell"]}""", await AskAsync("dial?host=localhost&port=80&request=hostname"));
        Assert.StartsWith("argument 'code'", await AskAsync("exit?code=500"), StringComparison.Ordinal);
        await AskAsync("exit?code=7&wait=10ms&timeout=1s");
        var ended = await node.UntilAsync("shell", static pod => pod.Status.Phase == "Failed");
        Assert.Equal(7, ended.Status.ContainerStatuses[0].State!.Terminated!.ExitCode);

        Task<string> AskAsync(string path) => node.ExecAsync("asker", "c", "curl", "-s", $"http://{shell.Status.PodIP}/{path}");
    }

    [Fact]
    public async Task Netexec_and_porter_speak_TLS_UDP_and_what_their_variables_say()
    {
        var (certificate, key) = SelfSigned("netexec.example");
        await node.CreateAsync("secrets", $$$""""{"metadata":{"name":"tls"},"stringData":{"tls.crt":{{{certificate}}},"tls.key":{{{key}}}}}"""");
        await node.PodAsync("secure", """
            "volumes":[{"name":"v","secret":{"secretName":"tls"}}],
            "containers":[{"name":"c","image":"agnhost","args":["netexec","--http-port=443","--udp-listen-addresses=$(POD_IP)","--tls-cert-file=/certs/tls.crt","--tls-private-key-file=/certs/tls.key"],
              "env":[{"name":"POD_IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}}],"volumeMounts":[{"name":"v","mountPath":"/certs"}]}]
            """);
        await node.PodAsync("ports", """
            "containers":[{"name":"c","image":"agnhost","args":["porter","--json-response"],"env":[{"name":"WORD","value":"tcp"},{"name":"SERVE_TCP_PORT_80","value":"by $(WORD)"},
              {"name":"SERVE_TLS_PORT_443","value":"by tls"},{"name":"SERVE_UDP_PORT_53","value":"by udp"}]}]
            """);
        await node.PodAsync("fixed", """ "containers":[{"name":"c","image":"agnhost","args":["netexec","--http-port=80","--http-override=/echo?msg=always&code=201"]}] """);
        var secure = await node.UntilAsync("secure", static pod => pod.Status.Phase == "Running");
        var ports = await node.UntilAsync("ports", static pod => pod.Status.Phase == "Running");
        var fixedOne = await node.UntilAsync("fixed", static pod => pod.Status.Phase == "Running");
        Assert.Contains("CN = netexec.example", await CurlAsync($"openssl s_client -connect {secure.Status.PodIP}:443 </dev/null 2>/dev/null | openssl x509 -noout -subject"), StringComparison.Ordinal);
        Assert.Equal("secure", await CurlAsync($"curl -sk https://{secure.Status.PodIP}/hostname"));
        Assert.Equal("secure", await DatagramAsync(secure.Status.PodIP!, 8081, "hostname"));
        Assert.Equal("""{"Method":"GET","Body":"by tcp"}""", await CurlAsync($"curl -s http://{ports.Status.PodIP}/any"));
        Assert.Equal("""{"Method":"PUT","Body":"by tls"}""", await CurlAsync($"curl -skX PUT https://{ports.Status.PodIP}/any"));
        Assert.Equal("by udp", await DatagramAsync(ports.Status.PodIP!, 53, "x"));
        Assert.Equal("always 201", await CurlAsync($"curl -s -w ' %{{http_code}}' -X POST http://{fixedOne.Status.PodIP}/exit?code=3"));

        Task<string> CurlAsync(string command) => node.ExecAsync("fixed", "c", "sh", "-c", command);

        Task<string> DatagramAsync(string to, int port, string words) =>
            node.ExecAsync("fixed", "c", "bash", "-c", $"exec 3<>/dev/udp/{to}/{port}; printf {words} >&3; timeout 20 dd bs=100 count=1 status=none <&3");
    }

    [Fact]
    public async Task Netexec_and_porter_speak_SCTP_where_the_kernel_has_it()
    {
        Assert.SkipUnless(SctpTests.IsThere, "this kernel has no SCTP sockets");
        await node.PodAsync("sctp", """ "containers":[{"name":"c","image":"agnhost","args":["netexec","--http-port=80","--sctp-port=9"]},{"name":"p","image":"agnhost","args":["porter"],"env":[{"name":"SERVE_SCTP_PORT_10","value":"ten"}]}] """);
        var server = await node.UntilAsync("sctp", static pod => pod.Status.Phase == "Running");
        Assert.Equal("""{"responses":["sctp"]}""", await node.ExecAsync("sctp", "c", "curl", "-s", $"http://{server.Status.PodIP}/dial?host={server.Status.PodIP}&port=9&protocol=sctp&request=hostname"));
        Assert.Equal("""{"responses":["ten"]}""", await node.ExecAsync("sctp", "c", "curl", "-s", $"http://{server.Status.PodIP}/dial?host={server.Status.PodIP}&port=10&protocol=sctp&request=x"));
        await node.PodAsync("sctp-client", $$$""" "restartPolicy":"Never","containers":[{"name":"c","image":"agnhost","args":["connect","{{{server.Status.PodIP}}}:9","--protocol=sctp"]},{"name":"n","image":"agnhost","args":["connect","{{{server.Status.PodIP}}}:11","--protocol=sctp"]}] """);
        var client = await node.UntilAsync("sctp-client", static pod => pod.Status.Phase == "Failed");
        Assert.Equal([0, 1], client.Status.ContainerStatuses.OrderBy(static one => one.Name).Select(static one => one.State!.Terminated!.ExitCode));
        Assert.Equal("REFUSED", (await node.LogAsync("sctp-client", "n")).Trim());
    }

    private static (string Certificate, string Key) SelfSigned(string name)
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        using var made = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=" + name, key, System.Security.Cryptography.HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return (Quoted(made.ExportCertificatePem()), Quoted(key.ExportPkcs8PrivateKeyPem()));

        static string Quoted(string text) => System.Text.Json.Nodes.JsonValue.Create(text).ToJsonString();
    }
}
