using System.CommandLine;
using System.Security.Cryptography;
using Plumb.CommandLine;
using Plumb.Diagnosis.Snapshots;
using Plumb.Diagnosis.Snapshots.Redaction;
using Plumb.Output;
using Plumb.Scenes;
using Plumb.Snapshots;

namespace Plumb.Commands;

/// <summary>`plumb snapshot`: a network in a file, to be looked at elsewhere and later.</summary>
internal sealed class SnapshotCommand : Verb
{
    private readonly Option<string?> _file = new("--output", "-o") { HelpName = "FILE", Description = "where it goes; - is standard output (default net.plumb)" };
    private readonly Flag _force = new("--force", "take the place of a file that is there");
    private readonly Flag _redact = new("--redact", "other names and addresses in the place of all, each the same everywhere");
    private readonly SceneOptions _scene = new();

    public SnapshotCommand()
        : base("snapshot", "write all that a diagnosis needs into one file: kernels, objects, plans")
    {
        Options.Add(_file);
        Options.Add(_force);
        Options.Add(_redact);
        _scene.AddLiveTo(this);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb snapshot -o net.plumb", "state of all namespaces, objects without secrets, plans; docs/snapshot.md describes the file"),
        new("plumb trace --from net.plumb client http://website", "elsewhere, later, offline"),
        new("plumb snapshot --redact -o net.plumb", "to be sent to somebody who shall not know whose network it is"),
        new("plumb snapshot -o - | ssh colleague 'cat >net.plumb'", "into a pipe"),
    ];

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var path = invocation.Parsed.GetValue(_file) ?? "net.plumb";
        using var interrupt = new Interrupt();
        using IScene scene = _scene.OpenLive(invocation);
        SnapshotResult? taken = null;
        try
        {
            var bytes = await SnapshotFile.WriteAsync(
                path, invocation.IsOn(_force), async to => taken = await TakeAsync(scene, to, invocation, interrupt.Token));
            taken = taken! with { File = path == "-" ? null : path, Bytes = bytes };
        }
        catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
        {
            return interrupt.Code;
        }
        catch (IOException) when (path == "-")
        {
            throw new SnapshotException("-o -: whoever reads has had enough; the snapshot is not whole");
        }
        Write(taken, invocation.Terminal.Error, invocation.Terminal.ErrorStyle);
        return ExitCode.Done;
    }

    private async Task<SnapshotResult> TakeAsync(IScene scene, Stream to, Invocation invocation, CancellationToken cancel)
    {
        if (!invocation.IsOn(_redact))
        {
            return await SnapshotTaking.TakeAsync(scene, scene.Name, to, invocation.Time, cancel);
        }
        // All names have to be known before the first is written.
        using var plain = new MemoryStream();
        var taken = await SnapshotTaking.TakeAsync(scene, scene.Name, plain, invocation.Time, cancel);
        Redaction.Write(plain, to, RandomNumberGenerator.GetBytes(Redaction.KeyBytes));
        return taken;
    }

    // To standard error: standard output may be the file.
    private static void Write(SnapshotResult taken, TextWriter to, Style style)
    {
        var size = taken.Bytes is { } bytes ? $"{taken.File}: {bytes / 1024.0:0} KiB, " : "";
        to.WriteLine($"{size}{taken.Namespaces} namespaces, {taken.Entries} entries, {taken.Objects} objects");
        foreach (var line in taken.Missing)
        {
            to.WriteLine(style.Warning($"left out: {line}"));
        }
    }
}
