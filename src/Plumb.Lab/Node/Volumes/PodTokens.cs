using Plumb.Kubernetes.Objects;

namespace Plumb.Lab.Node.Volumes;

/// <summary>A token, and when it ends.</summary>
internal sealed record PodToken(string Text, DateTimeOffset Expires);

/// <summary>The tokens in a pod's volumes. Each is replaced when four fifths of its time are over, or after a day, as by a kubelet.</summary>
internal sealed class PodTokens(IPodSources sources, PodName pod, string account, TimeProvider time)
{
    private static readonly TimeSpan LongestUse = TimeSpan.FromDays(1);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    private readonly Dictionary<ServiceAccountTokenProjection, (string Text, DateTimeOffset Renewal)> _held = [];

    /// <summary>When the next one is to be replaced; null: there is none.</summary>
    public DateTimeOffset? Renewal => _held.Count == 0 ? null : _held.Values.Min(static held => held.Renewal);

    /// <exception cref="MissingSourceException">The server gives none, and there is no older one.</exception>
    public async Task<string> ReadAsync(ServiceAccountTokenProjection wanted, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var isHeld = _held.TryGetValue(wanted, out var held);
        if (isHeld && now < held.Renewal)
        {
            return held.Text;
        }
        if (await sources.TokenAsync(pod, account, wanted, cancel) is { } fresh)
        {
            var use = (fresh.Expires - now) * 0.8;
            held = (fresh.Text, now + (use < LongestUse ? use : LongestUse));
        }
        else if (isHeld)
        {
            held.Renewal = now + RetryAfter;
        }
        else
        {
            throw new MissingSourceException($"failed to fetch token: serviceaccounts \"{account}\" gives none");
        }
        _held[wanted] = held;
        return held.Text;
    }
}
