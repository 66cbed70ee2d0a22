using Plumb.Lab.Node;
using Plumb.Lab.Running;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Lab.Agents;

/// <summary>
/// An agent as a process of its own, in its node's network namespace and with nothing but a kubeconfig, as on a machine. When it
/// ends, another is started, as an init system would.
/// </summary>
internal sealed class AgentProcess : INodeAgent
{
    private static readonly TimeSpan MostSilence = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(10);

    public const string ServicesOption = "--services";

    private readonly HttpClient _http;
    private SpawnRequest _request;
    private readonly string _node;
    private readonly LabLog _log;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private SpawnedProcess? _process;

    public AgentProcess(string node, NetworkNamespace network, string socket, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, LabLog log, TimeProvider time)
    {
        _node = node;
        _http = UnixHttp.ClientOf(socket);
        _log = log;
        _time = time;
        _request = new SpawnRequest(command[0])
        {
            Arguments = [.. command.Skip(1)],
            Environment = environment,
            Output = SpawnStream.Pipe,
            Error = SpawnStream.Pipe,
            Namespaces = new SpawnNamespaces { Network = network },
        };
        _running = RunAsync();
    }

    public int? ProcessId => Volatile.Read(ref _process)?.Pid;

    public async Task<IReadOnlyList<string>> SetServicesAsync(ServicesKind services, CancellationToken cancel)
    {
        var kind = services.ToString().ToLowerInvariant();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _stop.Token);
        var since = _time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var answer = await _http.PostAsync(new Uri($"services?kind={kind}", UriKind.Relative), content: null, either.Token);
                var said = await answer.Content.ReadAsStringAsync(either.Token);
                if (!answer.IsSuccessStatusCode)
                {
                    throw new LabException(said);
                }
                StartNextWith(kind);
                return said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            }
            catch (HttpRequestException silent) when (_time.GetElapsedTime(since) < MostSilence)
            {
                // It ended, or has not begun to listen: the next one does it when it starts, and says so.
                StartNextWith(kind);
                if (attempt == 0)
                {
                    _log.Write(_node, $"the agent does not answer and is started again: {silent.Message}");
                    Volatile.Read(ref _process)?.Kill();
                }
                await Task.Delay(BetweenAttempts, _time, either.Token);
            }
            catch (HttpRequestException silent)
            {
                throw new LabException($"the agent of {_node} does not answer: {silent.Message}", silent);
            }
        }
    }

    private void StartNextWith(string services)
    {
        var arguments = _request.Arguments.ToArray();
        arguments[Array.IndexOf(arguments, ServicesOption) + 1] = services;
        Volatile.Write(ref _request, _request with { Arguments = arguments });
    }

    public async Task<bool> DepartedAsync(ValueList<IpAddress> addresses, CancellationToken cancel)
    {
        var question = new Uri($"departed?address={string.Join("&address=", addresses)}", UriKind.Relative);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _stop.Token);
        while (true)
        {
            try
            {
                return await _http.GetStringAsync(question, either.Token) == "true";
            }
            catch (HttpRequestException)
            {
                // It ended, and the kernel leads where it did until the next one begins.
                await Task.Delay(BetweenAttempts, _time, either.Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Volatile.Read(ref _process)?.Kill();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var backOff = new BackOff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10));
        while (!_stop.IsCancellationRequested)
        {
            var since = _time.GetTimestamp();
            await RunOnceAsync();
            if (_time.GetElapsedTime(since) > StableAfter)
            {
                backOff = new BackOff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10));
            }
            await Task.Delay(backOff.Delay, _time, _stop.Token);
            backOff.Next();
        }
    }

    private async Task RunOnceAsync()
    {
        try
        {
            using var process = Spawn.Start(Volatile.Read(ref _request));
            Volatile.Write(ref _process, process);
            if (_stop.IsCancellationRequested)
            {
                process.Kill();
            }
            _ = CopyAsync(process.Output!);
            _ = CopyAsync(process.Error!);
            var status = await process.Exited;
            Volatile.Write(ref _process, null);
            if (!_stop.IsCancellationRequested)
            {
                _log.Write(_node, $"the agent ended ({status}) and is started again");
            }
        }
        catch (SystemCallException refused)
        {
            _log.Write(_node, $"the agent cannot be started: {refused.Message}");
        }
    }

    private async Task CopyAsync(Stream said)
    {
        try
        {
            using var reader = new StreamReader(said);
            while (await reader.ReadLineAsync(_stop.Token) is { } line)
            {
                _log.Write(_node, line);
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The process is gone, and what it had to say with it.
        }
    }
}
