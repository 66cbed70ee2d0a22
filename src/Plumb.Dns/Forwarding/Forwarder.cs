using System.Net;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Forwarding;

/// <summary>
/// Asks others, remembers what they said, and asks only once what many want to know at the same time. A question that comes back from whom it was
/// sent to is known for a loop.
/// </summary>
internal sealed class Forwarder : IDisposable
{
    private readonly ForwardOptions _options;
    private readonly TimeProvider _time;
    private readonly AnswerCache _cache;
    private readonly UpstreamGroup _upstreams;
    private readonly List<(DomainName Domain, UpstreamGroup Servers)> _stubs = [];
    private readonly Dictionary<byte[], InFlight> _inFlight = new(NameComparer.Instance);
    private readonly CancellationTokenSource _ending = new();

    public Forwarder(ForwardOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _cache = new AnswerCache(options.CacheEntries, time);
        _upstreams = new UpstreamGroup(options.Upstreams, options, time);
        foreach (var stub in options.StubDomains.OrderByDescending(static stub => stub.Domain.Wire.Length))
        {
            _stubs.Add((stub.Domain.Lower(), new UpstreamGroup(stub.Servers, options, time)));
        }
    }

    /// <summary>Whether there is anybody to ask.</summary>
    public bool IsUseful => _options.Upstreams.Count != 0 || _stubs.Count != 0;

    /// <summary>Called when a question came back from a server that it had been sent to.</summary>
    public Action<DomainName, IPAddress>? OnLoop { get; init; }

    /// <summary>What is remembered; null: others have to be asked. Allocates nothing.</summary>
    /// <param name="name">In wire form and lower case.</param>
    public ForeignAnswer? Find(ReadOnlySpan<byte> name, in Query query, out uint ageSeconds)
    {
        Span<byte> key = stackalloc byte[AnswerCache.MostKeyBytes];
        var question = AnswerCache.Key(name, query.Type, query.DnssecOk, IsCheckingDisabled(query), key);
        var answer = _cache.Find(question, out ageSeconds);
        if (answer is not null && answer.TryBeginRefresh(ageSeconds))
        {
            var (wanted, kept) = (QuestionOf(name, query), question.ToArray());
            _ = Task.Run(() => AskAsync(wanted, kept, asker: null));
        }
        return answer;
    }

    /// <summary>Asks. Never fails: when nobody answers, that is the answer.</summary>
    /// <param name="asker">Whose question it is; null: our own.</param>
    public Task<ForeignAnswer> AskAsync(ForeignQuestion question, IPAddress? asker)
    {
        var key = new byte[AnswerCache.MostKeyBytes];
        return AskAsync(question, AnswerCache.Key(question.Name.Wire, question.Type, question.DnssecOk, question.CheckingDisabled, key).ToArray(), asker);
    }

    public static ForeignQuestion QuestionOf(ReadOnlySpan<byte> name, in Query query) => new(DomainName.FromWire(name), query.Type, query.DnssecOk, IsCheckingDisabled(query));

    public void Dispose()
    {
        _ending.Cancel();
        _ending.Dispose();
    }

    private static bool IsCheckingDisabled(in Query query) => (query.Flags & Header.CheckingDisabled) != 0;

    private Task<ForeignAnswer> AskAsync(ForeignQuestion question, byte[] key, IPAddress? asker)
    {
        InFlight mine;
        lock (_inFlight)
        {
            if (_inFlight.TryGetValue(key, out var same))
            {
                if (asker is not null && same.Servers.Has(asker))
                {
                    OnLoop?.Invoke(question.Name, asker);
                    return Task.FromResult(ForeignAnswer.Failure(_options, _time.GetTimestamp()));
                }
                return same.Answer.Task;
            }
            if (_inFlight.Count >= _options.MostInFlight)
            {
                return Task.FromResult(ForeignAnswer.Failure(_options, _time.GetTimestamp()));
            }
            mine = new InFlight(ServersFor(question.Name));
            _inFlight[key] = mine;
        }
        _ = RunAsync(mine, question, key);
        return mine.Answer.Task;
    }

    private async Task RunAsync(InFlight mine, ForeignQuestion question, byte[] key)
    {
        ForeignAnswer answer;
        try
        {
            var message = await mine.Servers.AskAsync(question, _ending.Token);
            var at = _time.GetTimestamp();
            answer = message is null ? ForeignAnswer.Failure(_options, at) : ForeignAnswer.Of(message, _options, at);
            _cache.Put(key, answer);
        }
        catch (OperationCanceledException)
        {
            answer = ForeignAnswer.Failure(_options, _time.GetTimestamp());
        }
        lock (_inFlight)
        {
            _inFlight.Remove(key);
        }
        mine.Answer.TrySetResult(answer);
    }

    private UpstreamGroup ServersFor(DomainName name)
    {
        foreach (var (domain, servers) in _stubs)
        {
            if (name.IsWithin(domain))
            {
                return servers;
            }
        }
        return _upstreams;
    }

    private sealed class InFlight(UpstreamGroup servers)
    {
        public UpstreamGroup Servers { get; } = servers;

        public TaskCompletionSource<ForeignAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
