using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Plumb.EndToEnd.Diagnosis;

/// <summary>What is wrong with and behind a proxy is explained from in front of it, in one command.</summary>
public sealed class ProxyTests
{
    private const string Objects =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: shop, labels: {app: shop}}
        spec: {nodeName: node-2, containers: [{name: main, image: httpd, ports: [{containerPort: 8080}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: shop}
        spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8081}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: edge}
        spec: {selector: {app: proxy}, ports: [{port: 443}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: proxy, labels: {app: proxy}}
        spec:
          nodeName: node-3
          containers:
          - name: main
            image: socat
            command: [sh, -c, 'printf %s "$PEM" >/tmp/edge.pem; exec socat OPENSSL-LISTEN:443,cert=/tmp/edge.pem,verify=0,fork,reuseaddr TCP:shop:80']
            env: [{name: PEM, value: CERTIFICATE}]
        """;

    [Fact]
    public async Task A_wrong_name_in_front_and_a_wrong_port_behind_are_both_said()
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Pods.Client + Objects.Replace("CERTIFICATE", JsonSerializer.Serialize(Certificate("other.example")), StringComparison.Ordinal));
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")).Succeeds();
        // Until it listens and every node knows of it; an answer is not to be had.
        await lab.KubectlAsync("exec", "client", "--", "curl", "-sk", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "--max-time", "20", "https://edge/");

        var said = await lab.PlumbAsync("trace", "client", "https://edge", "--observe");
        Assert.Equal(1, said.ExitCode);
        Assert.Contains("for other.example", said.Output, StringComparison.Ordinal);
        Assert.Contains("and then proxy (default)", said.Output, StringComparison.Ordinal);
        Assert.Contains("Service default/shop sends port 80 to targetPort 8081, where shop (default) does not listen; it listens at 8080", said.Output, StringComparison.Ordinal);
        Assert.EndsWith("prediction and kernel agree", said.Output.TrimEnd(), StringComparison.Ordinal);

        (await lab.KubectlAsync("patch", "service", "shop", "-p", """{"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}""")).Succeeds();
        (await lab.KubectlAsync("exec", "client", "--", "curl", "-sk", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", "--max-time", "30", "https://edge/")).Succeeds();
        var mended = JsonElement.Parse((await lab.PlumbAsync("trace", "client", "https://edge", "--observe", "-o", "json")).Output);
        Assert.Equal(200, mended.GetProperty("observed").GetProperty("httpStatus").GetInt32());
        var onward = Assert.Single(mended.GetProperty("onward").EnumerateArray());
        Assert.Equal(("Answered", true), (onward.GetProperty("seen").GetString(), onward.GetProperty("agrees").GetBoolean()));
        Assert.Equal("shop (default)", onward.GetProperty("outcomes")[0].GetProperty("end").GetProperty("title").GetString());
    }

    private static string Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }
}
