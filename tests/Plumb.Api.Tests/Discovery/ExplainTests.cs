using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Discovery;

/// <summary>The machine's kubectl, and every other one that PLUMB_TEST_KUBECTLS names, ask what the fields of things are.</summary>
public sealed class ExplainTests : KubectlFixture
{
    [Fact]
    public async Task Every_resource_is_explained()
    {
        var resources = await ResourcesAsync();
        Assert.True(resources.Count > 35, $"{resources.Count} resources");
        foreach (var program in Programs)
        {
            foreach (var (name, version, _, _) in resources)
            {
                var said = await RunAsync(["explain", name, "--api-version=" + version, "--recursive"], fails: false, program);
                Assert.True(said.Split('\n').Any(static line => line.Trim().StartsWith("ownerReferences", StringComparison.Ordinal)) && said.Contains("metadata", StringComparison.Ordinal), $"{program} explain {name}:\n{said}");
            }
        }
    }

    [Theory]
    [InlineData("pod.spec.containers.resources", "limits <map[string]Quantity>", "claims <[]ResourceClaim>", "requests <map[string]Quantity>")]
    [InlineData("pod.spec.containers", "name <string> -required-", "envFrom <[]EnvFromSource>", "imagePullPolicy <string>")]
    [InlineData("service.spec", "ports <[]ServicePort>", "selector <map[string]string>", "enum: ClusterIP, ExternalName, LoadBalancer, NodePort")]
    [InlineData("service.spec.ports", "port <integer> -required-", "targetPort <IntOrString>", "enum: SCTP, TCP, UDP")]
    [InlineData("networkpolicy.spec", "ingress <[]NetworkPolicyIngressRule>", "podSelector <LabelSelector>", "policyTypes <[]string>")]
    [InlineData("ingress.spec.rules.http.paths", "backend <IngressBackend> -required-", "path <string>", "pathType <string> -required-")]
    [InlineData("validatingadmissionpolicy.spec.validations", "expression <string> -required-", "messageExpression <string>", "reason <string>")]
    [InlineData("crd.spec.versions.schema.openAPIV3Schema", "additionalProperties <JSONSchemaPropsOrBool>", "maxLength <integer>", "properties <map[string]JSONSchemaProps>")]
    [InlineData("pod.metadata", "creationTimestamp <string>", "labels <map[string]string>", "managedFields <[]ManagedFieldsEntry>")]
    public async Task Fields_have_the_types_of_a_real_server(string path, params string[] lines)
    {
        foreach (var program in Programs)
        {
            var isOld = await IsOldAsync(program);
            var said = string.Join('\n', (await RunAsync(["explain", path], fails: false, program)).Split('\n').Select(static line => string.Join(' ', line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))));
            foreach (var line in lines)
            {
                // The old one names no types, and not what values there are.
                var wanted = isOld ? line.StartsWith("enum", StringComparison.Ordinal) ? "" : line[..line.IndexOf(' ', StringComparison.Ordinal)] + " <" : line;
                Assert.True(said.Contains(wanted, StringComparison.Ordinal), $"{program} explain {path}: no {wanted} in\n{said}");
                Assert.False(line.EndsWith("-required-", StringComparison.Ordinal) && isOld && !said.Contains("-required-", StringComparison.Ordinal), said);
            }
        }
    }

    [Fact]
    public async Task A_member_that_no_kind_has_is_refused_or_told()
    {
        foreach (var (name, version, isNamespaced, kind) in await ResourcesAsync())
        {
            var path = (version.Contains('/', StringComparison.Ordinal) ? "/apis/" : "/api/") + version + (isNamespaced ? "/namespaces/default/" : "/") + name;
            var body = new JsonObject { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = "x", ["bogus"] = 1 }, ["bogus"] = 1 }.ToJsonString();
            var (code, answer) = await Server.SendAsync("POST", path + "?fieldValidation=Strict", body);
            Assert.True(code == HttpStatusCode.BadRequest, $"{path}: {answer.ToJsonString()}");
            var number = version[(version.IndexOf('/', StringComparison.Ordinal) + 1)..];
            Assert.Equal($"{kind} in version \"{number}\" cannot be handled as a {kind}: strict decoding error: unknown field \"metadata.bogus\", unknown field \"bogus\"", (string?)answer["message"]);
        }
    }

    [Fact]
    public async Task What_an_old_kubectl_reads_of_fields_lets_lists_be_merged()
    {
        const string deployment = """
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
             "spec":{"containers":[{"name":"mine","image":"one","ports":[{"containerPort":80}]}]}}}}
            """;
        foreach (var program in Programs)
        {
            await RunAsync(["apply", "-f", await FileAsync("web.json", deployment)], fails: false, program);
            await RunAsync(["patch", "deployment", "web", "-p", """{"spec":{"template":{"spec":{"containers":[{"name":"another","image":"x"}]}}}}"""], fails: false, program);
            await RunAsync(["apply", "-f", await FileAsync("web.json", deployment.Replace("one", "two", StringComparison.Ordinal))], fails: false, program);
            Assert.Equal("another=x mine=two ", await RunAsync(["get", "deployment", "web", "-o", "jsonpath={range .spec.template.spec.containers[*]}{.name}={.image} {end}"], fails: false, program));
            Assert.Contains("(server dry run)", await RunAsync(["apply", "--dry-run=server", "-f", await FileAsync("web.json", deployment)], fails: false, program), StringComparison.Ordinal);
            var wrong = await RunAsync(["apply", "-f", await FileAsync("web.json", deployment.Replace("80}", "80,\"bogus\":1}", StringComparison.Ordinal))], fails: true, program);
            Assert.Matches("unknown field \"(spec.template.spec.containers\\[1\\].ports\\[0\\].)?bogus\"", wrong);
            await RunAsync(["delete", "deployment", "web"], fails: false, program);
        }
    }

    private async Task<List<(string Name, string Version, bool IsNamespaced, string Kind)>> ResourcesAsync() =>
        [.. (await RunAsync(["api-resources", "--no-headers"], fails: false)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(static words => (words[0], words[^3], words[^2] == "true", words[^1]))];

    private async Task<bool> IsOldAsync(string program) => (await RunAsync(["version", "--client"], fails: false, program)).Contains("v1.20", StringComparison.Ordinal);
}
