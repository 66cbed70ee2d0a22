using Plumb.Lab;

namespace Plumb.Output;

/// <summary>
/// A lab's start as it happens, on standard error: one line a step, with the time at which it was reached. On a terminal a step that counts is
/// drawn again in place; elsewhere each step is said once, when it is complete.
/// </summary>
internal sealed class StartView(Terminal terminal) : IProgress<LabProgress>
{
    private readonly Lock _lock = new();
    private LabStep? _open;

    public void Report(LabProgress value)
    {
        if (Describe(value) is not { } line)
        {
            return;
        }
        var complete = value.Done >= value.Total;
        lock (_lock)
        {
            if (!terminal.ErrorIsTerminal)
            {
                if (complete)
                {
                    terminal.Error.WriteLine($"{line}  {value.Elapsed.TotalSeconds:0.00} s");
                }
                return;
            }
            if (_open is { } open && open != value.Step)
            {
                terminal.Error.WriteLine();
            }
            var mark = complete ? terminal.ErrorStyle.Good("✓") : terminal.ErrorStyle.Quiet("·");
            terminal.Error.Write($"\r\e[K{mark} {line}  {terminal.ErrorStyle.Quiet($"{value.Elapsed.TotalSeconds:0.00} s")}");
            _open = value.Step;
            if (complete)
            {
                terminal.Error.WriteLine();
                _open = null;
            }
            terminal.Error.Flush();
        }
    }

    private static string? Describe(LabProgress progress)
    {
        var word = progress.Step switch
        {
            LabStep.Api => "API answers",
            LabStep.Wire => "wire",
            LabStep.Nodes => "nodes Ready",
            LabStep.Manifests => "objects applied",
            LabStep.Pods => "pods Ready",
            _ => null,
        };
        if (word is null)
        {
            return null;
        }
        var counted = progress.Total > 0 ? $"{word} {progress.Done}/{progress.Total}" : word;
        return progress.Detail is { Length: > 0 } detail ? $"{counted}  {detail}" : counted;
    }
}
