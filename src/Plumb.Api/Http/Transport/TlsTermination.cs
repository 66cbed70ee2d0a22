using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Plumb.Api.Http.Transport;

/// <summary>
/// TLS as a step between the socket and HTTP/1.1. Kestrel's own needs a service container and its configuration system; this needs neither, and so
/// starts sooner.
/// </summary>
public static class TlsTermination
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <param name="certificate">Of the server that a connection came to; null: that one speaks in clear.</param>
    public static ConnectionDelegate Wrap(ConnectionDelegate next, Func<ConnectionContext, SslStreamCertificateContext?> certificate) =>
        connection => certificate(connection) is { } context ? ServeAsync(connection, next, context) : next(connection);

    private static async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next, SslStreamCertificateContext certificate)
    {
        var plain = connection.Transport;
        await using var tls = new SslStream(new DuplexPipeStream(new DuplexPipe(plain.Input, plain.Output)), leaveInnerStreamOpen: true);
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
            timeout.CancelAfter(HandshakeTimeout);
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificate,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ApplicationProtocols = [SslApplicationProtocol.Http11],
                },
                timeout.Token);
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException or OperationCanceledException)
        {
            // A port scan, a client without the server's CA, a client that went away: the connection is closed, nobody is there to be told.
            return;
        }

        var input = PipeReader.Create(tls, new StreamPipeReaderOptions(bufferSize: 16 << 10, leaveOpen: true));
        var output = PipeWriter.Create(tls, new StreamPipeWriterOptions(leaveOpen: true));
        connection.Transport = new DuplexPipe(input, output);
        // By this Kestrel knows that the scheme is https.
        connection.Features.Set<ITlsConnectionFeature>(new TlsConnectionFeature());
        try
        {
            await next(connection);
            await tls.ShutdownAsync();
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client closed first: there is no one to say goodbye to.
        }
        finally
        {
            await input.CompleteAsync();
            await output.CompleteAsync();
            connection.Transport = plain;
        }
    }
}
