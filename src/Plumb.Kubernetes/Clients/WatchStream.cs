using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Clients;

public enum WatchEventKind { Added, Modified, Deleted, Bookmark }

/// <summary>One change, as the server tells it.</summary>
/// <param name="Object">After a deletion its last state. Of a bookmark only the resourceVersion means anything.</param>
public readonly record struct WatchedChange<T>(WatchEventKind Kind, T Object);

/// <summary>
/// Reads a watch: one JSON document a line. 1. A line is found in the pipe's own buffers. 2. Its `type` is read, which servers send first. 3. The object is read into
/// its record where it stands: no text, tree or copy of it is made. Where it comes before its type its place is noted, and it is read afterwards.
/// </summary>
internal static class WatchStream
{
    /// <summary>Far above the 1.5 MB that etcd, and so every API server, takes.</summary>
    private const int MaxLineBytes = 16 << 20;

    /// <exception cref="ApiException">The server sent an ERROR event, e.g. 410.</exception>
    /// <exception cref="IOException">The connection broke, or ended within a line.</exception>
    public static async IAsyncEnumerable<WatchedChange<T>> ReadAsync<T>(Stream body, [EnumeratorCancellation] CancellationToken cancel)
    {
        var pipe = PipeReader.Create(body, new StreamPipeReaderOptions(leaveOpen: true));
        try
        {
            while (true)
            {
                var result = await pipe.ReadAsync(cancel).ConfigureAwait(false);
                var buffer = result.Buffer;
                while (TryTakeLine(ref buffer, out var line))
                {
                    if (!line.IsEmpty)
                        yield return Parse<T>(line);
                }
                if (buffer.Length > MaxLineBytes)
                    throw new IOException($"the API server sent an event of more than {MaxLineBytes} bytes");
                bool cut = result.IsCompleted && !buffer.IsEmpty;
                pipe.AdvanceTo(buffer.Start, buffer.End);
                if (cut)
                    throw new IOException("the watch ended within an event");
                if (result.IsCompleted)
                    yield break;
            }
        }
        finally
        {
            await pipe.CompleteAsync().ConfigureAwait(false);
        }
    }

    private static bool TryTakeLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        if (buffer.PositionOf((byte)'\n') is not { } end)
        {
            line = default;
            return false;
        }
        line = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    private static WatchedChange<T> Parse<T>(ReadOnlySequence<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            reader.Read();
            WatchEventKind? kind = null;
            bool isError = false, found = false;
            Utf8JsonReader at = default;
            T? subject = default;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("type"u8))
                {
                    reader.Read();
                    kind = reader.ValueTextEquals("ADDED"u8) ? WatchEventKind.Added
                        : reader.ValueTextEquals("MODIFIED"u8) ? WatchEventKind.Modified
                        : reader.ValueTextEquals("DELETED"u8) ? WatchEventKind.Deleted
                        : reader.ValueTextEquals("BOOKMARK"u8) ? WatchEventKind.Bookmark
                        : null;
                    isError = reader.ValueTextEquals("ERROR"u8);
                }
                else if (reader.ValueTextEquals("object"u8))
                {
                    reader.Read();
                    at = reader;
                    found = true;
                    if (kind is not null && !isError)
                        subject = JsonSerializer.Deserialize(ref reader, KubernetesJson.TypeInfo<T>());
                    else
                        reader.Skip();
                }
                else
                {
                    reader.Skip();
                }
            }
            if (isError && found)
                throw new ApiException(JsonSerializer.Deserialize(ref at, KubernetesJson.TypeInfo<Status>()) ?? new Status { Code = 500 });
            if (kind is not { } known || !found)
                throw new IOException("the API server sent something that is no watch event");
            subject ??= JsonSerializer.Deserialize(ref at, KubernetesJson.TypeInfo<T>());
            return new(known, subject ?? throw new IOException("the API server sent an event without an object"));
        }
        catch (JsonException error)
        {
            throw new IOException($"the API server sent a watch event that cannot be read: {error.Message}", error);
        }
    }
}
