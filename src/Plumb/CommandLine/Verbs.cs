using System.CommandLine;
using Plumb.Commands;
using Plumb.Installing;

namespace Plumb.CommandLine;

/// <summary>The list of commands. One that is named is built alone: the other trees would cost more than most commands do.</summary>
internal static class Verbs
{
    private static readonly (string Name, Func<Verb> Make)[] All =
    [
        ("up", static () => new UpCommand()),
        ("down", static () => new DownCommand()),
        ("status", static () => new StatusCommand()),
        ("set", static () => new SetCommand()),
        ("store", static () => new StoreCommand()),
        ("kubeconfig", static () => new KubeconfigCommand()),
        ("shell", static () => new ShellCommand()),
        ("plan", static () => new PlanCommand()),
        ("trace", static () => new TraceCommand()),
        ("explain", static () => new ExplainCommand()),
        ("capture", static () => new CaptureCommand()),
        ("mirror", static () => new MirrorCommand()),
        ("snapshot", static () => new SnapshotCommand()),
        ("whatif", static () => new WhatifCommand()),
        ("image", static () => new ImageCommand()),
        ("agent", static () => new AgentCommand()),
        ("manifests", static () => new ManifestsCommand()),
        ("completions", static () => new CompletionsCommand()),
    ];

    public static IEnumerable<string> Names => All.Select(static v => v.Name);

    public static Verb? Find(string name)
    {
        foreach (var (known, make) in All)
        {
            if (known == name)
            {
                return make();
            }
        }
        return null;
    }

    public static IReadOnlyList<Verb> Every() => [.. All.Select(static v => v.Make())];
}
