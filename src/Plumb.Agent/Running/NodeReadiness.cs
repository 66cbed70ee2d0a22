using System.Text;
using Microsoft.Extensions.Logging;
using Plumb.Agent.Cni;
using Plumb.Agent.Repair;
using Plumb.Agent.Storage;

namespace Plumb.Agent.Running;

/// <summary>Tells runtimes, the API and people whether this node can wire pods: by the CNI configuration, the Node's condition, an event and the log.</summary>
internal sealed partial class NodeReadiness(NodeAgentOptions options, NodeState state, AgentLoop loop, AgentFiles files, NodeEvents events)
{
    private const string PluginProgram = "plumb-cni"; // beside this one in every build

    private readonly NetworkCondition _condition = new(options.Api, options.NodeName, options.Time, options.Log);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _configurationIsWritten;
    private string? _trouble = "";
    private int _troubles;
    private CancellationToken _ending;

    /// <summary>Completes when pods can be wired for the first time and the CNI configuration says so.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Brings the API up to what was told, until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel)
    {
        _ending = cancel;
        return _condition.RunAsync(cancel);
    }

    public void End(Exception reason)
    {
        _ready.TrySetException(reason);
        _ = _ready.Task.Exception;
    }

    /// <summary>Between two rounds of the loop.</summary>
    public void Look(bool nodesChanged)
    {
        if (nodesChanged || _trouble is not null || state.Withheld is not null)
        {
            TellTrouble();
        }
    }

    private void TellTrouble()
    {
        var trouble = NodeTrouble.Of(state);
        if (trouble is null && !_configurationIsWritten)
        {
            WriteConfiguration();
            _configurationIsWritten = true;
            _ready.TrySetResult();
        }
        // What is so before the nodes are known is no news.
        if (trouble == _trouble || !state.KnowsNodes)
        {
            return;
        }
        _trouble = trouble;
        _troubles++;
        if (trouble is null)
        {
            _condition.Tell(null);
            Log.Ready(options.Log, options.NodeName);
            return;
        }
        _ = TellIfItLastsAsync(trouble, _troubles, _ending);
    }

    private async Task TellIfItLastsAsync(string trouble, int number, CancellationToken cancel)
    {
        try
        {
            await Task.Delay(options.TroublePatience, options.Time, cancel);
            // On the loop, so that nothing newer is told before.
            await loop.AskAsync(_ =>
            {
                if (_troubles == number)
                {
                    _condition.Tell(trouble);
                    Log.ServesNoPods(options.Log, options.NodeName, trouble);
                    events.Write("NetworkUnavailable", trouble, isWarning: true);
                }
                return true;
            });
        }
        catch (OperationCanceledException)
        {
            // The agent is ending.
        }
    }

    private void WriteConfiguration()
    {
        if (options.PluginDirectory is { } plugins)
        {
            files.CreateDirectory(plugins);
            var program = Path.Combine(AppContext.BaseDirectory, PluginProgram);
            var installed = Path.Combine(plugins, options.CniPlugin);
            // containerd before 2.0 connects no pod without it; one that somebody else has put there stays. A copy: who installs another one over it would write through a link.
            var loopback = Path.Combine(plugins, CniConfigurationFile.LoopbackPlugin);
            if (!File.Exists(loopback) || FileContents.AreSame(loopback, program) || (File.Exists(installed) && FileContents.AreSame(loopback, installed)))
            {
                files.Install(program, loopback, AgentFiles.Program);
            }
            files.Install(program, installed, AgentFiles.Program);
        }
        if (options.CniConfigurationDirectory is { } directory)
        {
            files.CreateDirectory(directory);
            var text = CniConfigurationFile.Text(options.CniPlugin, options.SocketPath);
            files.Replace(Path.Combine(directory, CniConfigurationFile.Name), Encoding.UTF8.GetBytes(text), readableByAll: true);
            if (CniConfigurationFile.Before(directory) is { } other)
            {
                Log.NotFirst(options.Log, other, CniConfigurationFile.Name);
                events.Write("OtherNetworkFirst", $"{other} sorts before {CniConfigurationFile.Name}: runtimes wire new pods by that one; unless it calls Plumb, remove it if Plumb is to be this node's network", isWarning: true);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1002, LogLevel.Information, "{Node} serves pods")]
        public static partial void Ready(ILogger log, string node);

        [LoggerMessage(1013, LogLevel.Warning, "{Node} wires no pods: {Trouble}")]
        public static partial void ServesNoPods(ILogger log, string node, string trouble);

        [LoggerMessage(1014, LogLevel.Warning, "{Other} sorts before {Own}: runtimes wire new pods by that one; unless it calls Plumb, remove it if Plumb is to be this node's network")]
        public static partial void NotFirst(ILogger log, string other, string own);
    }
}
