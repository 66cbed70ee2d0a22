using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Installing;
using Plumb.Lab;
using Plumb.Lab.Running;

namespace Plumb.Scenes;

/// <summary>By what a command is told which scene it looks at.</summary>
internal sealed class SceneOptions
{
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();
    private readonly Flag _local = new("--local", "this machine itself, whoever has made its network: its kernel and containers, and what its agent knows, if it has one; by itself where no lab runs");
    private readonly Option<string?> _socket = AgentSocket.Option();

    private readonly Option<string?> _from = new("--from") { HelpName = "FILE", Description = "look at a network as it was when `plumb snapshot` wrote this file, not at a lab" };

    public void AddTo(Verb verb)
    {
        AddFromTo(verb);
        AddLiveTo(verb);
    }

    /// <summary>For a command that looks at no lab.</summary>
    public void AddFromTo(Verb verb) => verb.Options.Add(_from);

    /// <summary>For a command that goes where it looks.</summary>
    public void AddLiveTo(Verb verb)
    {
        verb.Options.Add(_name);
        verb.Options.Add(_local);
        verb.Options.Add(_socket);
    }

    /// <summary>The lab that is looked at; null: it is a file, or this machine.</summary>
    public LabName? Lab(Invocation invocation) => invocation.Parsed.GetValue(_from) is null && !IsMachine(invocation) ? invocation.Lab(_name) : null;

    /// <exception cref="LabException">There is no such scene.</exception>
    /// <exception cref="Diagnosis.Snapshots.SnapshotException">The file cannot be read.</exception>
    public IScene Open(Invocation invocation)
    {
        if (Snapshot(invocation) is not { } snapshot)
        {
            return OpenLive(invocation);
        }
        return invocation.IsOn(_local) || invocation.IsGiven(_socket) ? throw new UsageException("--from looks at a file and --local or --socket at this machine: choose one")
            : invocation.IsGiven(_name) ? throw new UsageException("--from looks at a file and --name at a lab that runs: choose one") : snapshot;
    }

    /// <summary>The snapshot that was asked for; null: none.</summary>
    /// <exception cref="Diagnosis.Snapshots.SnapshotException">The file cannot be read.</exception>
    public IScene? Snapshot(Invocation invocation)
    {
        if (invocation.Parsed.GetValue(_from) is not { } file)
        {
            return null;
        }
        var snapshot = SnapshotScene.Open(file);
        foreach (var line in snapshot.Missing)
        {
            Warn(invocation, $"left out of {file}: {line}");
        }
        return snapshot;
    }

    /// <exception cref="LabException">There is no such scene.</exception>
    public ILiveScene OpenLive(Invocation invocation)
    {
        if (!IsMachine(invocation))
        {
            return LabScene.Open(invocation.Lab(_name), invocation.Time);
        }
        return !invocation.IsOn(_local) && !invocation.IsGiven(_socket) ? Machine(invocation, "this machine (no lab runs; `plumb up` starts one)")
            : invocation.Value(_name) is null ? Machine(invocation, "this machine")
            : throw new UsageException("--local and --socket look at this machine and --name at a lab that runs: choose one");
    }

    // By itself where nobody has named a lab, and none runs.
    private bool IsMachine(Invocation invocation) =>
        invocation.IsOn(_local) || invocation.IsGiven(_socket)
        || (invocation.Home is null && invocation.Value(_name) is null && Environment.GetEnvironmentVariable(CommonOptions.LabVariable) is not { Length: > 0 } && LabClient.Running().Length == 0);

    // With its agent if it has one.
    private ILiveScene Machine(Invocation invocation, string title)
    {
        var agent = AgentSocket.Find(invocation.Parsed.GetValue(_socket), line => Warn(invocation, line));
        ILiveScene scene = agent is null ? new MachineScene(title) : new NodeScene(agent);
        foreach (var line in scene is NodeScene node ? node.Unseen : ((MachineScene)scene).Unseen)
        {
            Warn(invocation, line);
        }
        return scene;
    }

    private static void Warn(Invocation invocation, string line) => invocation.Terminal.Error.WriteLine(invocation.Terminal.ErrorStyle.Warning(line));
}
