using System.Net.Sockets;
using System.Security.Authentication;

namespace Plumb.Diagnosis.Tests.Observe;

/// <summary>A server of one connection.</summary>
internal static class OneClient
{
    public static async Task ServeAsync(Socket listener, Func<Stream, Task> serve)
    {
        using var server = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        await using var stream = new NetworkStream(server);
        try
        {
            await serve(stream);
        }
        catch (Exception gone) when (gone is IOException or AuthenticationException)
        {
            // The client has seen enough.
        }
    }
}
