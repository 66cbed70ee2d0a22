using Plumb.CommandLine;
using Plumb.Linux.Capture;
using Plumb.Linux.Processes;

namespace Plumb.Capture;

/// <summary>tcpdump as the compiler of its own filter language (`tcpdump -ddd`), where it is installed.</summary>
internal static class TcpdumpFilter
{
    /// <summary>Null: it is not installed.</summary>
    public static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/usr/bin", "/sbin"])
        .Where(static folder => folder.Length > 0).Select(static folder => Path.Combine(folder, "tcpdump")).FirstOrDefault(File.Exists);

    /// <param name="bytes">How much of each frame is taken.</param>
    /// <exception cref="UsageException">The expression is none.</exception>
    public static FilterProgram Compile(string expression, int bytes)
    {
        using var child = Spawn.Start(new SpawnRequest(Find()!)
        {
            // The link type of Ethernet, whatever devices this machine has.
            Arguments = ["-y", "EN10MB", "-s", $"{bytes}", "-ddd", expression],
            Output = SpawnStream.Pipe,
            Error = SpawnStream.Pipe,
        });
        using var output = new StreamReader(child.Output!);
        using var error = new StreamReader(child.Error!);
        var said = output.ReadToEnd();
        var refused = error.ReadToEnd();
        try
        {
            return FilterProgram.Parse(said);
        }
        catch (FormatException)
        {
            var line = refused.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "tcpdump gave no program";
            throw new UsageException($"'{expression}': {line.Replace("tcpdump: ", "", StringComparison.Ordinal)}");
        }
    }
}
