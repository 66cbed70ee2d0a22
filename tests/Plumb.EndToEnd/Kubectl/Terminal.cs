using System.Text;
using Plumb.Linux.Processes;

namespace Plumb.EndToEnd.Kubectl;

/// <summary>A person at a terminal: a program has it as its own, and what the person types and sees goes through it.</summary>
internal sealed class Terminal : IAsyncDisposable
{
    private readonly PseudoTerminal _terminal;
    private readonly SpawnedProcess _process;
    private readonly StringBuilder _seen = new();
    private readonly Lock _gate = new();
    private readonly Task _reading;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _read;

    public Terminal(IReadOnlyDictionary<string, string?> environment, int rows, int columns, string program, params IEnumerable<string> arguments)
    {
        _terminal = PseudoTerminal.Open(rows, columns);
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            all[(string)variable.Key] = (string?)variable.Value ?? "";
        }
        foreach (var (name, value) in environment)
        {
            all[name] = value ?? "";
        }
        all["TERM"] = "xterm";
        _process = Spawn.Start(new SpawnRequest(program) { Arguments = [.. arguments], Environment = all, Terminal = _terminal });
        _reading = ReadAsync();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>All that was to be seen.</summary>
    public string Seen
    {
        get
        {
            lock (_gate)
            {
                return _seen.ToString();
            }
        }
    }

    /// <summary>Returns when this has come to be seen: kubectl begins to listen for sizes in its own time, so that the first may be nobody's news.</summary>
    public async Task ResizeAsync(int rows, int columns, string text)
    {
        for (var left = 60; left > 0; left--)
        {
            _terminal.Resize(rows, columns + 1);
            _terminal.Resize(rows, columns);
            if (await FindAsync(text, TimeSpan.FromSeconds(1)))
            {
                return;
            }
        }
        Assert.Fail($"'{text}' was not to be seen within a minute, but:\n{Seen}");
    }

    public async Task TypeAsync(string text)
    {
        await _terminal.Input.WriteAsync(Encoding.UTF8.GetBytes(text), Cancel);
        await _terminal.Input.FlushAsync(Cancel);
    }

    /// <summary>Returns when this has come to be seen after what was waited for before.</summary>
    public async Task SeesAsync(string text) =>
        Assert.True(await FindAsync(text, TimeSpan.FromMinutes(1)), $"'{text}' was not to be seen within a minute, but:\n{Seen}");

    private async Task<bool> FindAsync(string text, TimeSpan time)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(time);
        while (true)
        {
            Task more;
            lock (_gate)
            {
                var found = _seen.ToString().IndexOf(text, _read, StringComparison.Ordinal);
                if (found >= 0)
                {
                    _read = found + text.Length;
                    return true;
                }
                more = _more.Task;
            }
            try
            {
                await Task.WhenAny(more, _reading).WaitAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
            {
                return false;
            }
            Assert.True(!_reading.IsCompleted || more.IsCompleted, $"'{text}' was not to be seen before the end, but:\n{Seen}");
        }
    }

    /// <summary>The program's exit code, once it and its output have ended.</summary>
    public async Task<int> EndsAsync()
    {
        var status = await _process.Exited.WaitAsync(TimeSpan.FromMinutes(1), Cancel);
        await _reading.WaitAsync(Cancel);
        return status.Code;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.Exited;
        _terminal.Dispose();
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (await _terminal.Output.ReadAsync(buffer) is var read and > 0)
            {
                lock (_gate)
                {
                    _seen.Append(Encoding.UTF8.GetString(buffer, 0, read));
                    _more.TrySetResult();
                    _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            // Closed by the test while somebody still has the other end.
        }
    }
}
