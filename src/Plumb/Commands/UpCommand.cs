using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Lab.Rootless;
using Plumb.Output;

namespace Plumb.Commands;

/// <summary>`plumb up`: a cluster on this machine.</summary>
internal sealed class UpCommand : Verb
{
    private readonly UpOptions _options = new();
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    public UpCommand()
        : base("up", "make a cluster on this machine: nodes, pods, network and API")
    {
        _options.AddTo(this);
        Options.Add(_output);
    }

    public override string Tail => "[-- COMMAND…]";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb up", "three empty nodes, until Ctrl-C"),
        new("plumb up -f labs/first-packet", "with the pods of a lesson"),
        new("plumb up --name blue --overlay routed --detach", "a second lab, in the background"),
        new("plumb up -f app.yaml -- ./integration-tests", "run a command against it, then take all down and exit as it did"),
        new("plumb up --from net.plumb", "a lab like the network in a snapshot, with the same objects"),
        new("kubectl kustomize app | plumb up -f -", "manifests from another program"),
    ];

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var lab = _options.ToLab(invocation) with { AskedAt = invocation.Started };
        var program = ThisProgram.CommandLine;
        if (invocation.IsOn(_options.Detach))
        {
            return await DetachAsync(lab, program, invocation);
        }
        if (invocation.IsGiven(_output))
        {
            throw new UsageException("--output goes with --detach: a lab in the foreground has no single result");
        }
        invocation.Terminal.Out.Flush();
        await LabLauncher.BecomeAsync(lab, program, CancellationToken.None);
        return ExitCode.Failed;
    }

    private async Task<int> DetachAsync(LabOptions lab, IReadOnlyList<string> program, Invocation invocation)
    {
        using var interrupt = new Interrupt();
        LabStatus status;
        try
        {
            status = await LabLauncher.StartDetachedAsync(lab, program, new StartView(invocation.Terminal), interrupt.Token);
        }
        catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
        {
            return interrupt.Code;
        }
        var report = LabReport.Of(status);
        Printer.Print(report, static () => ResultJson.Default.LabReport, invocation, _output, UpText.WriteReady);
        return ExitCode.Done;
    }
}
