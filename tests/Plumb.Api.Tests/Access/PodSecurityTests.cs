using System.Net;

namespace Plumb.Api.Tests.Access;

/// <summary>The labels `pod-security.kubernetes.io/…` of a namespace, and what pods may ask for in it.</summary>
public sealed class PodSecurityTests
{
    private const string Good = """
        {"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"c","image":"i:1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}
        """;

    private static async Task<TestServer> WithNamespaceAsync(string label, string level)
    {
        var server = await TestServer.StartAsync();
        await server.CreateAsync("/api/v1/namespaces", $$$$"""{"metadata":{"name":"ns","labels":{"pod-security.kubernetes.io/{{{{label}}}}":"{{{{level}}}}"}}}""");
        return server;
    }

    private static string Container(string more) => $$$"""{"containers":[{"name":"c","image":"i:1",{{{more}}}}]}""";

    public static TheoryData<string, string, string?> Pods => new()
    {
        { "privileged", Container("\"securityContext\":{\"privileged\":true}"), null },
        { "baseline", Container("\"ports\":[{\"containerPort\":80}]"), null },
        { "baseline", Container("\"securityContext\":{\"capabilities\":{\"add\":[\"CHOWN\"]}}"), null },
        { "baseline", Container("\"securityContext\":{\"capabilities\":{\"add\":[\"NET_ADMIN\",\"CHOWN\"]}}"), "non-default capabilities (container \"c\" must not include \"NET_ADMIN\" in securityContext.capabilities.add)" },
        { "baseline", Container("\"securityContext\":{\"privileged\":true}"), "privileged (container \"c\" must not set securityContext.privileged=true)" },
        { "baseline", Container("\"ports\":[{\"containerPort\":80,\"hostPort\":80}]"), "hostPort (container \"c\" uses hostPort 80)" },
        { "baseline", """{"hostNetwork":true,"hostPID":true,"containers":[{"name":"c","image":"i:1"}]}""", "host namespaces (hostNetwork=true, hostPID=true)" },
        { "baseline", """{"volumes":[{"name":"v","hostPath":{"path":"/"}}],"containers":[{"name":"c","image":"i:1"}]}""", "hostPath volumes (volume \"v\")" },
        { "baseline", """{"securityContext":{"sysctls":[{"name":"net.core.somaxconn","value":"1"}]},"containers":[{"name":"c","image":"i:1"}]}""", "forbidden sysctls (net.core.somaxconn)" },
        { "restricted", Good, null },
        { "restricted", Good.Replace("\"drop\"", "\"add\":[\"NET_BIND_SERVICE\"],\"drop\"", StringComparison.Ordinal), null },
        { "restricted", Good.Replace("\"drop\"", "\"add\":[\"CHOWN\"],\"drop\"", StringComparison.Ordinal), "unrestricted capabilities (container \"c\" must not include \"CHOWN\" in securityContext.capabilities.add)" },
        { "restricted", Good.Replace("\"runAsNonRoot\":true,", "", StringComparison.Ordinal), "runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true)" },
        { "restricted", Good.Replace("\"containers\"", "\"volumes\":[{\"name\":\"v\",\"nfs\":{\"server\":\"s\",\"path\":\"/\"}}],\"containers\"", StringComparison.Ordinal), "restricted volume types (volume \"v\" uses restricted volume type \"nfs\")" },
    };

    [Theory]
    [MemberData(nameof(Pods))]
    public async Task What_a_level_does_not_let_a_pod_ask_for_is_refused(string level, string spec, string? violation)
    {
        await using var server = await WithNamespaceAsync("enforce", level);
        var (code, answer) = await server.SendAsync("POST", "/api/v1/namespaces/ns/pods", $$$"""{"metadata":{"name":"p"},"spec":{{{spec}}}}""");
        Assert.Equal(violation is null ? HttpStatusCode.Created : HttpStatusCode.Forbidden, code);
        if (violation is not null)
            Assert.Equal($"pods \"p\" is forbidden: violates PodSecurity \"{level}:latest\": {violation}", (string)answer["message"]!);
    }

    [Fact]
    public async Task A_level_that_only_warns_warns_of_pods_and_of_what_makes_them()
    {
        await using var server = await WithNamespaceAsync("warn", "baseline");
        const string pod = """{"hostNetwork":true,"containers":[{"name":"c","image":"i:1"}]}""";
        using var made = await server.RawAsync("POST", "/api/v1/namespaces/ns/pods", $$$"""{"metadata":{"name":"p"},"spec":{{{pod}}}}""");
        using var set = await server.RawAsync("POST", "/apis/apps/v1/namespaces/ns/daemonsets",
            $$$$"""{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{{{{pod}}}} } } }""");
        foreach (var answer in (HttpResponseMessage[])[made, set])
        {
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            Assert.Equal(["299 - \"would violate PodSecurity \\\"baseline:latest\\\": host namespaces (hostNetwork=true)\""], answer.Headers.GetValues("Warning"));
        }
    }
}
