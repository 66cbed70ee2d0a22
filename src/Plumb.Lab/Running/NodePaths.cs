namespace Plumb.Lab.Running;

/// <summary>Where a node of a lab keeps what a machine keeps in <c>/var/lib/plumb</c>, <c>/run/plumb</c> and <c>/etc/cni/net.d</c>.</summary>
internal sealed record NodePaths(RunPaths Lab, string Node)
{
    public string Directory => Path.Combine(Lab.Directory, Node);

    public string AgentState => Path.Combine(Directory, "agent");

    public string CniSocket => Path.Combine(Directory, "cni.sock");

    /// <summary>Those of all nodes are beside one another, and nothing else is there: one watcher watches them all.</summary>
    public string CniConfiguration => Path.Combine(Lab.CniDirectory, Node);

    /// <summary>What plugins that are executed find as <c>/var/lib</c>.</summary>
    public string PluginState => Path.Combine(Directory, "var-lib");

    /// <summary>What plugins that are executed find as <c>/run</c>.</summary>
    public string PluginRun => Path.Combine(Directory, "run");

    /// <summary>What ADDs of pods came to, as libcni keeps it in <c>/var/lib/cni/results</c>.</summary>
    public string CniResults => Path.Combine(Directory, "cni-results");

    public void Make()
    {
        RunDirectory.MakeDirectory(Directory);
        RunDirectory.MakeDirectory(AgentState);
        RunDirectory.MakeDirectory(PluginState);
        RunDirectory.MakeDirectory(PluginRun);
        RunDirectory.MakeDirectory(CniConfiguration);
    }
}
