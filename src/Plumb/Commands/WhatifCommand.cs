using Plumb.CommandLine;
using Plumb.Kubernetes.Manifests;
using Plumb.Lab;
using Plumb.Output;
using Plumb.Scenes;
using Plumb.Whatif;

namespace Plumb.Commands;

/// <summary>`plumb whatif`: what a change would do, before anybody makes it.</summary>
internal sealed class WhatifCommand : Verb
{
    private readonly ListOption _files = ListOption.Manifests();
    private readonly ListOption _deletions = new("--delete", [], "KIND/[NAMESPACE/]NAME", "an object that would be deleted, with what it owns; may be given several times", static _ => null);
    private readonly SceneOptions _scene = new();
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    public WhatifCommand()
        : base("whatif", "say what a change would do to entries, connections and who reaches whom; nothing is changed")
    {
        Options.Add(_files);
        Options.Add(_deletions);
        _scene.AddTo(this);
        Options.Add(_output);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb whatif -f service.yaml", "a Service with another selector: whom it would break"),
        new("plumb whatif --delete pod/db-0", "connections that end with a pod, and Services that lose it"),
        new("plumb whatif --from net.plumb -f new.yaml -o json", "over a snapshot, for a program; exit code 1 if something that works would break"),
    ];

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var (files, deletions) = (invocation.Values(_files), invocation.Values(_deletions));
        if (files.Length + deletions.Length == 0)
        {
            throw new UsageException("what would change? -f FILE, or --delete KIND/NAME");
        }
        var manifests = new List<Manifest>();
        foreach (var path in files)
        {
            using var standardInput = path == "-" ? Console.OpenStandardInput() : null;
            manifests.AddRange(ManifestReader.Read(path, standardInput));
        }
        using var scene = _scene.Open(invocation);
        var network = scene.Network ?? throw new LabException($"{scene.Title} does not say how its cluster's network was to be: nothing can be planned");
        var objects = await scene.ObjectsAsync(CancellationToken.None).ToListAsync();
        var result = await Comparison.MakeAsync(scene, network, objects, ChangedObjects.Make(objects, manifests, deletions, network));
        Printer.Print(result, static () => ResultJson.Default.WhatifResult, invocation, _output, WhatifText.Write);
        return result.Breaks ? ExitCode.Failed : ExitCode.Done;
    }
}
