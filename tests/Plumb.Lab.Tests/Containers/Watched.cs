using System.IO.Pipelines;
using System.Text;
using System.Threading.Channels;
using Plumb.Api.Streaming;
using Plumb.Lab.Containers;
using Plumb.Lab.Tests.Workloads;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Tests.Containers;

/// <summary>A container in a <see cref="Place"/>, with every status that it had.</summary>
internal sealed class Watched : IAsyncDisposable
{
    private readonly ContainerRuntime _runtime;
    private readonly Channel<ContainerStatus> _statuses = Channel.CreateUnbounded<ContainerStatus>();

    public Watched(Place place, ContainerSpec spec, TimeProvider? time = null, bool start = true, ControlGroup? group = null)
    {
        _runtime = new ContainerRuntime(place.Files, ["plumb"], time ?? TimeProvider.System, group: group);
        Container = _runtime.Create(place.Pod, spec, (_, status) => _statuses.Writer.TryWrite(status));
        if (start)
        {
            Container.Start();
        }
    }

    public IContainer Container { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask<ContainerStatus> NextAsync() => _statuses.Reader.ReadAsync(Cancel);

    public async Task<ContainerStatus> NextAsync(ContainerPhase phase)
    {
        ContainerStatus status;
        while ((status = await NextAsync()).Phase != phase)
        {
        }

        return status;
    }

    public async Task<string> LogsAsync(bool follow = false, long? tail = null, bool previous = false, bool timestamps = false)
    {
        var text = new MemoryStream();
        await Container.LogAsync(new LogRequest("c", follow, previous, null, tail, null, timestamps), text, Cancel);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    public async Task<(int Code, string Output, string Error)> ExecAsync(string input, params string[] command)
    {
        var (output, error) = (new MemoryStream(), new MemoryStream());
        var streams = new CommandStreams(new MemoryStream(Encoding.UTF8.GetBytes(input)), output, error, null);
        var outcome = await Container.ExecAsync(new ExecRequest("c", command, Terminal: false), streams, Cancel);
        return (outcome.ExitCode, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));
    }

    public async ValueTask DisposeAsync()
    {
        await Container.DisposeAsync();
        await _runtime.DisposeAsync();
    }
}

/// <summary>A terminal as a client has it: what it types and what it sees.</summary>
internal sealed class Keyboard
{
    private readonly Pipe _typed = new();
    private readonly Pipe _seen = new();
    private readonly Channel<TerminalSize> _sizes = Channel.CreateUnbounded<TerminalSize>();

    public Keyboard() => Streams = new CommandStreams(_typed.Reader.AsStream(), _seen.Writer.AsStream(), null, _sizes.Reader);

    public CommandStreams Streams { get; }

    public void Resize(ushort columns, ushort rows) => _sizes.Writer.TryWrite(new TerminalSize(columns, rows));

    public async Task TypeAsync(string text) => await _typed.Writer.WriteAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>Reads until the text has come; returns all that was read.</summary>
    public async Task<string> SeeAsync(string text)
    {
        var all = "";
        var buffer = new byte[4096];
        var stream = _seen.Reader.AsStream(leaveOpen: true);
        while (!all.Contains(text, StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
            Assert.True(count > 0, $"the end came before \"{text}\": {all}");
            all += Encoding.UTF8.GetString(buffer, 0, count);
        }

        return all;
    }
}
