using Plumb.CommandLine;
using Plumb.Lab;

namespace Plumb.Scenes;

/// <summary>By what a command is told which scene it looks at.</summary>
internal sealed class SceneOptions
{
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();

    public void AddTo(Verb verb) => verb.Options.Add(_name);

    /// <summary>The lab that is looked at.</summary>
    public LabName? Lab(Invocation invocation) => invocation.Lab(_name);

    /// <exception cref="LabException">There is no such scene.</exception>
    public IScene Open(Invocation invocation) => OpenLive(invocation);

    /// <exception cref="LabException">There is no such scene.</exception>
    public ILiveScene OpenLive(Invocation invocation) => LabScene.Open(invocation.Lab(_name), invocation.Time);
}
