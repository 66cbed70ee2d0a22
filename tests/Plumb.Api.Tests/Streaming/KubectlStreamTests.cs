using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Plumb.Api.Streaming;

namespace Plumb.Api.Tests.Streaming;

/// <summary>Real kubectl on the wire. Each runs over WebSocket and over SPDY.</summary>
public sealed partial class KubectlStreamTests
{
    public static readonly TheoryData<bool> Wires = [true, false];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task An_exec_hands_over_output_error_and_exit_code(bool webSockets)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        var (code, output, error) = await Kubectl.RunAsync(
            server, webSockets, "exec", "p", "--", "sh", "-c", "echo out; echo wrong >&2; exit 7");
        Assert.Equal("out\n", output);
        Assert.Equal("wrong\ncommand terminated with exit code 7\n", error);
        Assert.Equal(7, code);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task An_exec_that_cannot_start_says_why(bool webSockets)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        var (code, _, error) = await Kubectl.RunAsync(server, webSockets, "exec", "p", "--", "no-such-command");
        Assert.Equal(1, code);
        Assert.Contains("Internal error occurred: exec: \"no-such-command\": executable file not found in $PATH", error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task An_unknown_container_is_refused_before_the_upgrade(bool webSockets)
    {
        var runtime = new HostRuntime();
        await using var server = await BareServer.StartAsync(runtime);
        var (code, _, error) = await Kubectl.RunAsync(server, webSockets, "exec", "p", "-c", "other", "--", "true");
        Assert.Equal(1, code);
        Assert.Contains("container other is not valid for pod p", error, StringComparison.Ordinal);
        Assert.Empty(runtime.Execs);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Megabytes_go_through_a_cat_both_ways_unharmed(bool webSockets)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        var sent = RandomNumberGenerator.GetBytes(5_000_000);
        using var kubectl = Kubectl.Start(server, webSockets, "exec", "-i", "p", "--", "cat");
        var received = new MemoryStream();
        var reading = kubectl.StandardOutput.BaseStream.CopyToAsync(received, Cancel);
        await kubectl.StandardInput.BaseStream.WriteAsync(sent, Cancel);
        kubectl.StandardInput.Close();
        await reading;
        await kubectl.WaitForExitAsync(Cancel);
        Assert.Equal(0, kubectl.ExitCode);
        Assert.True(sent.AsSpan().SequenceEqual(received.ToArray()), $"{received.Length} of {sent.Length} bytes came back");
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_command_that_ends_with_input_unread_still_gives_all_its_output(bool webSockets)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        using var kubectl = Kubectl.Start(server, webSockets, "exec", "-i", "p", "--", "sh", "-c", "head -c 10; seq 1 100000; exit 3");
        var output = kubectl.StandardOutput.ReadToEndAsync(Cancel);
        try
        {
            await kubectl.StandardInput.BaseStream.WriteAsync(new byte[3_000_000], Cancel);
        }
        catch (IOException)
        {
            // kubectl ends while we still write: that is the point.
        }

        Assert.EndsWith("\n99999\n100000\n", await output, StringComparison.Ordinal);
        await kubectl.WaitForExitAsync(Cancel);
        Assert.Equal(3, kubectl.ExitCode);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Cp_carries_a_folder_in_and_out(bool webSockets)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        var folder = Directory.CreateTempSubdirectory("plumb-cp-").FullName;
        try
        {
            var bytes = RandomNumberGenerator.GetBytes(1_000_000);
            Directory.CreateDirectory(folder + "/in");
            Directory.CreateDirectory(folder + "/there");
            await File.WriteAllBytesAsync(folder + "/in/blob", bytes, Cancel);
            var there = await Kubectl.RunAsync(server, webSockets, "cp", folder + "/in", $"default/p:{folder}/there");
            Assert.Equal((0, ""), (there.ExitCode, there.Error));
            Assert.Equal(bytes, await File.ReadAllBytesAsync(folder + "/there/in/blob", Cancel));

            var back = await Kubectl.RunAsync(server, webSockets, "cp", $"default/p:{folder}/there/in/blob", folder + "/back");
            Assert.Equal(0, back.ExitCode);
            Assert.Equal(bytes, await File.ReadAllBytesAsync(folder + "/back", Cancel));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_terminal_tells_its_size_and_every_change_of_it(bool webSockets)
    {
        var runtime = new HostRuntime();
        await using var server = await BareServer.StartAsync(runtime);
        var command = $"stty cols 101 rows 41; tty; exec {Kubectl.Path} --server {server.Url} exec -it p -- sizes";
        using var terminal = Process.Start(Kubectl.StartInfo("script", server, webSockets, ["-qec", command, "/dev/null"]))!;
        var device = (await terminal.StandardOutput.ReadLineAsync(Cancel))!.Trim();
        Assert.StartsWith("/dev/pts/", device, StringComparison.Ordinal);
        Assert.Equal(new TerminalSize(101, 41), await runtime.Sizes.Reader.ReadAsync(Cancel));
        using (var stty = Process.Start("stty", ["-F", device, "cols", "133", "rows", "51"]))
            await stty.WaitForExitAsync(Cancel);
        // stty sets one after the other, and kubectl may repeat its first size.
        TerminalSize size;
        while ((size = await runtime.Sizes.Reader.ReadAsync(Cancel)).Rows == 41)
        {
        }

        Assert.Equal(new TerminalSize(133, 51), size);
        await terminal.StandardInput.WriteAsync("hello\r");
        await terminal.StandardInput.FlushAsync(Cancel);
        Assert.Contains("typed: hello", await terminal.StandardOutput.ReadToEndAsync(Cancel), StringComparison.Ordinal);
        await terminal.WaitForExitAsync(Cancel);
        Assert.Equal(0, terminal.ExitCode);
        Assert.True(runtime.Execs.Single().Terminal);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_kubectl_that_is_killed_cancels_the_command(bool webSockets)
    {
        var runtime = new HostRuntime();
        await using var server = await BareServer.StartAsync(runtime);
        using var kubectl = Kubectl.Start(server, webSockets, "exec", "-i", "p", "--", "wait");
        Assert.Equal("waiting", await kubectl.StandardOutput.ReadLineAsync(Cancel));
        kubectl.Kill();
        await runtime.ClientGone.Task.WaitAsync(Cancel);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task An_attach_reaches_the_running_process(bool webSockets)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        var (code, output, _) = await Kubectl.RunAsync(server, webSockets, "attach", "p", "-c", "c");
        Assert.Equal((0, "attached\n"), (code, output));
    }

    [Fact]
    public async Task Logs_are_followed_with_every_option_passed_on()
    {
        var runtime = new HostRuntime();
        await using var server = await BareServer.StartAsync(runtime);
        var (code, output, error) = await Kubectl.RunAsync(
            server, true, "logs", "-f", "p", "--tail=5", "--since-time=2026-01-02T03:04:05Z", "--timestamps", "--limit-bytes=99", "--previous");
        Assert.Equal((0, "one\ntwo\nthree\n", ""), (code, output, error));
        var since = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        Assert.Equal(new LogRequest("c", Follow: true, Previous: true, since, TailLines: 5, LimitBytes: 99, Timestamps: true), Assert.Single(runtime.Logs));
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_port_forward_carries_many_connections_at_once(bool webSockets)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        using var echo = new TcpListener(IPAddress.Loopback, 0);
        echo.Start();
        var echoing = EchoAsync(echo);
        var (kubectl, port) = await ForwardAsync(server, webSockets, ((IPEndPoint)echo.LocalEndpoint).Port);
        using (kubectl)
        {
            var clients = Enumerable.Range(0, 8).Select(number => SendAndReceiveAsync(port, 200_000 + number)).ToArray();
            await Task.WhenAll(clients);
            await SendAndReceiveAsync(port, 10);
            kubectl.Kill();
            await kubectl.WaitForExitAsync(Cancel);
        }

        echo.Stop();
        await echoing;
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_port_where_nobody_listens_is_reported_by_kubectl(bool webSockets)
    {
        await using var server = await BareServer.StartAsync(new HostRuntime());
        int closed;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            closed = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        var (kubectl, port) = await ForwardAsync(server, webSockets, closed);
        using (kubectl)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, Cancel);
            string? line;
            while ((line = await kubectl.StandardError.ReadLineAsync(Cancel)) is not null && !line.Contains("error forwarding", StringComparison.Ordinal))
            {
            }

            Assert.Contains($"error forwarding port {closed} to pod p, uid u-1: Connection refused", line, StringComparison.Ordinal);
            if (!kubectl.HasExited)
                kubectl.Kill();
            await kubectl.WaitForExitAsync(Cancel);
        }
    }

    [GeneratedRegex(@"127\.0\.0\.1:(\d+) ->")]
    private static partial Regex Forwarding();

    private static async Task<(Process Kubectl, int LocalPort)> ForwardAsync(BareServer server, bool webSockets, int port)
    {
        var kubectl = Kubectl.Start(server, webSockets, "port-forward", "p", $":{port}", "--address", "127.0.0.1");
        var line = await kubectl.StandardOutput.ReadLineAsync(Cancel) ?? await kubectl.StandardError.ReadToEndAsync(Cancel);
        var match = Forwarding().Match(line);
        Assert.True(match.Success, line);
        return (kubectl, int.Parse(match.Groups[1].Value));
    }

    private static async Task SendAndReceiveAsync(int port, int lengthBytes)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Cancel);
        var sent = RandomNumberGenerator.GetBytes(lengthBytes);
        var received = new byte[lengthBytes];
        var stream = client.GetStream();
        var reading = stream.ReadExactlyAsync(received, Cancel);
        await stream.WriteAsync(sent, Cancel);
        await reading;
        Assert.True(sent.AsSpan().SequenceEqual(received));
    }

    private static async Task EchoAsync(TcpListener listener)
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(EchoOneAsync(await listener.AcceptTcpClientAsync(Cancel)));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private static async Task EchoOneAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await client.GetStream().CopyToAsync(client.GetStream());
            }
            catch (IOException)
            {
                // Reset by a kubectl that was killed.
            }
        }
    }
}
