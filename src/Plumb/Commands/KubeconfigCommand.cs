using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Lab.Running;
using Plumb.Output;

namespace Plumb.Commands;

/// <summary>`plumb kubeconfig`: where the lab's kubeconfig is.</summary>
internal sealed class KubeconfigCommand : Verb
{
    private readonly Argument<string?> _argument = CommonOptions.NameArgument();
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    public KubeconfigCommand()
        : base("kubeconfig", "print the path of a running lab's kubeconfig")
    {
        Arguments.Add(_argument);
        Options.Add(_name);
        Options.Add(_output);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("export KUBECONFIG=$(plumb kubeconfig)", "kubectl speaks to the lab from now on"),
        new("kubectl --kubeconfig \"$(plumb kubeconfig blue)\" get pods", "to the lab named blue, once"),
    ];

    public override Task<int> RunAsync(Invocation invocation)
    {
        var name = invocation.Lab(_name, _argument);
        var path = LabClient.KubeconfigOf(name, invocation.Time);
        Printer.Print(new KubeconfigResult(name.ToString(), path), static () => ResultJson.Default.KubeconfigResult, invocation, _output, static (result, to, _) => to.WriteLine(result.Path));
        return Task.FromResult(ExitCode.Done);
    }
}

/// <param name="Path">Of the file, absolute.</param>
internal sealed record KubeconfigResult(string Lab, string Path);
