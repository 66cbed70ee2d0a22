using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Lab.Running;
using Plumb.Output;

namespace Plumb.Commands;

/// <summary>What `plumb up` becomes: the lab's own process. Nobody types it; its one argument is the lab's options as JSON.</summary>
internal static class LabProcessCommand
{
    public static Task<int> RunAsync(IReadOnlyList<string> words, Terminal terminal, TimeProvider time)
    {
        if (words.Count != 1)
        {
            throw new UsageException("this is started by `plumb up`");
        }
        var options = LabOptions.FromJson(words[0]);
        return LabProcess.RunAsync(options, new Foreground(terminal, hasCommand: options.Command.Count > 0), RunAsync, time);

        async Task<LabCommandAnswer> RunAsync(LabName lab, LabCommand command)
        {
            using var output = new StringWriter();
            using var error = new StringWriter();
            var there = new Terminal(output, error, command.OutIsTerminal, command.ErrorIsTerminal, command.Colours);
            return new LabCommandAnswer(await Dispatcher.RunAsync(command.Words, there, time, lab), output.ToString(), error.ToString());
        }
    }

    /// <summary>The start's steps, and at its end what to do next. A command's own output stays clean: steps go to standard error.</summary>
    private sealed class Foreground(Terminal terminal, bool hasCommand) : IProgress<LabProgress>
    {
        private readonly StartView _steps = new(terminal);

        public void Report(LabProgress value)
        {
            _steps.Report(value);
            if (value is { Step: LabStep.Ready, Lab: { } lab } && !hasCommand)
            {
                UpText.WriteReady(LabReport.Of(lab), terminal.Out, terminal.Style);
                terminal.Out.WriteLine(terminal.Style.Quiet("Ctrl-C ends it and leaves nothing behind"));
                terminal.Out.Flush();
            }
        }
    }
}
