namespace Plumb.Cni;

/// <summary>
/// The plugin that container runtimes start: it hands its environment and input to the node's agent, prints what that answers and exits as it says.
/// All meaning is in the agent; called as <see cref="Loopback"/> it needs none. It is compiled to an executable of the kernel's own format and of nothing else
/// (docs/decisions/0013): no runtime stands behind it, so there are pointers, structs and system calls here, and nothing that allocates or throws.
/// </summary>
internal static unsafe class Program
{
    /// <summary>As the kernel left it: NAME=VALUE each, and a null behind the last.</summary>
    private static byte** s_environment;

    private static Text Newest => "1.1.0"u8;

    /// <summary>Where the process begins.</summary>
    /// <param name="stack">What the kernel put there: the number of arguments, these, a null, the environment, a null (System V ABI for AMD64, section 3.4.1).</param>
    /// <returns>How it exits.</returns>
    private static int Start(nint* stack)
    {
        s_environment = (byte**)(stack + 1 + stack[0] + 1);
        Octets answer = default;
        var succeeded = Serve(ref answer);
        return Print(answer.All) && succeeded ? 0 : 1;
    }

    private static bool Serve(ref Octets answer)
    {
        var command = Variable("CNI_COMMAND="u8);
        if (command.IsEmpty)
        {
            // Somebody typed the name: no input will come.
            OwnAnswer.Error(
                Newest, OwnAnswer.InvalidEnvironment, "environment variable CNI_COMMAND is missing or empty; plumb-cni is a CNI plugin: container runtimes call it"u8, 0, ref answer);
            return false;
        }
        Octets input = default;
        var errno = input.ReadToEnd(0);
        if (errno != 0)
        {
            OwnAnswer.Error(Newest, OwnAnswer.IoFailure, "the configuration cannot be read from standard input"u8, errno, ref answer);
            return false;
        }
        var version = ConfigurationText.Find(input.All, "cniVersion"u8);
        if (version.IsEmpty)
        {
            version = Newest;
        }
        if (command.Is("VERSION"u8))
        {
            OwnAnswer.Versions(version, ref answer);
            return true;
        }
        if (ConfigurationText.Find(input.All, "type"u8).Is("loopback"u8))
        {
            return Loopback.Answer(command, version, Variable("CNI_NETNS="u8), ref answer);
        }
        return Relay(command, version, input.All, ref answer);
    }

    private static bool Relay(Text command, Text version, Text input, ref Octets answer)
    {
        var socket = ConfigurationText.Find(input, "socket"u8);
        if (socket.IsEmpty)
        {
            socket = "/run/plumb/cni.sock"u8;
        }
        // Variables, each with a NUL behind it as in /proc/PID/environ; one more NUL; the input as it came.
        // Runtimes have secrets in their environment: only what the specification names leaves the process.
        Octets call = default;
        Add("CNI_COMMAND="u8, ref call);
        Add("CNI_CONTAINERID="u8, ref call);
        Add("CNI_NETNS="u8, ref call);
        Add("CNI_IFNAME="u8, ref call);
        Add("CNI_ARGS="u8, ref call);
        Add("CNI_PATH="u8, ref call);
        call.Add("\0"u8);
        call.Add(input);

        Octets said = default;
        var errno = AgentSocket.Ask(socket, call.All, ref said);
        // 200 and 500: what the plugin prints, and whether it succeeded. An agent that ends meanwhile may let its server say 500 for it, without a word.
        if (errno != 0 || !AgentSocket.TryRead(said.All, out var status, out var body) || status is not (200 or 500) || (status == 500 && body.IsEmpty))
        {
            OwnAnswer.Away(command, version, socket, errno, ref answer);
            return false;
        }
        answer.Add(body);
        return status == 200;
    }

    private static void Add(Text name, ref Octets call)
    {
        var value = Variable(name);
        if (!value.IsEmpty)
        {
            call.Add(name);
            call.Add(value);
            call.Add("\0"u8);
        }
    }

    /// <param name="name">With its equals sign.</param>
    private static Text Variable(Text name)
    {
        for (var each = s_environment; *each != null; each++)
        {
            var variable = Text.UpToNul(*each);
            if (variable.StartsWith(name))
            {
                return variable.From(name.Length);
            }
        }
        return default;
    }

    private static bool Print(Text text)
    {
        while (!text.IsEmpty)
        {
            var written = SystemCalls.Write(1, text.Start, text.Length);
            if (written >= 0)
            {
                text = text.From(written);
            }
            else if (written != -SystemCalls.EINTR)
            {
                return false;
            }
        }
        return true;
    }
}
