using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Agent.Cni;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Cni;

/// <summary>
/// Runs plugins' executables as the specification says (section 2), in the node's network namespace. What plugins keep in <c>/var/lib</c> and <c>/run</c> is the node's own:
/// nodes are machines to them.
/// </summary>
/// <param name="stateDirectory">Stands in the place of <c>/var/lib</c>.</param>
/// <param name="runDirectory">Stands in the place of <c>/run</c>, but for where machines have programs and users' files there.</param>
/// <param name="pluginPath">CNI_PATH</param>
internal sealed class PluginRunner(NetworkNamespace network, string stateDirectory, string runDirectory, string pluginPath, TimeProvider time)
{
    /// <summary>As long as kubelets give a runtime (<c>runtimeRequestTimeout</c>).</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(2);

    private const int MostErrorText = 1000;
    private const int MostOutputBytes = 1 << 20;

    public string PluginPath => pluginPath;

    /// <summary>CNI_PATH of this process's environment, then where distributions and people put plugins, then this program's own folder.</summary>
    public static string DefaultPath() =>
        string.Join(':', new[] { Environment.GetEnvironmentVariable("CNI_PATH"), "/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni", AppContext.BaseDirectory.TrimEnd('/') }.Where(static one => !string.IsNullOrEmpty(one)));

    /// <param name="started">Called when there is a process, which may do a part of its work from then on.</param>
    /// <returns>What the plugin printed.</returns>
    /// <exception cref="CniException">It failed, took too long, or was ended.</exception>
    public async Task<byte[]> RunAsync(string program, IReadOnlyDictionary<string, string> environment, byte[] input, Action started, CancellationToken cancel)
    {
        using var process = Start(program, environment);
        started();
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        var (output, error) = (ReadAsync(process.Output!, either.Token), ReadAsync(process.Error!, either.Token));
        try
        {
            await WriteAsync(process.Input!, input, either.Token);
            var status = await process.Exited.WaitAsync(either.Token);
            // What it left running would hold its output open, and us. What it said itself is in the pipes.
            process.KillSession();
            var (said, complained) = (await output, await error);
            return status.Code == 0 ? said : throw Failure(status, said, complained);
        }
        catch (OperationCanceledException)
        {
            process.KillSession();
            cancel.ThrowIfCancellationRequested();
            throw new CniException(CniErrorCode.TryAgainLater, $"it did not end within {Patience.TotalSeconds:0} s and was killed");
        }
    }

    /// <summary>Path of a plugin's executable.</summary>
    /// <exception cref="CniException">There is none.</exception>
    public string Find(string type)
    {
        foreach (var directory in pluginPath.Split(':'))
        {
            var candidate = Path.Combine(directory, type);
            if (File.Exists(candidate))
            {
                return candidate;
            }
        }
        throw new CniException(CniErrorCode.InvalidConfiguration, $"failed to find plugin \"{type}\" in path [{pluginPath.Replace(':', ' ')}]");
    }

    private SpawnedProcess Start(string program, IReadOnlyDictionary<string, string> variables)
    {
        var environment = new Dictionary<string, string>();
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment[(string)variable.Key] = (string?)variable.Value ?? "";
        }
        // Plugins run iptables, which an ordinary user's PATH may lack.
        environment["PATH"] = $"{environment.GetValueOrDefault("PATH")}:/usr/sbin:/sbin:/usr/bin:/bin";
        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }
        try
        {
            return Spawn.Start(new SpawnRequest(program)
            {
                Environment = environment,
                WorkingDirectory = "/",
                Input = SpawnStream.Pipe,
                Output = SpawnStream.Pipe,
                Error = SpawnStream.Pipe,
                Namespaces = new SpawnNamespaces { Network = network, Mounts = Mounts() },
            });
        }
        catch (SystemCallException refused)
        {
            throw new CniException(CniErrorCode.IoFailure, $"it cannot be started: {refused.Message}");
        }
    }

    // What is mounted in the directory comes along with it. Programs are the machine's, wherever it has them (NixOS: below /run).
    private List<BindMount> Mounts()
    {
        var mounts = new List<BindMount> { new(stateDirectory, "/var/lib") };
        foreach (var name in (ReadOnlySpan<string>)["user", "wrappers", "current-system"])
        {
            if (Directory.Exists($"/run/{name}"))
            {
                mounts.Add(new BindMount($"/run/{name}", Directory.CreateDirectory(Path.Combine(runDirectory, name)).FullName));
            }
        }
        mounts.Add(new BindMount(runDirectory, "/run"));
        return mounts;
    }

    private static async Task WriteAsync(Stream to, byte[] input, CancellationToken cancel)
    {
        try
        {
            await to.WriteAsync(input, cancel);
        }
        catch (Exception unread) when (unread is IOException or SystemCallException)
        {
            // It has ended, or does not want to know; its exit and output tell more.
        }
        await to.DisposeAsync();
    }

    private static async Task<byte[]> ReadAsync(Stream from, CancellationToken cancel)
    {
        var all = new MemoryStream();
        var buffer = new byte[4096];
        int length;
        while ((length = await from.ReadAsync(buffer, cancel)) > 0)
        {
            // What is read no more would hold it up; what is kept without end would end us.
            all.Write(buffer, 0, all.Length <= MostOutputBytes ? length : 0);
        }
        return all.Length <= MostOutputBytes ? all.ToArray() : throw new CniException(CniErrorCode.CannotDecode, $"it printed more than {MostOutputBytes >> 20} MiB, which is no result");
    }

    /// <summary>"error" of the specification's section 5 if it is one; else what there is.</summary>
    private static CniException Failure(ExitStatus status, byte[] said, byte[] complained)
    {
        if (said.Length == 0)
        {
            return new CniException(CniErrorCode.IoFailure, complained.Length == 0 ? $"it failed without a word: {status}" : $"it failed: {status}: {Cut(complained)}");
        }
        try
        {
            if (CniText.Parse(said) is JsonObject error && error["msg"]?.ToString() is { Length: > 0 } message)
            {
                var code = int.TryParse(error["code"]?.ToString(), out var number) ? (CniErrorCode)number : CniErrorCode.IoFailure;
                return new CniException(code, error["details"]?.ToString() is { Length: > 0 } details ? $"{message}; {details}" : message);
            }
        }
        catch (JsonException)
        {
            // Told below as it came.
        }
        return new CniException(CniErrorCode.CannotDecode, $"it failed: {status}, and what it printed is no error of CNI: {Cut(said)}");
    }

    /// <summary>For one line of an event.</summary>
    internal static string Cut(byte[] text)
    {
        var line = Encoding.UTF8.GetString(text).Trim().ReplaceLineEndings(" ");
        return line.Length > MostErrorText ? line[..MostErrorText] + "…" : line;
    }
}
