using System.Text;
using System.Text.Json.Nodes;
using Plumb.Lab.Cni;
using Plumb.Lab.Node;

namespace Plumb.Lab.Tests.Cni;

public sealed class NetworkConfigurationTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-cni-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_first_in_the_order_of_names_counts_and_other_files_do_not()
    {
        Assert.Null(NetworkConfiguration.FindIn(_directory));
        Assert.Null(NetworkConfiguration.FindIn(Path.Combine(_directory, "gone")));
        foreach (var name in new[] { "00-notes.txt", "20-b.conf", "10-a.json", "10-a.conflist.new", "9-c.conflist" })
        {
            File.WriteAllText(Path.Combine(_directory, name), "");
        }
        Assert.Equal("10-a.json", Path.GetFileName(NetworkConfiguration.FindIn(_directory)));
    }

    [Theory]
    [InlineData("""{"cniVersion":"0.3.1"}""", "0.3.1")]
    [InlineData("""{"cniVersion":"1.0.0","cniVersions":["1.1.0","0.4.0"]}""", "1.1.0")]
    [InlineData("""{"cniVersion":"0.4.0","cniVersions":["3.0.0"]}""", "0.4.0")]
    [InlineData("""{"cniVersions":["1.0.0"]}""", "1.0.0")]
    public void The_newest_version_that_both_know_is_spoken(string versions, string spoken)
    {
        var root = JsonNode.Parse(versions)!;
        root["name"] = "net";
        root["type"] = "x";
        Assert.Equal(spoken, Load(root.ToJsonString()).Version);
    }

    [Theory]
    [InlineData("", "line 1: no CNI configuration: this is not JSON")]
    [InlineData("{\n\"name\":\n}", "line 3: no CNI")]
    [InlineData("""{"cniVersion":"1.0.0","name":"net","name":"net","type":"x"}""", "a key is twice in one object")]
    [InlineData("""{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"x","ipam":{"a":1,"a":2}}]}""", "a key is twice in one object")]
    [InlineData("[]", "it is not an object")]
    [InlineData("""{"cniVersion":"1.0.0","type":"x"}""", "name is missing")]
    [InlineData("""{"cniVersion":"1.0.0","name":"a/b","type":"x"}""", "'a/b'")]
    [InlineData("""{"cniVersion":"1.0.0","name":7,"type":"x"}""", "name is not a text")]
    [InlineData("""{"cniVersion":"1.0.0","name":"net"}""", "a plugin has no type")]
    [InlineData("""{"cniVersion":"1.0.0","name":"net","plugins":[]}""", "plugins is empty")]
    [InlineData("""{"cniVersion":"1.0.0","name":"net","plugins":{}}""", "plugins is not a list")]
    [InlineData("""{"cniVersion":"1.0.0","name":"net","plugins":["x"]}""", "a plugin is not an object")]
    [InlineData("""{"cniVersion":"1.0.0","name":"net","type":"../x"}""", "'../x' cannot be the name of a file")]
    [InlineData("""{"name":"net","type":"x"}""", "cniVersion 0.1.0 is not spoken here")]
    [InlineData("""{"cniVersion":"0.2.0","name":"net","type":"x"}""", "cniVersion 0.2.0 is not spoken here")]
    public void What_is_wrong_is_one_line_that_names_the_file(string text, string said)
    {
        var refused = Assert.Throws<LabException>(() => Load(text));
        Assert.StartsWith(Path.Combine(_directory, "net.conf"), refused.Message, StringComparison.Ordinal);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void A_plugin_reads_its_own_part_with_what_the_runtime_inserts_and_without_what_is_not_its()
    {
        var network = Load(
            """
            {"cniVersion":"1.0.0","cniVersions":["1.1.0"],"name":"net","disableCheck":true,"plugins":[
              {"type":"first","mine":{"a":["ä+<",1.0]},"capabilities":{"portMappings":true},"prevResult":{"x":1},"runtimeConfig":{"mac":"z"},"cni.dev/x":1},
              {"type":"second","capabilities":{"portMappings":false}}]}
            """);
        Assert.True(network.DisableCheck);
        var pod = new PodAttachment("id", "/proc/1/fd/7", new PodName("default", "client", "u-1"), [new PortMapping(8080, 80, "tcp", "")]);
        Assert.Equal(
            """{"cniVersion":"1.1.0","name":"net","type":"first","mine":{"a":["ä+<",1.0]},"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":""}]}}""",
            Encoding.UTF8.GetString(network.Plugins[0].Request(network, pod, null)));
        Assert.Equal(
            """{"cniVersion":"1.1.0","name":"net","type":"second","prevResult":{"ips":[]}}""",
            Encoding.UTF8.GetString(network.Plugins[1].Request(network, pod, JsonNode.Parse("""{"ips":[]}"""))));
    }

    private NetworkConfiguration Load(string text)
    {
        var path = Path.Combine(_directory, "net.conf");
        File.WriteAllText(path, text);
        return NetworkConfiguration.Load(path);
    }
}
