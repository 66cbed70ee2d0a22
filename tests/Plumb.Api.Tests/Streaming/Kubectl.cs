using System.Diagnostics;

namespace Plumb.Api.Tests.Streaming;

/// <summary>The machine's own kubectl against a <see cref="BareServer"/>. Tests may name another with PLUMB_TEST_KUBECTL.</summary>
internal static class Kubectl
{
    public static string Path { get; } = Environment.GetEnvironmentVariable("PLUMB_TEST_KUBECTL") ?? "kubectl";

    /// <param name="webSockets">False makes kubectl speak SPDY, as all of them did until 1.30.</param>
    public static Process Start(BareServer server, bool webSockets, params string[] arguments) =>
        Process.Start(StartInfo(Path, server, webSockets, ["--server", server.Url, .. arguments]))!;

    public static ProcessStartInfo StartInfo(string program, BareServer server, bool webSockets, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["KUBECONFIG"] = "/dev/null";
        start.Environment["KUBECTL_REMOTE_COMMAND_WEBSOCKETS"] = webSockets ? "true" : "false";
        start.Environment["KUBECTL_PORT_FORWARD_WEBSOCKETS"] = webSockets ? "true" : "false";
        start.Environment["HOME"] = server.Home;
        return start;
    }

    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(BareServer server, bool webSockets, params string[] arguments)
    {
        var result = await RunOnceAsync(server, webSockets, arguments);
        // It begins to read a WebSocket before it has made its streams; on an overrun machine that is even longer than we wait for it.
        return result.Error.Contains("Unknown stream id", StringComparison.Ordinal) ? await RunOnceAsync(server, webSockets, arguments) : result;
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunOnceAsync(BareServer server, bool webSockets, string[] arguments)
    {
        using var kubectl = Start(server, webSockets, arguments);
        kubectl.StandardInput.Close();
        var output = kubectl.StandardOutput.ReadToEndAsync();
        var error = kubectl.StandardError.ReadToEndAsync();
        await kubectl.WaitForExitAsync();
        return (kubectl.ExitCode, await output, await error);
    }
}
