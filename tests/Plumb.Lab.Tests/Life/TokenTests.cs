using Plumb.Kubernetes.Objects;
using Plumb.Lab.Node;
using Plumb.Lab.Node.Volumes;

namespace Plumb.Lab.Tests.Life;

/// <summary>Tokens in volumes are replaced before they end.</summary>
public sealed class TokenTests
{
    private static readonly ServiceAccountTokenProjection Hour = new() { ExpirationSeconds = 3600, Path = "token" };

    private static readonly PodName Pod = new("default", "p", "u");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_is_kept_for_four_fifths_of_its_time_and_then_replaced()
    {
        var time = new StandingTime();
        var server = new Server(time, TimeSpan.FromHours(1));
        var tokens = new PodTokens(server, Pod, "default", time);
        Assert.Null(tokens.Renewal);
        Assert.Equal("1", await tokens.ReadAsync(Hour, Cancel));
        Assert.Equal(time.Now + TimeSpan.FromMinutes(48), tokens.Renewal);
        time.Now += TimeSpan.FromMinutes(47);
        Assert.Equal("1", await tokens.ReadAsync(Hour, Cancel));
        time.Now += TimeSpan.FromMinutes(1);
        Assert.Equal("2", await tokens.ReadAsync(Hour, Cancel));
    }

    [Fact]
    public async Task A_token_of_a_month_is_replaced_after_a_day()
    {
        var time = new StandingTime();
        var tokens = new PodTokens(new Server(time, TimeSpan.FromDays(30)), Pod, "default", time);
        await tokens.ReadAsync(Hour, Cancel);
        Assert.Equal(time.Now + TimeSpan.FromDays(1), tokens.Renewal);
    }

    [Fact]
    public async Task A_token_that_cannot_be_replaced_is_used_on_and_asked_for_again()
    {
        var time = new StandingTime();
        var server = new Server(time, TimeSpan.FromHours(1));
        var tokens = new PodTokens(server, Pod, "default", time);
        await tokens.ReadAsync(Hour, Cancel);
        server.IsAway = true;
        time.Now += TimeSpan.FromMinutes(50);
        Assert.Equal("1", await tokens.ReadAsync(Hour, Cancel));
        Assert.Equal(time.Now + TimeSpan.FromMinutes(1), tokens.Renewal);
        server.IsAway = false;
        time.Now += TimeSpan.FromMinutes(1);
        Assert.Equal("2", await tokens.ReadAsync(Hour, Cancel));
    }

    [Fact]
    public async Task Without_any_token_it_is_said()
    {
        var time = new StandingTime();
        var tokens = new PodTokens(new Server(time, TimeSpan.FromHours(1)) { IsAway = true }, Pod, "default", time);
        await Assert.ThrowsAsync<MissingSourceException>(() => tokens.ReadAsync(Hour, Cancel));
    }

    private sealed class StandingTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private sealed class Server(TimeProvider time, TimeSpan life) : IPodSources
    {
        private int _issued;

        public bool IsAway { get; set; }

        public Task<ConfigMap?> ConfigMapAsync(string @namespace, string name, CancellationToken cancel) => throw new NotSupportedException();

        public Task<Secret?> SecretAsync(string @namespace, string name, CancellationToken cancel) => throw new NotSupportedException();

        public Task<PodToken?> TokenAsync(PodName pod, string account, ServiceAccountTokenProjection wanted, CancellationToken cancel) =>
            Task.FromResult(IsAway ? null : new PodToken($"{++_issued}", time.GetUtcNow() + life));

        public IDisposable Follow(string @namespace, Action changed) => throw new NotSupportedException();
    }
}
