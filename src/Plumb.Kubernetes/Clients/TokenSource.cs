namespace Plumb.Kubernetes.Clients;

/// <summary>The bearer token of each request. One from a file is read again at most once a minute: the kubelet renews it in place.</summary>
internal sealed class TokenSource(ClusterConnection connection, TimeProvider time)
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private string? token;
    private long readAt;
    private bool isRefused;

    /// <exception cref="IOException">The file cannot be read and never could.</exception>
    public string? Current
    {
        get
        {
            if (connection.TokenFile is not { } file)
                return connection.Token;
            lock (gate)
            {
                if (token is not null && !isRefused && time.GetElapsedTime(readAt) < Life)
                    return token;
                try
                {
                    token = File.ReadAllText(file).Trim();
                }
                catch (Exception unread) when (token is not null && unread is IOException or UnauthorizedAccessException)
                {
                    // Between the old and the new file: the old token is still good.
                }
                readAt = time.GetTimestamp();
                isRefused = false;
                return token;
            }
        }
    }

    /// <summary>The server did not take it: read it again next time.</summary>
    public void Forget()
    {
        lock (gate)
            isRefused = true;
    }
}
