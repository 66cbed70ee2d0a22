using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Lab;

namespace Plumb.Scenes;

/// <summary>By what a command is told which scene it looks at.</summary>
internal sealed class SceneOptions
{
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();

    private readonly Option<string?> _from = new("--from") { HelpName = "FILE", Description = "look at a network as it was when `plumb snapshot` wrote this file, not at a lab" };

    public void AddTo(Verb verb)
    {
        AddFromTo(verb);
        AddLiveTo(verb);
    }

    /// <summary>For a command that looks at no lab.</summary>
    public void AddFromTo(Verb verb) => verb.Options.Add(_from);

    /// <summary>For a command that goes where it looks.</summary>
    public void AddLiveTo(Verb verb) => verb.Options.Add(_name);

    /// <summary>The lab that is looked at; null: it is a file.</summary>
    public LabName? Lab(Invocation invocation) => invocation.Parsed.GetValue(_from) is null ? invocation.Lab(_name) : null;

    /// <exception cref="LabException">There is no such scene.</exception>
    /// <exception cref="Diagnosis.Snapshots.SnapshotException">The file cannot be read.</exception>
    public IScene Open(Invocation invocation)
    {
        if (Snapshot(invocation) is not { } snapshot)
        {
            return OpenLive(invocation);
        }
        return invocation.IsGiven(_name) ? throw new UsageException("--from looks at a file and --name at a lab that runs: choose one") : snapshot;
    }

    /// <summary>The snapshot that was asked for; null: none.</summary>
    /// <exception cref="Diagnosis.Snapshots.SnapshotException">The file cannot be read.</exception>
    public IScene? Snapshot(Invocation invocation) => invocation.Parsed.GetValue(_from) is { } file ? SnapshotScene.Open(file) : null;

    /// <exception cref="LabException">There is no such scene.</exception>
    public ILiveScene OpenLive(Invocation invocation) => LabScene.Open(invocation.Lab(_name), invocation.Time);
}
