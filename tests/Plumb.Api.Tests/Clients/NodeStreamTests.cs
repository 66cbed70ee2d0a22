using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Plumb.Api.Tests.Streaming;

namespace Plumb.Api.Tests.Clients;

/// <summary>A pod's streams by @kubernetes/client-node, whose WebSockets are not those of kubectl.</summary>
public sealed class NodeStreamTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_javascript_client_runs_a_command_and_forwards_a_port()
    {
        Assert.SkipUnless(NodeClient.IsThere, NodeClient.HowToGet);
        await using var server = await BareServer.StartAsync(new HostRuntime());
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var echo = EchoOnceAsync(listener);
        var start = new ProcessStartInfo("node", [Path.Combine(NodeClient.Folder, "stream.mjs"), server.Url, $"{((IPEndPoint)listener.LocalEndpoint).Port}"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var node = Process.Start(start)!;
        var errors = node.StandardError.ReadToEndAsync(Cancel);
        Assert.True(await node.StandardOutput.ReadLineAsync(Cancel) is "exec [\"input out\\n\",\"wrong\\n\",\"Failure\",\"7\"]", await ExplainAsync(node, errors));
        Assert.True(await node.StandardOutput.ReadLineAsync(Cancel) is "port-forward across", await ExplainAsync(node, errors));
        await node.WaitForExitAsync(Cancel);
        listener.Stop();
        await echo;
    }

    private static async Task<string> ExplainAsync(Process node, Task<string> errors)
    {
        if (errors.IsCompleted || node.HasExited)
            return await errors;
        return "node goes on";
    }

    private static async Task EchoOnceAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync(Cancel);
        try
        {
            await client.GetStream().CopyToAsync(client.GetStream(), Cancel);
        }
        catch (IOException)
        {
            // The client was ended with its process.
        }
    }
}
