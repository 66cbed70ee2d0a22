namespace Plumb.Lab.Rootless;

/// <summary>How to start the program that this process runs.</summary>
public static class ThisProgram
{
    /// <summary>The executable, and the assembly that it is to run when that is the <c>dotnet</c> host.</summary>
    public static IReadOnlyList<string> CommandLine { get; } = Find();

    private static List<string> Find()
    {
        var executable = Environment.ProcessPath ?? throw new InvalidOperationException("the path of this executable is not known");
        return Path.GetFileNameWithoutExtension(executable) == "dotnet" ? [executable, Environment.GetCommandLineArgs()[0]] : [executable];
    }
}
