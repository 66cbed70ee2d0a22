using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Lab.Running;
using Plumb.Output;

namespace Plumb.Commands;

/// <summary>`plumb down`: ends a lab and returns when nothing of it is left.</summary>
internal sealed class DownCommand : Verb
{
    private readonly Argument<string?> _argument = CommonOptions.NameArgument();
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();
    private readonly Flag _all = new("--all", "every lab of this user");
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    public DownCommand()
        : base("down", "end a lab: no process, namespace, mount, link or file is left")
    {
        Arguments.Add(_argument);
        Options.Add(_name);
        Options.Add(_all);
        Options.Add(_output);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb down", "the default lab"),
        new("plumb down blue", "the lab named blue"),
        new("plumb down --all", "all labs of this user"),
    ];

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var all = invocation.IsOn(_all);
        if (all && (invocation.IsGiven(_name) || invocation.Value(_argument) is not null))
        {
            throw new UsageException("either --all or one lab's name");
        }
        var names = all ? LabClient.Running() : [invocation.Lab(_name, _argument)];
        var ended = new List<EndedLab>();
        foreach (var name in names)
        {
            var since = invocation.Time.GetTimestamp();
            var lab = LabClient.Connect(name, invocation.Time);
            await lab.StopAsync(CancellationToken.None);
            ended.Add(new EndedLab(name.ToString(), invocation.Time.GetElapsedTime(since).TotalSeconds));
        }
        Printer.Print(new DownResult(ended), static () => ResultJson.Default.DownResult, invocation, _output, Write);
        return ExitCode.Done;
    }

    private static void Write(DownResult result, TextWriter to, Style style)
    {
        foreach (var lab in result.Labs)
        {
            to.WriteLine($"lab {style.Strong(lab.Name)} is down ({lab.Seconds:0.00} s)");
        }
        if (result.Labs.Count == 0)
        {
            to.WriteLine("no lab is running");
        }
    }
}

internal sealed record DownResult(IReadOnlyList<EndedLab> Labs);

/// <param name="Seconds">From the request until process and files were gone.</param>
internal sealed record EndedLab(string Name, double Seconds);
