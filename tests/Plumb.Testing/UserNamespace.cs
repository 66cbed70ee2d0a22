using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Testing;

/// <summary>
/// Where kernel tests run: as root of a user, mount and pid namespace made for one run of a test executable, so that an ordinary user
/// can run them and so that whatever a test leaves behind is gone when the run ends.
/// </summary>
public static class UserNamespace
{
    /// <summary>The trait of tests that need the machine's real root: <c>[Trait(UserNamespace.Needs, UserNamespace.Root)]</c>.</summary>
    public const string Needs = "Needs";

    /// <summary>See <see cref="Needs"/>. Such tests run only when asked for: <c>-trait Needs=Root</c>, as root.</summary>
    public const string Root = "Root";

    /// <summary>The trait of tests that must run in a process that is pid 1; another test starts such a process.</summary>
    public const string Init = "Init";

    /// <summary>Set in an environment, it keeps a test executable from starting itself again.</summary>
    public const string InsideVariable = "PLUMB_TEST_INSIDE";

    /// <summary>
    /// Starts this executable again inside, with the same arguments, unless it is inside already or the tests of real root are asked
    /// for. Returns the arguments for the runner.
    /// </summary>
    public static string[] Enter(string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        if (AsksFor(Root, arguments))
        {
            return arguments;
        }
        if (Environment.GetEnvironmentVariable(InsideVariable) is null)
        {
            StartAgain(arguments);
        }
        // Children of tests are no test runs: the mark ends here.
        Environment.SetEnvironmentVariable(InsideVariable, null);
        if (arguments.Contains("--server"))
        {
            return arguments;
        }
        return AsksFor(Init, arguments) ? arguments : [.. arguments, "-trait-", $"{Needs}={Root}", "-trait-", $"{Needs}={Init}"];
    }

    private static bool AsksFor(string need, string[] arguments)
    {
        var trait = Array.IndexOf(arguments, "-trait");
        return trait >= 0 && trait + 1 < arguments.Length && arguments[trait + 1] == $"{Needs}={need}";
    }

    private static void StartAgain(string[] arguments)
    {
        const string unshare = "/usr/bin/unshare";
        var self = Environment.ProcessPath ?? throw new InvalidOperationException("the path of this executable is not known");
        Environment.SetEnvironmentVariable(InsideVariable, "1");
        try
        {
            Exec.Replace(
                unshare,
                [
                    "unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                    // A shell is pid 1 and reaps orphans: were it .NET, System.Diagnostics.Process would learn of no exit.
                    "sh", "-c", "\"$@\"; exit $?", "sh", self, .. arguments,
                ]);
        }
        catch (SystemCallException exception)
        {
            Console.Error.WriteLine($"kernel tests need unshare of util-linux: {exception.Message}");
            Environment.Exit(1);
        }
    }
}
