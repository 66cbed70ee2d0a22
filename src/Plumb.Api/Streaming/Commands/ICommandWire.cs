namespace Plumb.Api.Streaming.Commands;

/// <summary>The client's side of an exec or attach, whatever carries it.</summary>
internal interface ICommandWire
{
    Stream? Stdin { get; }

    Stream? Stdout { get; }

    Stream? Stderr { get; }

    /// <summary>Reads one JSON object per change of the terminal's size; null without a terminal.</summary>
    Stream? Resizes { get; }

    /// <summary>From remotecommand v4 on the last words are a Status object; before, plain text and only for a failure.</summary>
    bool EndsWithStatus { get; }

    CancellationToken ClientGone { get; }

    /// <summary>
    /// Ends the outputs, sends the last words, and waits until the client has closed its side. Closing first would be wrong: unread input in our socket
    /// turns a close into a reset, which takes what the client has not read yet with it.
    /// </summary>
    Task FinishAsync(ReadOnlyMemory<byte> lastWords, TimeProvider time);
}
