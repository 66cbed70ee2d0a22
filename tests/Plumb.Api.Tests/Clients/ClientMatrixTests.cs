using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Plumb.Api.Tests.Clients;

/// <summary>Clients that nobody here wrote do the same to the same objects; what worked is the table in docs/api.md.</summary>
/// <remarks>
/// `kubectl` is the machine's own, and every other one that PLUMB_TEST_KUBECTLS names (paths, with colons between). `client-node` is there after
/// `npm ci --prefix tests/Plumb.Api.Tests/Clients/node`. The page is held against the run when all of its clients were there.
/// </remarks>
public sealed partial class ClientMatrixTests : KubectlFixture
{
    private const string Begin = "<!-- made by ClientMatrixTests: begin -->";
    private const string End = "<!-- made by ClientMatrixTests: end -->";
    private const string Node = "client-node";

    private static readonly string[] Verbs = ["create", "get", "list", "watch", "patch", "update", "apply", "delete"];

    private static readonly (string Resource, string Path, string Object)[] Objects =
    [
        ("pods", "/api/v1/namespaces/default/pods", """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"m","namespace":"default"},"spec":{"containers":[{"name":"c","image":"busybox:1"}]}}"""),
        ("services", "/api/v1/namespaces/default/services", """{"apiVersion":"v1","kind":"Service","metadata":{"name":"m","namespace":"default"},"spec":{"selector":{"a":"b"},"ports":[{"port":80,"protocol":"TCP"}]}}"""),
        ("configmaps", "/api/v1/namespaces/default/configmaps", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m","namespace":"default"},"data":{"a":"1"}}"""),
        ("endpointslices", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", """{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"m","namespace":"default"},"addressType":"IPv4","endpoints":[{"addresses":["10.1.2.3"]}],"ports":[{"name":"","port":80,"protocol":"TCP"}]}"""),
        ("deployments", "/apis/apps/v1/namespaces/default/deployments", """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"m","namespace":"default"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"busybox:1"}]}}}}"""),
        ("daemonsets", "/apis/apps/v1/namespaces/default/daemonsets", """{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"m","namespace":"default"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"busybox:1"}]}}}}"""),
        ("networkpolicies", "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", """{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"m","namespace":"default"},"spec":{"podSelector":{},"policyTypes":["Ingress"]}}"""),
        ("ingresses", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", """{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"m","namespace":"default"},"spec":{"defaultBackend":{"service":{"name":"m","port":{"number":80}}}}}"""),
        ("roles", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"m","namespace":"default"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}"""),
        ("lamps", "/apis/home.example.com/v1/namespaces/default/lamps", """{"apiVersion":"home.example.com/v1","kind":"Lamp","metadata":{"name":"m","namespace":"default"},"spec":{"bulbs":1}}"""),
    ];

    [Fact]
    public async Task Every_client_does_every_verb_to_every_resource()
    {
        await Server.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", Custom.CustomResourceTests.Lamp());
        var clients = new SortedDictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (var program in Programs)
        {
            var version = KubectlVersion().Match(await RunProgramAsync(program, ["version", "--client"])).Groups[1].Value;
            clients[$"kubectl {version}"] = await KubectlAsync(program);
        }

        if (NodeClient.IsThere)
            clients[Node] = await NodeAsync();
        else
            TestContext.Current.AddWarning(NodeClient.HowToGet);
        foreach (var (client, done) in clients)
        {
            var missing = Verbs.SelectMany(static verb => Objects.Select(one => $"{verb} {one.Resource}")).Except(done).ToList();
            Assert.True(missing.Count == 0, $"{client} could not: {string.Join(", ", missing)}");
        }

        if (clients.Count >= 3)
            DocsPart.Hold("api.md", Begin, End, Table(clients));
    }

    private static string Table(SortedDictionary<string, HashSet<string>> clients)
    {
        var text = new StringBuilder("| resource | " + string.Join(" | ", clients.Keys) + " |\n| --- |" + string.Concat(clients.Select(static _ => " --- |")) + "\n");
        foreach (var (resource, _, _) in Objects)
            text.Append("| ").Append(resource).Append(" | ").AppendJoin(" | ", clients.Values.Select(done => string.Join(", ", Verbs.Where(verb => done.Contains($"{verb} {resource}"))))).Append(" |\n");
        if (clients.TryGetValue(Node, out var node) && node.Contains("informer configmaps"))
            text.Append("\nInformers: ").Append(Node).Append(".\n");
        return text.ToString();
    }

    /// <summary>One call for each verb: kubectl says of each object what it did.</summary>
    private async Task<HashSet<string>> KubectlAsync(string program)
    {
        var manifest = await FileAsync("all.json", new JsonObject { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray([.. Objects.Select(static one => JsonNode.Parse(one.Object))]) }.ToJsonString());
        var done = new HashSet<string>();
        await NoteAsync("create", "create", "-f", manifest);
        await NoteAsync("get", "get", "-f", manifest, "-o", "name");
        await NoteAsync("list", "get", string.Join(',', Objects.Select(static one => one.Resource)), "-o", "name");
        await NoteAsync("patch", "annotate", "-f", manifest, "patched=yes");
        await NoteAsync("update", "replace", "-f", manifest);
        await NoteAsync("apply", "apply", "--server-side", "--force-conflicts", "-f", manifest);
        using var waiting = Start(program, ["wait", "--for=delete", "--timeout=60s", "-v=6", "-f", manifest]);
        var output = waiting.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (await waiting.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } told && !told.Contains("watch=true", StringComparison.Ordinal))
        {
            // It has not begun to watch.
        }

        var rest = waiting.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await NoteAsync("delete", "delete", "-f", manifest, "--wait=false");
        await waiting.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(waiting.ExitCode == 0, $"{program} wait ended with {waiting.ExitCode}:\n{await output}{await rest}");

        // It ends without a fault when it has seen each of them go.
        foreach (var (resource, _, _) in Objects)
            done.Add("watch " + resource);
        return done;

        async Task NoteAsync(string verb, params string[] arguments)
        {
            foreach (var line in (await RunProgramAsync(program, arguments)).Split('\n'))
            {
                var name = line.Split(' ')[0].Split('/');
                if (name.Length == 2 && name[1].Trim('"') == "m")
                    Add(verb, name[0]);
                else if (Deleted().Match(line) is { Success: true } gone)
                    Add(verb, gone.Groups[1].Value);
            }
        }

        void Add(string verb, string singular)
        {
            var kind = singular.Split('.')[0];
            foreach (var (resource, _, _) in Objects)
            {
                if (resource == kind + "s" || resource == kind + "es" || resource == kind[..^1] + "ies")
                    done.Add($"{verb} {resource}");
            }
        }
    }

    private async Task<HashSet<string>> NodeAsync()
    {
        var list = new JsonArray([.. Objects.Select(static one => (JsonNode)new JsonObject { ["resource"] = one.Resource, ["path"] = one.Path, ["object"] = JsonNode.Parse(one.Object) })]);
        var objects = await FileAsync("objects.json", list.ToJsonString());
        var said = await RunProgramAsync("node", [Path.Combine(NodeClient.Folder, "matrix.mjs"), Kubeconfig, objects]);
        return [.. said.Split('\n').Where(static line => line.Length > 0)];
    }

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = Kubeconfig;
        start.Environment["HOME"] = Path.GetDirectoryName(Kubeconfig);
        return Process.Start(start)!;
    }

    private async Task<string> RunProgramAsync(string program, string[] arguments)
    {
        using var client = Start(program, arguments);
        var output = client.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = client.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await client.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(client.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {client.ExitCode}:\n{await output}{await errors}");
        var complaints = await errors;
        if (complaints.Length > 0)
            TestContext.Current.TestOutputHelper?.WriteLine($"{program} {arguments[0]}: {complaints}");
        return await output;
    }

    [GeneratedRegex("v(1\\.[0-9]+)\\.")]
    private static partial Regex KubectlVersion();

    [GeneratedRegex("^([a-z.0-9]+) \"m\" (?:force )?deleted")]
    private static partial Regex Deleted();
}
