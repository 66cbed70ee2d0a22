using Microsoft.AspNetCore.Connections;
using Plumb.Api.Http.Transport;

namespace Plumb.Api.Tests.Http;

/// <summary>A connection in memory closes as a socket does: whoever waits on either side is told.</summary>
public sealed class InProcessTransportTests : IAsyncDisposable
{
    /// <summary>More than a pipe holds before its writer must wait.</summary>
    private static readonly byte[] TooMuch = new byte[1 << 20];

    private readonly InProcessTransport _transport = new();

    [Fact]
    public async Task A_read_that_waits_ends_when_its_own_side_is_disposed()
    {
        var (client, _) = await ConnectAsync();
        var reading = client.ReadAsync(new byte[10], TestContext.Current.CancellationToken).AsTask();
        await client.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => EndAsync(reading));
    }

    [Fact]
    public async Task A_write_that_waits_ends_when_its_own_side_is_disposed()
    {
        var (client, _) = await ConnectAsync();
        var writing = client.WriteAsync(TooMuch, TestContext.Current.CancellationToken).AsTask();
        Assert.False(writing.IsCompleted);
        await client.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => EndAsync(writing));
    }

    [Fact]
    public async Task The_servers_reads_and_writes_end_when_the_client_is_disposed_even_under_its_own_read()
    {
        var (client, server) = await ConnectAsync();
        var clientReads = client.ReadAsync(new byte[10], TestContext.Current.CancellationToken).AsTask();
        var serverReads = server.Transport.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask();
        await client.DisposeAsync();
        Assert.True((await EndAsync(serverReads)).IsCompleted);
        await Assert.ThrowsAsync<IOException>(() => EndAsync(clientReads));
        Assert.True((await EndAsync(server.Transport.Output.WriteAsync(TooMuch, TestContext.Current.CancellationToken).AsTask())).IsCompleted);
    }

    [Fact]
    public async Task A_write_of_the_server_that_waits_ends_when_the_client_is_disposed()
    {
        var (client, server) = await ConnectAsync();
        var writing = server.Transport.Output.WriteAsync(TooMuch, TestContext.Current.CancellationToken).AsTask();
        Assert.False(writing.IsCompleted);
        await client.DisposeAsync();
        Assert.True((await EndAsync(writing)).IsCompleted);
    }

    [Fact]
    public async Task The_clients_reads_and_writes_end_when_the_server_is_disposed()
    {
        var (client, server) = await ConnectAsync();
        var reading = client.ReadAsync(new byte[10], TestContext.Current.CancellationToken).AsTask();
        var writing = client.WriteAsync(TooMuch, TestContext.Current.CancellationToken).AsTask();
        await server.DisposeAsync();
        Assert.Equal(0, await EndAsync(reading));
        await Assert.ThrowsAsync<IOException>(() => EndAsync(writing));
    }

    [Fact]
    public async Task A_connection_that_nobody_accepted_ends_with_the_transport()
    {
        var client = _transport.Connect();
        var reading = client.ReadAsync(new byte[10], TestContext.Current.CancellationToken).AsTask();
        await _transport.DisposeAsync();
        Assert.Equal(0, await EndAsync(reading));
        Assert.Throws<IOException>(() => _transport.Connect());
    }

    [Fact]
    public async Task A_disposed_stream_refuses_reads_and_writes()
    {
        var (client, _) = await ConnectAsync();
        await client.DisposeAsync();
        await client.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => client.ReadAsync(new byte[10], TestContext.Current.CancellationToken).AsTask());
        await Assert.ThrowsAsync<IOException>(() => client.WriteAsync(new byte[10], TestContext.Current.CancellationToken).AsTask());
    }

    public ValueTask DisposeAsync() => _transport.DisposeAsync();

    private async Task<(Stream Client, ConnectionContext Server)> ConnectAsync()
    {
        var client = _transport.Connect();
        return (client, (await _transport.AcceptAsync(TestContext.Current.CancellationToken))!);
    }

    /// <summary>Waits, but not for ever: a test of hanging may not hang itself.</summary>
    private static async Task<T> EndAsync<T>(Task<T> task) => await task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    private static async Task EndAsync(Task task) => await task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
}
