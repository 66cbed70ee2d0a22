using System.CommandLine;
using Plumb.Agent.Asking;
using Plumb.Linux.Native;
using Plumb.Linux.Sockets;

namespace Plumb.Installing;

/// <summary>Where this machine's agent is asked.</summary>
internal static class AgentSocket
{
    public static Option<string?> Option() => new("--socket") { HelpName = "PATH", Description = $"the socket of this machine's agent (default {AgentOptions.DefaultSocket}, if there is one)" };

    /// <param name="socket">Null: the usual one, if an agent is there and answers this user.</param>
    /// <param name="note">Told why there is no answer where none need be.</param>
    /// <exception cref="IOException">Nobody answers at the one that was named.</exception>
    public static AgentClient? Find(string? socket, Action<string> note)
    {
        var path = socket ?? AgentOptions.DefaultSocket;
        if (socket is null && !File.Exists(path))
        {
            return null;
        }
        try
        {
            UnixStream.Connect(path).Dispose();
            return new AgentClient(path, $"the agent at {path}");
        }
        catch (SystemCallException refused) when (socket is null && refused.Errno is (Errno.EACCES or Errno.ECONNREFUSED))
        {
            note(refused.Errno == Errno.EACCES ? "this machine's agent answers root alone: it is not asked (sudo)" : $"{path}: no agent answers there any more");
            return null;
        }
        catch (SystemCallException refused)
        {
            throw new IOException($"no agent answers at {path}: {refused.Message}", refused);
        }
    }
}
