using System.Text;
using Plumb.Kubernetes.Clients;

namespace Plumb.Kubernetes.Tests.Clients;

public sealed class KubeconfigTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("plumb-kubeconfig");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void What_is_written_is_read_back()
    {
        var written = new ClusterConnection
        {
            Server = new Uri("https://127.0.0.1:6443"), CertificateAuthority = "PEM ca", ClientCertificate = "PEM cert", ClientKey = "PEM key", Token = "t\"1", Namespace = "n",
        };
        string file = Save("config", KubeconfigWriter.Write("lab", written));
        var config = Kubeconfig.Load(file, "/nowhere");
        Assert.Equal("lab", config.CurrentContext);
        Assert.Equal(written, config.Connection());
    }

    [Fact]
    public void Of_several_files_the_first_has_the_say_and_missing_ones_are_passed_over()
    {
        string first = Save("a", Config("one", "http://one", "current-context: two\n"));
        string second = Save("b", Config("two", "http://two", "current-context: one\n") + "- name: one\n  context: {cluster: two}\n");
        var config = Kubeconfig.Load($"{first}:{folder.FullName}/missing:{second}", "/nowhere");
        Assert.Equal("http://two/", config.Connection().Server.ToString());
        Assert.Equal("http://one/", config.Connection("one").Server.ToString());
    }

    [Fact]
    public void Files_are_looked_for_beside_the_kubeconfig()
    {
        Save("ca.pem", "PEM");
        string file = Save("config", "current-context: c\nclusters: [{name: c, cluster: {server: 'https://h', certificate-authority: ca.pem}}]\n"
            + "users: [{name: u, user: {tokenFile: token}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n");
        var connection = Kubeconfig.Load(file, "/nowhere").Connection();
        Assert.Equal("PEM", connection.CertificateAuthority);
        Assert.Equal(Path.Combine(folder.FullName, "token"), connection.TokenFile);
    }

    [Theory]
    [InlineData("user: {exec: {command: aws}}", "the user \"u\" logs in by exec, which is not supported; use a token or a client certificate")]
    [InlineData("user: {auth-provider: {name: gcp}}", "the user \"u\" logs in by auth-provider, which is not supported; use a token or a client certificate")]
    [InlineData("user: {client-key-data: '%%'}", "client-key-data is not base64")]
    public void What_cannot_be_used_is_named(string user, string message)
    {
        string file = Save("config", $"current-context: c\nclusters: [{{name: c, cluster: {{server: 'https://h'}}}}]\nusers:\n- name: u\n  {user}\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n");
        Assert.Equal($"{file}: {message}", Assert.Throws<KubeconfigException>(() => Kubeconfig.Load(file, "/nowhere").Connection()).Message);
    }

    [Fact]
    public void A_context_that_is_not_there_is_named_with_those_that_are()
    {
        string file = Save("config", Config("one", "http://one", "current-context: zwei\n"));
        Assert.Equal($"{file}: no context \"zwei\"; there are: one", Assert.Throws<KubeconfigException>(() => Kubeconfig.Load(file, "/nowhere").Connection()).Message);
    }

    [Fact]
    public void Broken_YAML_and_no_file_at_all_say_so()
    {
        Assert.StartsWith(folder.FullName + "/config:2:", Assert.Throws<KubeconfigException>(() => Kubeconfig.Load(Save("config", "a: ["), "/nowhere")).Message, StringComparison.Ordinal);
        Assert.StartsWith("/nowhere/.kube/config: no such file", Assert.Throws<KubeconfigException>(() => Kubeconfig.Load(null, "/nowhere")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_finds_the_server_in_its_environment()
    {
        Save("token", "t");
        Save("ca.crt", "PEM");
        Save("namespace", "kube-system\n");
        var environment = new Dictionary<string, string> { ["KUBERNETES_SERVICE_HOST"] = "fd00::1", ["KUBERNETES_SERVICE_PORT"] = "443" };
        var connection = InClusterConfiguration.Load(name => environment.GetValueOrDefault(name), folder.FullName)!;
        Assert.Equal("https://[fd00::1]/", connection.Server.ToString());
        Assert.Equal("kube-system", connection.Namespace);
        Assert.Null(InClusterConfiguration.Load(_ => null, folder.FullName));
    }

    private static string Config(string name, string server, string more) =>
        $"{more}clusters: [{{name: {name}, cluster: {{server: '{server}'}}}}]\ncontexts:\n- name: {name}\n  context: {{cluster: {name}}}\n";

    private string Save(string name, string text)
    {
        string file = Path.Combine(folder.FullName, name);
        File.WriteAllBytes(file, Encoding.UTF8.GetBytes(text));
        return file;
    }
}
