using System.Diagnostics;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Linux.Tests.Nftables;

/// <summary>A fresh network namespace with our hands in it, and <c>nft</c> as the independent witness beside.</summary>
internal sealed class NftNamespace : IDisposable
{
    public static readonly NamespaceId Id = new("node-1");

    private readonly NetworkNamespace _namespace;

    public NftNamespace(int sendBufferBytes = 0)
    {
        _namespace = NetworkNamespace.Create();
        Socket = _namespace.OpenNetlink(NetlinkFamily.Netfilter, sendBufferBytes);
    }

    public NetlinkSocket Socket { get; }

    public NetworkNamespace Namespace => _namespace;

    public void Dispose()
    {
        Socket.Dispose();
        _namespace.Dispose();
    }

    public IReadOnlyList<Observed> Observe() => NftablesKernel.Observe(Socket, Id);

    /// <summary>Our own print of what the kernel holds.</summary>
    public string Print() => RulesetText.Print(Observe());

    public void Apply(IEnumerable<DeltaItem> items, TooLarge tooLarge = TooLarge.Refuse) =>
        NftablesKernel.Apply(Socket, [.. items], tooLarge: tooLarge);

    public void Add(IEnumerable<Desired> desired) => Apply(desired.Select(static want => new DeltaItem(want, null)));

    /// <summary>What <c>nft list ruleset</c> says.</summary>
    public string List()
    {
        var (exit, output, error) = Nft(null, "list", "ruleset");
        Assert.True(exit == 0, error);
        return output;
    }

    /// <summary>Loads text as <c>nft -f -</c> does; the answer is what it complained about, or empty.</summary>
    public string Load(string text)
    {
        var (exit, _, error) = Nft(text, "-f", "-");
        return exit == 0 ? "" : error.Length > 0 ? error : $"exit {exit}";
    }

    private (int Exit, string Output, string Error) Nft(string? input, params string[] arguments)
    {
        var start = new ProcessStartInfo("nsenter", [$"--net={_namespace.ProcPath}", "nft", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            process.StandardInput.Write(input);
        }
        process.StandardInput.Close();
        process.WaitForExit();
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
