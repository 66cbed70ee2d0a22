using System.Text;
using Microsoft.Win32.SafeHandles;
using Plumb.Lab.Images;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Containers.Roots;

/// <summary>
/// The first thing that runs in a container with a root of its own: this program, in the container's namespaces, which enters the root and becomes the
/// container's program. Only from inside can a pid namespace's /proc be put there, and only a process that will be replaced can change its root and user.
/// </summary>
public static class ContainerProcess
{
    /// <summary>The first argument by which <c>plumb</c> knows that it is to be this; the second is a file with a <see cref="RootedCommand"/>.</summary>
    public const string Verb = "container-process";

    /// <summary>Where it says why it could not; the end of file, with nothing before it, is the start of the program.</summary>
    internal const int FailureDescriptor = 3;

    /// <summary>The file of a control group's members, where the command goes into one (<see cref="RootedCommand.JoinsGroup"/>).</summary>
    internal const int GroupDescriptor = 4;

    /// <summary>Returns only when it fails.</summary>
    public static int Run(string file)
    {
        try
        {
            var command = RootedCommand.FromJson(File.ReadAllBytes(file));
            // Variables may be secrets.
            File.Delete(file);
            if (command.StrangersFiles is { } files)
            {
                Confinement.GoFirst();
                new ProgramRoot(command.Stage, command.Mounts, files).Enter();
                using var members = command.JoinsGroup ? new SafeFileHandle(GroupDescriptor, ownsHandle: true) : null;
                Confinement.Enter(ConfinedCommands.MostProcesses, members);
            }
            else
            {
                new ContainerRoot(command.Lower, command.Stage)
                {
                    Mounts = command.Mounts,
                    ReadOnly = command.ReadOnly,
                    IsShielded = command.IsShielded,
                    Owners = command.Owners is { } owners ? LayerOwners.Read(owners) : [],
                }.Enter();
            }
            ContainerRoot.Run(command.Program, command.Arguments, command.Environment, command.Directory, command.User, command.Privileges);
        }
#pragma warning disable CA1031 // Whatever it is, this is the only place where it can be told.
        catch (Exception refused)
#pragma warning restore CA1031
        {
            using var report = new FileStream(new SafeFileHandle(FailureDescriptor, ownsHandle: true), FileAccess.Write, bufferSize: 1);
            report.Write(Encoding.UTF8.GetBytes(refused.Message));
        }
        return 128;
    }
}
