using System.Diagnostics;

namespace Plumb.Api.Tests;

/// <summary>A server, and the machine's own kubectl with a kubeconfig that leads to it over TLS.</summary>
public abstract class KubectlFixture : IAsyncLifetime
{
    private readonly string _home = Directory.CreateTempSubdirectory("plumb-api-").FullName;

    private protected string Kubeconfig => Path.Combine(_home, "kubeconfig");

    private protected TestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync();
        await FileAsync("kubeconfig", Server.Api.Kubeconfig("test"));
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Directory.Delete(_home, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected async Task<string> FileAsync(string name, string text)
    {
        var path = Path.Combine(_home, name);
        await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        return path;
    }

    private protected Task<string> RunAsync(params string[] arguments) => RunAsync(arguments, fails: false);

    /// <summary>The machine's kubectl, and every other one that PLUMB_TEST_KUBECTLS names.</summary>
    private protected static IEnumerable<string> Programs =>
        ["kubectl", .. (Environment.GetEnvironmentVariable("PLUMB_TEST_KUBECTLS") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)];

    private protected async Task<string> RunAsync(string[] arguments, bool fails, string program = "kubectl")
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(static folder => File.Exists(Path.Combine(folder, "kubectl"))), "there is no kubectl on this machine");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = Kubeconfig;
        start.Environment["HOME"] = _home;
        using var kubectl = Process.Start(start)!;
        var output = kubectl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = kubectl.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await kubectl.WaitForExitAsync(TestContext.Current.CancellationToken);
        var said = await output + await errors;
        Assert.True(kubectl.ExitCode != 0 == fails, $"{program} {string.Join(' ', arguments)} ended with {kubectl.ExitCode}:\n{said}");
        return said;
    }
}
