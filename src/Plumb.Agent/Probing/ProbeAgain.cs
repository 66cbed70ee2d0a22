using Microsoft.Extensions.Logging;
using Plumb.Agent.Running;

namespace Plumb.Agent.Probing;

/// <summary>
/// Tries again what the kernel did not give and pods need: a module is loaded later, memory is short for a moment. Beside the loop, as a probe takes its time.
/// </summary>
internal static partial class ProbeAgain
{
    private static readonly TimeSpan _pause = TimeSpan.FromMinutes(1);

    /// <summary>Until all that is needed is there, or cancelled.</summary>
    public static async Task RunAsync(NodeAgentOptions options, IReadOnlyList<LostFeature> lost, AgentLoop loop, CancellationToken cancel)
    {
        try
        {
            while (options.Probe is { } probe && lost.Any(static one => one.IsNeeded))
            {
                await Task.Delay(_pause, options.Time, cancel);
                var now = lost = await Task.Run(() => probe(options.Cluster), cancel);
                await loop.AskAsync(state => state.Lost = now);
                if (!now.Any(static one => one.IsNeeded))
                {
                    Log.Found(options.Log);
                    // What was refused before is tried again; and whoever waits for the node is told by the round.
                    loop.Post(new AgentWork.Compare());
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The agent is ending.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1020, LogLevel.Information, "the kernel gives all that pods need, which it did not before")]
        public static partial void Found(ILogger log);
    }
}
