using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Lab.Running;
using Plumb.Linux.Processes;

namespace Plumb.Commands;

/// <summary>`plumb shell`: the host's tools in the namespaces of a pod, a node or the outside client.</summary>
internal sealed class ShellCommand : Verb
{
    private readonly Argument<string?> _target = new("POD|NODE|outside") { Description = "a pod as NAME or NAMESPACE/NAME, a node, or the client outside of the cluster" };
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();
    private readonly ValueOption<EnteredNamespaces> _namespaces = new(
        "--namespaces", [], "net,pid,mount", "which namespaces to enter, with commas between", ParseNamespaces, EnteredNamespaces.Net, "net")
    {
        Offers = ["net", "pid", "mount", "net,pid", "net,mount", "net,pid,mount"],
    };

    public ShellCommand()
        : base("shell", "run the host's tools inside a pod's or a node's namespaces")
    {
        Arguments.Add(_target);
        Options.Add(_namespaces);
        Options.Add(_name);
    }

    public override string Tail => "[-- COMMAND…]";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb shell node-1", "a shell whose network is node-1's"),
        new("plumb shell node-1 -- ip -d link", "one command there"),
        new("plumb shell client -- tcpdump -ni eth0", "a tool that the pod's image need not have"),
        new("plumb shell outside -- ip route", "the client machine on the nodes' wire"),
    ];

    public override Task<int> RunAsync(Invocation invocation)
    {
        var name = invocation.Lab(_name);
        var wanted = invocation.Value(_target)!;
        var client = LabClient.Connect(name, invocation.Time);
        var lab = client.Status();
        if (lab.Phase == LabPhase.Starting && !ShellTarget.IsThere(lab, wanted))
        {
            lab = client.Ready();
        }
        var target = ShellTarget.Find(lab, wanted);
        var environment = Environment();
        var shell = environment.GetValueOrDefault("SHELL") is { Length: > 0 } preferred && File.Exists(preferred) ? preferred : "/bin/sh";
        // Bash shows this in Debian's prompt.
        environment["debian_chroot"] = target.Name;
        environment["KUBECONFIG"] = lab.Kubeconfig;
        var program = invocation.Tail ?? [shell];
        var nsenter = Nsenter.Find(environment["PATH"]);
        invocation.Terminal.Out.Flush();
        SingleUser.Pretend();
        Exec.Replace(nsenter, ["nsenter", .. target.Enter(lab, invocation.Value(_namespaces)), "--", .. program], environment);
        return Task.FromResult(ExitCode.Failed);
    }

    /// <summary>Debian's PATH of ordinary users lacks the folders of most network tools.</summary>
    private static Dictionary<string, string> Environment()
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
        {
            all[(string)variable.Key] = (string?)variable.Value ?? "";
        }
        var path = all.GetValueOrDefault("PATH") is { Length: > 0 } given ? given : "/usr/local/bin:/usr/bin:/bin";
        foreach (var folder in (ReadOnlySpan<string>)["/usr/sbin", "/sbin"])
        {
            if (!path.Split(':').Contains(folder))
            {
                path += ":" + folder;
            }
        }
        all["PATH"] = path;
        return all;
    }

    private static Parsed<EnteredNamespaces> ParseNamespaces(string text)
    {
        EnteredNamespaces all = 0;
        foreach (var word in text.Split(','))
        {
            EnteredNamespaces? one = word switch
            {
                "net" => EnteredNamespaces.Net,
                "pid" => EnteredNamespaces.Pid,
                "mount" => EnteredNamespaces.Mount,
                _ => null,
            };
            if (one is null)
            {
                return Parsed<EnteredNamespaces>.Wrong($"'{word}' is none of: net, pid, mount");
            }
            all |= one.Value;
        }
        return all;
    }
}
