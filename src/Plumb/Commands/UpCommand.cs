using Plumb.CommandLine;
using Plumb.Lab;

namespace Plumb.Commands;

/// <summary>`plumb up`: a cluster on this machine.</summary>
internal sealed class UpCommand : Verb
{
    private readonly UpOptions _options = new();

    public UpCommand()
        : base("up", "make a cluster on this machine: nodes, pods, network and API")
    {
        _options.AddTo(this);
    }

    public override string Tail => "[-- COMMAND…]";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb up", "three empty nodes, until Ctrl-C"),
        new("plumb up -f labs/first-packet", "with the pods of a lesson"),
        new("plumb up --name blue --overlay routed --detach", "a second lab, in the background"),
        new("plumb up -f app.yaml -- ./integration-tests", "run a command against it, then take all down and exit as it did"),
        new("kubectl kustomize app | plumb up -f -", "manifests from another program"),
    ];

    public override Task<int> RunAsync(Invocation invocation)
    {
        var lab = _options.ToLab(invocation);
        throw new LabException($"this version cannot start the lab '{lab.Name}' yet");
    }
}
