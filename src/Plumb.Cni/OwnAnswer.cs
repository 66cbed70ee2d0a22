using System;

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
    public static ReadOnlySpan<byte> Versions(ReadOnlySpan<byte> version) => new Octets()
        .Add("{\"cniVersion\":\""u8).Add(version)
        .Add("\",\"supportedVersions\":[\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}"u8).All;

    /// <summary>The agent does not answer: STATUS has a code of its own for that, all else may be asked again.</summary>
    public static ReadOnlySpan<byte> Away(ReadOnlySpan<byte> command, ReadOnlySpan<byte> version, ReadOnlySpan<byte> path, int errno) => Error(
        version,
        command.SequenceEqual("STATUS"u8) ? NotAvailable : TryAgainLater,
        "the agent of this node does not answer"u8,
        new Octets().Add("socket "u8).Add(path).Add(errno == 0 ? ": the answer broke off"u8 : ": errno "u8).Add(errno == 0 ? [] : new Octets().Add(errno).All).All);

    /// <param name="details">Text of JSON: what stands in it from a configuration is escaped already.</param>
    public static ReadOnlySpan<byte> Error(ReadOnlySpan<byte> version, int code, ReadOnlySpan<byte> message, ReadOnlySpan<byte> details) => new Octets()
        .Add("{\"cniVersion\":\""u8).Add(version)
        .Add("\",\"code\":"u8).Add(code)
        .Add(",\"msg\":\""u8).Add(message)
        .Add("\",\"details\":\""u8).Add(details).Add("\"}"u8).All;
}
