using System.Text.Json;
using Plumb.Cli.Tests.CommandLine;
using Plumb.CommandLine;

namespace Plumb.Cli.Tests.Whatif;

/// <summary>What changes would do to the network of the frozen snapshot: three pods of a website, their Service, and one whose selector matches nobody.</summary>
public sealed class WhatifTests
{
    private static readonly string Network = Checkout.PathOf("tests", "Plumb.Cli.Tests", "Snapshots", "frozen-1.plumb");

    private const string Website = "{apiVersion: v1, kind: Service, metadata: {name: website}, spec: {type: NodePort, selector: {app: website}, ports: [{port: 80, nodePort: 31100}]}}";

    [Theory]
    [InlineData("a selector that matches nobody breaks all who go there", ExitCode.Failed, "{apiVersion: v1, kind: Service, metadata: {name: website}, spec: {type: NodePort, selector: {app: web-site}, ports: [{port: 80, nodePort: 31100}]}}")]
    [InlineData("a selector that matches opens", ExitCode.Done, "{apiVersion: v1, kind: Service, metadata: {name: nobody}, spec: {selector: {app: website}, ports: [{port: 80}]}}")]
    [InlineData("a wrong targetPort breaks", ExitCode.Failed, "{apiVersion: v1, kind: Service, metadata: {name: website}, spec: {type: NodePort, selector: {app: website}, ports: [{port: 80, targetPort: 8080, nodePort: 31100}]}}")]
    [InlineData("a new Service opens its address", ExitCode.Done, "{apiVersion: v1, kind: Service, metadata: {name: shop}, spec: {selector: {app: website}, ports: [{port: 8080, targetPort: 80}]}}")]
    [InlineData("what is applied again changes nothing", ExitCode.Done, Website)]
    public async Task A_change_is_told_before_it_is_made(string what, int code, string manifest)
    {
        using var folder = new TemporaryFolder();
        await TellsAsync(what, code, "-f", folder.Write("new.yaml", manifest));
    }

    [Theory]
    [InlineData("a deleted Service", ExitCode.Failed, "service/website")]
    [InlineData("a deleted Deployment takes its pods along", ExitCode.Failed, "deploy/website")]
    public async Task A_deletion_is_told_before_it_is_made(string what, int code, string deleted) => await TellsAsync(what, code, "--delete", deleted);

    [Fact]
    public async Task JSON_has_what_the_text_has()
    {
        var said = await Said.By("whatif", "--from", Network, "--delete", "svc/website", "-o", "json");
        var json = JsonElement.Parse(said.Output);

        Assert.Equal(ExitCode.Failed, said.ExitCode);
        Assert.Equal(3, json.GetProperty("nodes").GetArrayLength());
        Assert.All(json.GetProperty("nodes").EnumerateArray().SelectMany(static node => node.GetProperty("entries").EnumerateArray()), static entry =>
        {
            Assert.Contains(entry.GetProperty("change").GetString(), (string[])["+", "-", "~"]);
            Assert.NotEmpty(entry.GetProperty("causes").EnumerateArray());
        });
        Assert.Contains(json.GetProperty("pairs").EnumerateArray(), static pair => pair.GetProperty("effect").GetString() == "Breaks" && pair.GetProperty("target").GetString() == "Service default/website:80");
        Assert.InRange(json.GetProperty("walked").GetProperty("pairs").GetInt32(), 1, 10);
    }

    [Theory]
    [InlineData("what would change? -f FILE, or --delete KIND/NAME")]
    [InlineData("--delete: there is no service 'websit'; did you mean website?", "--delete", "service/websit")]
    [InlineData("--delete: 'website' is not KIND/NAME or KIND/NAMESPACE/NAME, such as service/website", "--delete", "website")]
    public async Task Mistakes_get_one_line(string says, params string[] words)
    {
        var said = await Said.By(["whatif", "--from", Network, .. words]);
        Assert.Equal($"plumb whatif: {says}\n", said.Error);
        Assert.Equal(ExitCode.Usage, said.ExitCode);
    }

    private static async Task TellsAsync(string what, int code, params string[] words)
    {
        var said = await Said.By(["whatif", "--from", Network, .. words]);

        Assert.Equal("", said.Error);
        var golden = Checkout.PathOf("tests", "Plumb.Cli.Tests", "Whatif", "golden", what.Replace(' ', '-') + ".txt");
        if (Environment.GetEnvironmentVariable("PLUMB_RENEW") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(golden)!);
            await File.WriteAllTextAsync(golden, said.Output, TestContext.Current.CancellationToken);
        }
        Assert.Equal(await File.ReadAllTextAsync(golden, TestContext.Current.CancellationToken), said.Output);
        Assert.Equal(code, said.ExitCode);
    }
}
