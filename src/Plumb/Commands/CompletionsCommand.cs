using System.CommandLine;
using Plumb.CommandLine;

namespace Plumb.Commands;

/// <summary>`plumb completions SHELL`: a script that teaches a shell to complete plumb's commands and options.</summary>
internal sealed class CompletionsCommand : Verb
{
    private readonly Argument<string?> _shell = new("SHELL") { Description = "bash, zsh or fish" };

    public CompletionsCommand()
        : base("completions", "print a completion script for bash, zsh or fish")
    {
        Arguments.Add(_shell);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("source <(plumb completions bash)", "in this bash"),
        new("plumb completions zsh > ~/.zfunc/_plumb", "in every zsh whose fpath has ~/.zfunc"),
        new("plumb completions fish > ~/.config/fish/completions/plumb.fish", "in every fish"),
    ];

    public override Task<int> RunAsync(Invocation invocation)
    {
        var shell = invocation.Value(_shell)!;
        var script = shell switch
        {
            "bash" => Completions.Bash(),
            "zsh" => Completions.Zsh(),
            "fish" => Completions.Fish(),
            _ => throw new UsageException($"'{shell}' is none of: bash, zsh, fish"),
        };
        invocation.Terminal.Out.Write(script);
        return Task.FromResult(ExitCode.Done);
    }
}
