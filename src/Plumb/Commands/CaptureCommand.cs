using System.CommandLine;
using Plumb.Capture;
using Plumb.CommandLine;
using Plumb.Diagnosis.Capture;
using Plumb.Lab;
using Plumb.Scenes;

namespace Plumb.Commands;

/// <summary>`plumb capture`: the packets of a pod, a Service or all, at every place that they pass, on one time line.</summary>
internal sealed class CaptureCommand : Verb
{
    private const int WholeFrame = 0x4_0000;

    private readonly Argument<string?> _source = new("SRC") { Description = "whose packets: a pod, a node, outside, or an address; everybody's if it is left out", Arity = ArgumentArity.ZeroOrOne };
    private readonly Argument<string?> _destination = new("DST") { Description = "and with whom: the same, or a Service, as NAME or NAMESPACE/NAME", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _write = new("--write", "-w") { HelpName = "FILE", Description = "a pcapng file, for Wireshark; - for standard output" };
    private readonly Flag _force = new("--force", "write over a FILE that is there");
    private readonly ValueOption<long> _count = new("--count", ["-c"], "N", "end after so many frames", static text => Read.Number(text, 1, long.MaxValue), long.MaxValue);
    private readonly ValueOption<TimeSpan?> _for = new("--for", [], "SECONDS", "end after so long", Read.Seconds, null);
    private readonly ValueOption<long> _snap = new("--snaplen", ["-s"], "BYTES", "keep so much of each frame", static text => Read.Number(text, 64, WholeFrame), WholeFrame, "all");
    private readonly ValueOption<long> _buffer = new("--buffer", ["-B"], "MB", "room in the kernel for each namespace", static text => Read.Number(text, 1, 1024), 4, "4");
    private readonly SceneOptions _scene = new();

    public CaptureCommand()
        : base("capture", "catch packets at every place that they pass, into one file or on the screen")
    {
        Arguments.Add(_source);
        Arguments.Add(_destination);
        foreach (var option in (Option[])[_write, _force, _count, _for, _snap, _buffer])
        {
            Options.Add(option);
        }
        _scene.AddLiveTo(this);
    }

    public override string Tail => "[-- EXPRESSION]";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb capture client website", "on the screen: each place, and what was rewritten since the last"),
        new("plumb capture client website -w f.pcapng", "for Wireshark, with names and comments, until Ctrl-C"),
        new("plumb capture outside node-2 --for 10 -- tcp port 31100", "ten seconds of one node port, in tcpdump's words"),
        new("plumb capture -w - | tshark -r - -Y dns", "everything on all nodes, into another tool"),
    ];

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var (expression, compile) = Filter(invocation.Tail is { Count: > 0 } words ? string.Join(' ', words) : null);
        var file = invocation.Parsed.GetValue(_write);
        if (file is not null and not "-" && File.Exists(file) && !invocation.IsOn(_force))
        {
            throw new UsageException($"-w: {file} is there already; name another file, or add --force");
        }
        using var scene = _scene.OpenLive(invocation);
        using var interrupt = new Interrupt();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interrupt.Token);
        var ends = await CaptureEnds.FindAsync(scene, invocation.Value(_source), invocation.Value(_destination), stop.Token);
        using var places = CapturePlaces.Open(scene, ends, (int)invocation.Value(_buffer) << 20, (int)invocation.Value(_snap), compile);
        var to = invocation.Terminal;
        var frames = 0L;
        try
        {
            await using var output = file is null ? null : Output(file);
            var sink = output is null
                ? (ICaptureSink)new CaptureText(to.Out, to.Style, places.Rings.Max(static one => one.Namespace.Name.Length) + "/vethxxxxxxxx".Length)
                : new PcapngSink(output, ends.Names, places.Describe, (int)invocation.Value(_snap), invocation.Time);
            var session = new CaptureSession(
                places.Rings, new CaptureSelection(ends.Source, ends.Destination, expression), ends.Names, places.DeviceOf, CapturePlaces.VxlanPort, sink, invocation.Time);
            to.Error.WriteLine(to.ErrorStyle.Quiet($"capturing in {places.Rings.Count} namespaces; Ctrl-C ends it"));
            if (invocation.Value(_for) is { } time)
            {
                stop.CancelAfter(time);
            }
            // A thread of its own: it waits in the kernel.
            await Task.Factory.StartNew(() => session.Run(invocation.Value(_count), stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            frames = session.Frames;
        }
        catch (IOException) when (file is null or "-")
        {
            // Whoever reads has had enough.
            return ExitCode.Done;
        }
        catch (IOException full)
        {
            throw new LabException($"{file} cannot be written any further: {full.Message}", full);
        }
        var dropped = places.Rings.Sum(static one => one.Ring.Dropped);
        to.Error.WriteLine($"{frames} frames{(file is null or "-" ? "" : $" in {file}")}, {dropped} dropped for want of room{(dropped > 0 ? " (--buffer gives more)" : "")}");
        return ExitCode.Done;
    }

    private static Stream Output(string file)
    {
        if (file == "-")
        {
            return Console.OpenStandardOutput();
        }
        try
        {
            return new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"-w: {file} cannot be written: {refused.Message}", refused);
        }
    }

    /// <summary>The part of the language that is ours looks into tunnels, too; what goes beyond it is compiled by tcpdump, for frames as they are.</summary>
    private static (FilterExpression? Expression, string? ForTcpdump) Filter(string? text)
    {
        if (text is null)
        {
            return (null, null);
        }
        if (FilterExpression.TryParse(text, out var problem) is { } own)
        {
            return (own, null);
        }
        return TcpdumpFilter.Find() is not null ? (null, text) : throw new UsageException($"{problem}; the rest of tcpdump's language needs tcpdump, which is not installed");
    }
}
