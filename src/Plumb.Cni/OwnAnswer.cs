namespace Plumb.Cni;

/// <summary>What the plugin says when it has nobody to ask: which versions it speaks, and errors of the specification's section 5.</summary>
internal static class OwnAnswer
{
    public const int InvalidEnvironment = 4;
    public const int IoFailure = 5;

    /// <summary>The plugin's own: CHECK found something missing.</summary>
    public const int FailedCheck = 101;

    private const int TryAgainLater = 11;
    private const int NotAvailable = 50;

    /// <summary>Answered here: runtimes ask while they read their configuration, when the agent may not run yet, and tell no socket.</summary>
    public static void Versions(Text version, ref Octets answer)
    {
        answer.Add("{\"cniVersion\":\""u8);
        answer.Add(version);
        answer.Add("\",\"supportedVersions\":[\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}"u8);
    }

    /// <summary>The agent does not answer: STATUS has a code of its own for that, all else may be asked again.</summary>
    /// <param name="errno">0: the answer broke off.</param>
    public static void Away(Text command, Text version, Text path, nint errno, ref Octets answer)
    {
        Begin(version, command.Is("STATUS"u8) ? NotAvailable : TryAgainLater, "the agent of this node does not answer"u8, ref answer);
        answer.Add("socket "u8);
        answer.Add(path);
        answer.Add(": "u8);
        if (errno == 0)
        {
            answer.Add("the answer broke off"u8);
        }
        End(errno, ref answer);
    }

    /// <param name="errno">The details; 0: there are none.</param>
    public static void Error(Text version, int code, Text message, nint errno, ref Octets answer)
    {
        Begin(version, code, message, ref answer);
        End(errno, ref answer);
    }

    private static void Begin(Text version, int code, Text message, ref Octets answer)
    {
        answer.Add("{\"cniVersion\":\""u8);
        answer.Add(version);
        answer.Add("\",\"code\":"u8);
        answer.Add(code);
        answer.Add(",\"msg\":\""u8);
        answer.Add(message);
        answer.Add("\",\"details\":\""u8);
    }

    private static void End(nint errno, ref Octets answer)
    {
        if (errno != 0)
        {
            answer.Add("errno "u8);
            answer.Add(errno);
        }
        answer.Add("\"}"u8);
    }
}
