using System.Text;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Linux.Iptables;

/// <summary>
/// The machine's <c>iptables-save</c> and <c>iptables-restore</c>. The one place where Plumb lets another program write to the kernel: which of its two variants
/// a machine uses is the machine's choice, and all who write there must share it.
/// </summary>
public static class IptablesProgram
{
    private const string LockVariable = "XTABLES_LOCKFILE";
    private const string MachinesLock = "/run/xtables.lock";

    private static readonly string[] SystemDirectories = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

    /// <summary>One line for a person who wants a family's tables written, where a program is missing that reads or writes them; null: both are there.</summary>
    public static string? Missing(IpFamily family)
    {
        foreach (var (verb, what) in new[] { ("restore", "written"), ("save", "read") })
        {
            if (Find(family, verb) is null)
            {
                return Missing(family, verb, what);
            }
        }
        return null;
    }

    private static string Missing(IpFamily family, string verb, string what) =>
        $"{Name(family, "")}-{verb} is not on this machine, and Services by iptables are {what} with it: install the package iptables, or choose --services nftables";

    /// <summary>All tables that are in use.</summary>
    /// <exception cref="IptablesException">It failed, or there is no such program.</exception>
    internal static string Save(NetworkNamespace inside, IpFamily family)
    {
        var program = Find(family, "save") ?? throw new IptablesException(Missing(family, "save", "read"));
        var (output, complaint) = Run(inside, program, [], "", null);
        return complaint is null ? output : throw new IptablesException(complaint);
    }

    /// <summary>Whether the machine's own variant is the older one: it says so with its version.</summary>
    internal static bool IsLegacy(NetworkNamespace inside, IpFamily family) =>
        Find(family, "save") is { } program && Run(inside, program, ["--version"], "", null).Output.Contains("(legacy)", StringComparison.Ordinal);

    /// <summary>All tables of x_tables, whatever the machine's own variant is.</summary>
    /// <exception cref="IptablesException">It failed, or there is no such program.</exception>
    internal static string SaveLegacy(NetworkNamespace inside, IpFamily family)
    {
        var name = $"{Name(family, "-legacy")}-save";
        var program = FindProgram(name) ?? throw new IptablesException($"{name} is not on this machine, and tables of x_tables are in use: install the package iptables");
        var (output, complaint) = Run(inside, program, [], "", null);
        return complaint is null ? output : throw new IptablesException(complaint);
    }

    /// <summary>Makes changes; tables before the one that fails are done.</summary>
    /// <param name="started">Told the process's id, by which the kernel names who changed something.</param>
    /// <param name="ended">Told it again when the process has ended, and the id is anybody's.</param>
    /// <returns>Null, or what the program complains of.</returns>
    /// <exception cref="IptablesException">There is no such program.</exception>
    internal static string? Restore(NetworkNamespace inside, IpFamily family, string input, Action<int> started, Action<int> ended)
    {
        const string seconds = "10";
        var program = Find(family, "restore") ?? throw new IptablesException(Missing(family, "restore", "written"));
        var id = 0;
        try
        {
            return Run(inside, program, ["-w", seconds, "--noflush"], input, pid => started(id = pid)).Complaint;
        }
        finally
        {
            ended(id);
        }
    }

    private static (string Output, string? Complaint) Run(
        NetworkNamespace inside, string program, IReadOnlyList<string> arguments, string input, Action<int>? started)
    {
        // Files in memory and no pipes: nobody has to read while the program runs.
        using var given = MemoryFile.Create(input);
        using var output = MemoryFile.Create("");
        using var error = MemoryFile.Create("");
        ExitStatus status;
        try
        {
            using var process = Spawn.Start(new SpawnRequest(program)
            {
                Arguments = arguments,
                Environment = Variables(),
                Input = SpawnStream.Of(given),
                Output = SpawnStream.Of(output),
                Error = SpawnStream.Of(error),
                Namespaces = inside.IsHome ? null : new SpawnNamespaces { Network = inside },
            });
            started?.Invoke(process.Pid);
            status = process.Exited.GetAwaiter().GetResult();
        }
        catch (SystemCallException refused)
        {
            throw new IptablesException($"{program} cannot be started: {refused.Message}", refused);
        }
        var name = Path.GetFileName(program);
        return status.Code == 0
            ? (MemoryFile.ReadText(output), null)
            : ("", $"{name}: {FirstLine(MemoryFile.ReadText(error)) ?? status.ToString()}");
    }

    private static string? FirstLine(string said)
    {
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(static line => !line.StartsWith("Try `", StringComparison.Ordinal) && !line.StartsWith('#'));
        return string.Join("; ", lines) is { Length: > 0 } all ? all : null;
    }

    // Who is no administrator cannot read which tables the older variant has, nor write its lock.
    private static string? Find(IpFamily family, string verb) =>
        (IsAdministrators() ? null : FindProgram($"{Name(family, "-nft")}-{verb}")) ?? FindProgram($"{Name(family, "")}-{verb}");

    private static bool IsAdministrators() => Libc.Access(MachinesLock, Libc.W_OK) == 0 || Libc.Access(Path.GetDirectoryName(MachinesLock)!, Libc.W_OK) == 0;

    private static string Name(IpFamily family, string variant) => $"{(family == IpFamily.V4 ? "iptables" : "ip6tables")}{variant}";

    // An ordinary user's PATH does not name where administrators' programs are.
    private static string? FindProgram(string name)
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        foreach (var directory in path.Split(':', StringSplitOptions.RemoveEmptyEntries).Concat(SystemDirectories))
        {
            var candidate = $"{directory}/{name}";
            if (Libc.Access(candidate, Libc.X_OK) == 0)
            {
                return candidate;
            }
        }
        return null;
    }

    private static Dictionary<string, string> Variables()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? string.Join(':', SystemDirectories),
        };
        if (Environment.GetEnvironmentVariable(LockVariable) is { } chosen)
        {
            variables[LockVariable] = chosen;
        }
        else if (!IsAdministrators())
        {
            variables[LockVariable] = Path.Combine(Path.GetTempPath(), $"plumb-{Environment.UserName}-xtables.lock");
        }
        return variables;
    }
}

/// <summary>iptables' programs could not do what was asked; the message is one line for a person.</summary>
public sealed class IptablesException(string message, Exception? cause = null) : IOException(message, cause);
