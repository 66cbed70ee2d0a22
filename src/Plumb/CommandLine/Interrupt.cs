using System.Runtime.InteropServices;

namespace Plumb.CommandLine;

/// <summary>Ctrl-C and its like as a cancellation, so that what was begun is taken down before the process ends.</summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _signals;

    public Interrupt()
    {
        _signals = [Register(PosixSignal.SIGINT), Register(PosixSignal.SIGTERM), Register(PosixSignal.SIGHUP)];
    }

    public CancellationToken Token => _source.Token;

    /// <summary>The signal that came first, if one did.</summary>
    public PosixSignal? Signal { get; private set; }

    /// <summary>128 + the signal's number, as shells have it.</summary>
    public int Code => Signal switch
    {
        PosixSignal.SIGTERM => ExitCode.Terminated,
        PosixSignal.SIGHUP => ExitCode.HungUp,
        _ => ExitCode.Interrupted,
    };

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
        // The source has nothing to give back, and one who was interrupted twice may still be at it.
    }

    private PosixSignalRegistration Register(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Signal ??= signal;
        _source.Cancel();
    });
}
