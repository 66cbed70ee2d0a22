using System.IO.Pipes;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Plumb.Api.Streaming;
using Plumb.Linux.Containers;
using Plumb.Linux.Native;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers.Roots;

/// <summary>A command about to be started in namespaces of its own, where it finds a container's files.</summary>
internal sealed class FreshCommand : IDisposable
{
    private readonly AnonymousPipeServerStream? _failure;

    private readonly string? _stage;

    private readonly SafeFileHandle? _members;

    private FreshCommand(SpawnRequest request, AnonymousPipeServerStream? failure, string? stage, SafeFileHandle? members = null)
    {
        Request = request;
        _failure = failure;
        _stage = stage;
        _members = members;
    }

    /// <summary>Without its streams.</summary>
    public SpawnRequest Request { get; }

    /// <param name="pidsOf">Whose processes it sees; null: it is the first of its own.</param>
    /// <exception cref="ContainerStartException">It is known already that it cannot be started.</exception>
    public static FreshCommand Of(PodFacts pod, ContainerFiles files, IReadOnlyList<string> words, Dictionary<string, string> environment, string directory, ContainerUser user, SpawnedProcess? pidsOf = null)
    {
        pidsOf ??= pod.Processes?.First;
        var namespaces = new SpawnNamespaces
        {
            Network = pod.Network,
            HostName = pod.HostName,
            OwnIpc = !pod.HasNodeIpc,
            IpcParameters = pod.IpcParameters,
            OwnPids = pidsOf is null && !pod.HasNodeProcesses,
            PidsOf = pod.HasNodeProcesses ? null : pidsOf,
        };
        if (files.Root is { } root)
        {
            var (stage, file) = files.MakeStage();
            var command = new RootedCommand(root.Lower, stage, files.Mounts, words[0], [.. words.Skip(1)], environment, directory, user) 
            {
                ReadOnly = root.ReadOnly,
                Owners = root.Owners,
                IsShielded = !root.ShowsKernel && files.Privileges is not null,
                Privileges = files.Privileges,
            };
            return Rooted(namespaces, root.Launcher, command, file);
        }
        if (WhyNot(words[0], files.Mounts) is { } why)
        {
            throw new ContainerStartException("StartError", why);
        }
        var request = new SpawnRequest(words[0])
        {
            Arguments = [.. words.Skip(1)],
            Environment = environment,
            WorkingDirectory = directory,
            User = user.IsPowerless ? user : null,
            Privileges = files.Privileges,
            Namespaces = namespaces with { Mounts = files.Mounts },
        };
        return new FreshCommand(request, null, null);
    }

    /// <summary>A command that strangers send: it has the pod's network and name, and is alone in all other namespaces whatever the pod shares.</summary>
    /// <param name="group">That it is in before it runs; what its start takes is the lab's. Null: none.</param>
    public static FreshCommand OfStrangers(
        PodFacts pod, ContainerFiles files, IReadOnlyList<BindMount> mounts, IReadOnlyDictionary<string, string> texts, IReadOnlyList<string> words, Dictionary<string, string> environment, ControlGroup? group)
    {
        var (stage, file) = files.MakeStage();
        var command = new RootedCommand("", stage, mounts, words[0], [.. words.Skip(1)], environment, "/", ContainerUser.Root) { StrangersFiles = texts, JoinsGroup = group is not null };
        return Rooted(new SpawnNamespaces { Network = pod.Network, HostName = pod.HostName, OwnIpc = true, OwnPids = true }, files.Launcher, command, file, group);
    }

    /// <exception cref="ContainerStartException">It could not be started.</exception>
    public SpawnedProcess Start(Func<SpawnRequest, SpawnRequest> streams)
    {
        try
        {
            return Spawn.Start(streams(Request));
        }
        catch (SystemCallException refused)
        {
            throw new ContainerStartException("StartError", refused.Message);
        }
        finally
        {
            // The other end is the process's; when that has it no more, what can be read here ends.
            _failure?.DisposeLocalCopyOfClientHandle();
        }
    }

    /// <summary>Returns when the program runs.</summary>
    /// <exception cref="ContainerStartException">It does not.</exception>
    public async Task StartedAsync()
    {
        if (_failure is null)
        {
            return;
        }
        using var reader = new StreamReader(_failure, Encoding.UTF8);
        if (await reader.ReadToEndAsync() is { Length: > 0 } why)
        {
            throw new ContainerStartException("StartError", why);
        }
    }

    /// <summary>The program runs, or never will: what its root was put together in, and was seen there by it alone, is of no use any more.</summary>
    public void Dispose()
    {
        _failure?.Dispose();
        _members?.Dispose();
        if (_stage is not null)
        {
            File.Delete(ContainerFiles.FileOf(_stage));
            try
            {
                Directory.Delete(_stage);
            }
            catch (DirectoryNotFoundException)
            {
                // The container has gone meanwhile, with all of its directory.
            }
        }
    }

    private static FreshCommand Rooted(SpawnNamespaces namespaces, IReadOnlyList<string> launcher, RootedCommand command, string file, ControlGroup? group = null)
    {
        File.WriteAllBytes(file, command.ToJson());
        var failure = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.None);
        var descriptors = new Dictionary<int, System.Runtime.InteropServices.SafeHandle> { [ContainerProcess.FailureDescriptor] = failure.ClientSafePipeHandle };
        var members = group?.OpenMembers();
        if (members is not null)
        {
            descriptors[ContainerProcess.GroupDescriptor] = members;
        }
        var request = new SpawnRequest(launcher[0])
        {
            Arguments = [.. launcher.Skip(1), ContainerProcess.Verb, file],
            BecomesAnother = true,
            Descriptors = descriptors,
            WorkingDirectory = "/",
            Namespaces = namespaces with { OwnMounts = true },
        };
        return new FreshCommand(request, failure, command.Stage, members);
    }

    /// <summary>
    /// Why a program named by its whole path cannot be run; null when it can, or when only the start will tell. A program that gets a pid namespace
    /// of its own is started by another one, whose own failure would be all that is seen of its absence.
    /// </summary>
    private static string? WhyNot(string program, IReadOnlyList<BindMount> mounts)
    {
        if (!program.StartsWith('/'))
        {
            return null;
        }

        var path = program;
        foreach (var mount in mounts)
        {
            if (program == mount.Target || program.StartsWith(mount.Target + "/", StringComparison.Ordinal))
            {
                path = mount.Source + program[mount.Target.Length..];
            }
        }

        const UnixFileMode anyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return Directory.Exists(path) ? $"exec: \"{program}\": is a directory"
            : !File.Exists(path) ? $"exec: \"{program}\": stat {program}: no such file or directory"
            : (File.GetUnixFileMode(path) & anyExecute) == 0 ? $"exec: \"{program}\": permission denied"
            : null;
    }
}

/// <summary>Whence a container has its root, and what is started to enter it.</summary>
/// <param name="Lower">An image's root directory, or `/`.</param>
/// <param name="Launcher">This program.</param>
/// <param name="ReadOnly">But for what is mounted there.</param>
internal sealed record RootSource(string Lower, IReadOnlyList<string> Launcher, bool ReadOnly)
{
    /// <summary>A file that says whose the image's files are.</summary>
    public string? Owners { get; init; }

    /// <summary>What of `/proc` and `/sys` is the machine's is as it is.</summary>
    public bool ShowsKernel { get; init; }
}
