using System.Net;

namespace Plumb.Api.Tests.Pods;

/// <summary>What a `securityContext` may not say, in the words of a real server.</summary>
public sealed class SecurityContextTests
{
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Pattern = @"must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    private const string Rest = "\"SELinuxOptions\":null,\"WindowsOptions\":null,\"RunAsUser\":null,\"RunAsGroup\":null,\"RunAsNonRoot\":null,\"ReadOnlyRootFilesystem\":null,\"AllowPrivilegeEscalation\":false,\"ProcMount\":null,\"SeccompProfile\":null,\"AppArmorProfile\":null}";

    public static TheoryData<string, string, string> Contexts => new()
    {
        {
            "", """ {"privileged":true,"allowPrivilegeEscalation":false} """,
            "spec.containers[0].securityContext: Invalid value: {\"Capabilities\":null,\"Privileged\":true," + Rest + ": cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        },
        {
            "", """ {"capabilities":{"add":["NET_RAW","CAP_SYS_ADMIN"]},"allowPrivilegeEscalation":false} """,
            "spec.containers[0].securityContext: Invalid value: {\"Capabilities\":{\"Add\":[\"NET_RAW\",\"CAP_SYS_ADMIN\"],\"Drop\":null},\"Privileged\":null," + Rest + ": cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        },
        { "", """ {"procMount":"Unmasked"} """, "spec.containers[0].securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`" },
        { "", """ {"procMount":"Bare"} """, "spec.containers[0].securityContext.procMount: Unsupported value: \"Bare\": supported values: \"Default\", \"Unmasked\"" },
        // As there: of SYS_ADMIN without CAP_ nothing is said.
        { "", """ {"capabilities":{"add":["SYS_ADMIN"]},"allowPrivilegeEscalation":false} """, "" },
        { "\"hostUsers\":false,", """ {"procMount":"Unmasked"} """, "" },
        { Sysctls("net.core..x"), "{}", "spec.securityContext.sysctls[0].name: Invalid value: \"net.core..x\": " + Pattern },
        { Sysctls("net.Core.x"), "{}", "spec.securityContext.sysctls[0].name: Invalid value: \"net.Core.x\": " + Pattern },
        { Sysctls(""), "{}", "spec.securityContext.sysctls[0].name: Required value" },
        { Sysctls("net.core.x", "vm.a", "net.core.x"), "{}", "spec.securityContext.sysctls[2].name: Duplicate value: \"net.core.x\"" },
        { Sysctls("net.core.x", "net/core/x", "vm.swappiness"), "{}", "" },
        { "\"hostNetwork\":true," + Sysctls("net/ipv4/tcp_syncookies"), "{}", "spec.securityContext.sysctls[0].name: Invalid value: \"net/ipv4/tcp_syncookies\": may not be specified when 'hostNetwork' is true" },
        { "\"hostIPC\":true," + Sysctls("net.ipv4.tcp_syncookies", "kernel.shm_rmid_forced"), "{}", "spec.securityContext.sysctls[1].name: Invalid value: \"kernel.shm_rmid_forced\": may not be specified when 'hostIPC' is true" },
    };

    [Theory, MemberData(nameof(Contexts))]
    public async Task What_contradicts_itself_is_refused(string spec, string context, string why)
    {
        await using var server = await TestServer.StartAsync();
        var (code, said) = await server.SendAsync(
            "POST", Pods, $$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{{{spec}}"containers":[{"name":"c","image":"i","securityContext":{{context}} } ] } }""");
        if (why.Length == 0)
        {
            Assert.True(code == HttpStatusCode.Created, said.ToJsonString());
            return;
        }
        Assert.Equal(((HttpStatusCode)422, $"Pod \"p\" is invalid: {why}"), (code, (string)said["message"]!));
    }

    [Fact]
    public async Task Templates_and_containers_for_debugging_are_no_exception()
    {
        await using var server = await TestServer.StartAsync();
        const string contradiction = """ "securityContext":{"privileged":true,"allowPrivilegeEscalation":false} """;
        var (_, said) = await server.SendAsync(
            "POST", "/apis/apps/v1/namespaces/default/deployments",
            $$"""{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"} },"template":{"metadata":{"labels":{"a":"b"} },"spec":{"containers":[{"name":"c","image":"i",{{contradiction}} } ] } } } }""");
        Assert.StartsWith("Deployment.apps \"d\" is invalid: spec.template.spec.containers[0].securityContext: Invalid value", (string)said["message"]!, StringComparison.Ordinal);
        await server.CreateAsync(Pods, """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}""");
        (_, said) = await server.SendAsync(
            "PATCH", Pods + "/p/ephemeralcontainers", $$"""{"spec":{"ephemeralContainers":[{"name":"e","image":"i",{{contradiction}} } ] } }""", "application/strategic-merge-patch+json");
        Assert.StartsWith("Pod \"p\" is invalid: spec.ephemeralContainers[0].securityContext: Invalid value", (string)said["message"]!, StringComparison.Ordinal);
    }

    private static string Sysctls(params string[] names) => $$"""
        "securityContext":{"sysctls":[{{string.Join(',', names.Select(static name => $$"""{"name":"{{name}}","value":"1"}"""))}}]},
        """;
}
