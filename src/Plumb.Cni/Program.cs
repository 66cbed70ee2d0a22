using System;
using System.Runtime.InteropServices;

namespace Plumb.Cni;

/// <summary>
/// The plugin that container runtimes start: it hands its environment and input to the node's agent, prints what that answers and exits as it says.
/// All meaning is in the agent; called as <see cref="Loopback"/> it needs none. What it costs is the start of a process, so there is nothing here but system calls.
/// </summary>
internal static unsafe class Program
{
    private static ReadOnlySpan<byte> Newest => "1.1.0"u8;

    private static int Main()
    {
        var command = Variable("CNI_COMMAND\0"u8);
        if (command.IsEmpty)
        {
            // Somebody typed the name: no input will come.
            return Fail(OwnAnswer.Error(Newest, OwnAnswer.InvalidEnvironment, "environment variable CNI_COMMAND is missing or empty"u8, "plumb-cni is a CNI plugin: container runtimes call it"u8));
        }
        var input = new Octets();
        if (!input.ReadToEnd(0))
        {
            return Fail(OwnAnswer.Error(Newest, OwnAnswer.IoFailure, "the configuration cannot be read from standard input"u8, new Octets().Add("errno "u8).Add(SystemCalls.LastErrno).All));
        }
        var version = ConfigurationText.Find(input.All, "cniVersion"u8);
        if (version.IsEmpty)
        {
            version = Newest;
        }
        if (command.SequenceEqual("VERSION"u8))
        {
            return Print(OwnAnswer.Versions(version)) ? 0 : 1;
        }
        if (ConfigurationText.Find(input.All, "type"u8).SequenceEqual(Loopback.Type))
        {
            fixed (byte* name = "CNI_NETNS\0"u8)
            {
                var said = Loopback.Answer(command, version, SystemCalls.Variable(name), out var succeeded);
                return Print(said) && succeeded ? 0 : 1;
            }
        }
        var socket = ConfigurationText.Find(input.All, "socket"u8);
        if (socket.IsEmpty)
        {
            socket = "/run/plumb/cni.sock"u8;
        }
        if (AgentSocket.Ask(socket, Call(input), out var errno) is not { } answer)
        {
            return Fail(OwnAnswer.Away(command, version, socket, errno));
        }
        // 200 and 500: what the plugin prints, and whether it succeeded.
        if (!AgentSocket.TryRead(answer.All, out var status, out var body) || status is not (200 or 500))
        {
            return Fail(OwnAnswer.Away(command, version, socket, 0));
        }
        return Print(body) && status == 200 ? 0 : 1;
    }

    /// <summary>Variables, each with a NUL behind it as in /proc/PID/environ; one more NUL; the input as it came.</summary>
    private static ReadOnlySpan<byte> Call(Octets input)
    {
        var call = new Octets();
        // Runtimes have secrets in their environment: only what the specification names leaves the process.
        Add(call, "CNI_COMMAND\0"u8);
        Add(call, "CNI_CONTAINERID\0"u8);
        Add(call, "CNI_NETNS\0"u8);
        Add(call, "CNI_IFNAME\0"u8);
        Add(call, "CNI_ARGS\0"u8);
        Add(call, "CNI_PATH\0"u8);
        return call.Add("\0"u8).Add(input.All).All;
    }

    private static void Add(Octets call, ReadOnlySpan<byte> name)
    {
        var value = Variable(name);
        if (!value.IsEmpty)
        {
            call.Add(name[..^1]).Add("="u8).Add(value).Add("\0"u8);
        }
    }

    /// <param name="name">With a NUL behind it.</param>
    private static ReadOnlySpan<byte> Variable(ReadOnlySpan<byte> name)
    {
        fixed (byte* start = name)
        {
            return MemoryMarshal.CreateReadOnlySpanFromNullTerminated(SystemCalls.Variable(start));
        }
    }

    private static int Fail(ReadOnlySpan<byte> error)
    {
        _ = Print(error);
        return 1;
    }

    private static bool Print(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            fixed (byte* start = text)
            {
                var written = SystemCalls.Write(1, start, (nuint)text.Length);
                if (written < 0 && SystemCalls.LastErrno != SystemCalls.EINTR)
                {
                    return false;
                }
                text = text[(int)Math.Max(written, 0)..];
            }
        }
        return true;
    }
}
