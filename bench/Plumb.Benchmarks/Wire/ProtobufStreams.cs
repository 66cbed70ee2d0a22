using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;

namespace Plumb.Benchmarks.Wire;

/// <summary>Lists and watches in protobuf, read in the manner of the client's own JSON: from the pipe's buffers into records.</summary>
internal static class ProtobufStreams
{
    public static async IAsyncEnumerable<WatchedChange<T>> WatchAsync<T>(Stream body, ProtobufObjects.Reader<T> read)
    {
        var pipe = PipeReader.Create(body, new StreamPipeReaderOptions(leaveOpen: true));
        while (true)
        {
            var result = await pipe.ReadAsync();
            var buffer = result.Buffer;
            while (TryTakeFrame(ref buffer, out var frame))
            {
                yield return Event(frame, read);
            }
            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
                break;
        }
        await pipe.CompleteAsync();
    }

    public static ResourceList<T> List<T>(ReadOnlySpan<byte> body, ProtobufObjects.Reader<T> read)
    {
        var items = new List<T>();
        ListMeta? meta = null;
        for (var reader = new ProtobufReader(Unwrap(body)); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: meta = Meta(reader.Bytes); break;
                case 2: items.Add(read(reader.Bytes)); break;
            }
        }
        return new() { Metadata = meta!, Items = items };
    }

    /// <summary>The message within `k8s`, a zero, and a runtime.Unknown.</summary>
    public static ReadOnlySpan<byte> Unwrap(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith("k8s\0"u8))
            throw new InvalidDataException("no object of Kubernetes");
        var reader = new ProtobufReader(body[4..]);
        while (reader.Next())
        {
            if (reader.Field == 2)
                return reader.Bytes;
        }
        return default;
    }

    private static ListMeta Meta(ReadOnlySpan<byte> message)
    {
        string? version = null, next = null;
        long? remaining = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 2: version = reader.TextOrNull; break;
                case 3: next = reader.TextOrNull; break;
                case 4: remaining = (long)reader.Number; break;
            }
        }
        return new() { ResourceVersion = version, Continue = next, RemainingItemCount = remaining };
    }

    private static WatchedChange<T> Event<T>(in ReadOnlySequence<byte> frame, ProtobufObjects.Reader<T> read)
    {
        if (frame.IsSingleSegment)
            return Event(frame.FirstSpan, read);
        var copy = ArrayPool<byte>.Shared.Rent((int)frame.Length);
        frame.CopyTo(copy);
        var change = Event(copy.AsSpan(0, (int)frame.Length), read);
        ArrayPool<byte>.Shared.Return(copy);
        return change;
    }

    private static WatchedChange<T> Event<T>(ReadOnlySpan<byte> frame, ProtobufObjects.Reader<T> read)
    {
        var kind = WatchEventKind.Bookmark;
        ReadOnlySpan<byte> subject = default;
        for (var reader = new ProtobufReader(frame); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1:
                    kind = reader.Bytes.SequenceEqual("ADDED"u8) ? WatchEventKind.Added
                        : reader.Bytes.SequenceEqual("MODIFIED"u8) ? WatchEventKind.Modified
                        : reader.Bytes.SequenceEqual("DELETED"u8) ? WatchEventKind.Deleted
                        : reader.Bytes.SequenceEqual("BOOKMARK"u8) ? WatchEventKind.Bookmark
                        : throw new InvalidDataException($"an event of type {Encoding.UTF8.GetString(reader.Bytes)}");
                    break;
                case 2:
                    var raw = new ProtobufReader(reader.Bytes);
                    raw.Next();
                    subject = raw.Bytes;
                    break;
            }
        }
        return new(kind, read(Unwrap(subject)));
    }

    private static bool TryTakeFrame(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> frame)
    {
        frame = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryReadBigEndian(out int length) || !reader.TryReadExact(length, out frame))
            return false;
        buffer = buffer.Slice(frame.End);
        return true;
    }
}
