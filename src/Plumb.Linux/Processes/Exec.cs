using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>Replaces the own process by another program (<c>execve(2)</c>): same pid, same open files except those that are close-on-exec.</summary>
public static class Exec
{
    /// <summary>Does not return when it succeeds: every other thread is gone and nothing is flushed.</summary>
    /// <param name="path">Of the program's file; not searched for.</param>
    /// <param name="arguments">From argv[0] on.</param>
    /// <param name="environment">The whole new environment; null: the present one.</param>
    /// <exception cref="SystemCallException">The program cannot be run.</exception>
    public static void Replace(string path, IReadOnlyCollection<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        RemoveRuntimeFiles();
        Become(path, arguments, environment);
    }

    /// <summary>As <see cref="Replace"/>, from within another root directory, where nothing of this runtime is.</summary>
    internal static unsafe void Become(string path, IReadOnlyCollection<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        using var pathVector = new StringVector([path]);
        using var argumentVector = new StringVector(arguments);
        using var environmentVector = new StringVector(EnvironmentBlock.Of(environment));
        _ = Libc.Execute(pathVector.Pointers[0], argumentVector.Pointers, environmentVector.Pointers);
        throw SystemCallException.Last("execve", path);
    }

    // Where debuggers find a .NET process; the runtime takes them away when the process ends, and here it does not end.
    private static void RemoveRuntimeFiles()
    {
        // proc_pid_stat(5): the program's name is in parentheses and may hold anything; (22) starttime is the 20th field behind it.
        const int startTime = 19;
        var stat = File.ReadAllText("/proc/self/stat");
        var process = $"{Environment.ProcessId}-{stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[startTime]}";
        foreach (var name in (ReadOnlySpan<string>)[$"dotnet-diagnostic-{process}-socket", $"clr-debug-pipe-{process}-in", $"clr-debug-pipe-{process}-out"])
        {
            File.Delete(Path.Combine(Path.GetTempPath(), name));
        }
    }
}
