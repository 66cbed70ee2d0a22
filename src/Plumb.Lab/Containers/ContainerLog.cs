using System.Buffers;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Plumb.Api.Streaming;

namespace Plumb.Lab.Containers;

internal enum LogStream { Stdout, Stderr }

/// <summary>
/// The output of one run of a container, in files as the CRI has them: `TIME stdout|stderr F|P TEXT`, P for a piece of a line that goes on.
/// </summary>
/// <remarks>
/// Bounded: when a file is full a new one is begun, and only the last <see cref="MaxFiles"/> are kept. A reader that is overtaken goes on with the
/// oldest that is left. Nothing is on disk before the first line. Thread-safe.
/// </remarks>
internal sealed class ContainerLog : IDisposable
{
    public const int MaxLineBytes = 16 * 1024;
    private const int MaxFiles = 2;
    private const int ReadBytes = 64 * 1024;

    private readonly string _path;
    private readonly long _maxFileBytes;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly List<LogFile> _files = [];
    private TaskCompletionSource? _more;
    private string? _failure;
    private bool _complete;
    private int _numbers;

    /// <param name="path">Of the first file; later ones append `.1`, `.2`…</param>
    public ContainerLog(string path, TimeProvider time, long maxFileBytes = 10 << 20)
    {
        _path = path;
        _time = time;
        _maxFileBytes = maxFileBytes;
    }

    /// <summary>Why lines are being lost; null when none are.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    /// <param name="text">Without its line feed, at most <see cref="MaxLineBytes"/>.</param>
    /// <param name="partial">The line goes on with the next piece.</param>
    public void Append(LogStream stream, ReadOnlySpan<byte> text, bool partial)
    {
        var record = ArrayPool<byte>.Shared.Rent(LogRecord.OverheadBytes + text.Length);
        try
        {
            lock (_gate)
            {
                if (_complete)
                {
                    return;
                }

                // Under the lock, so that times never go back within a file.
                var length = LogRecord.Write(record, _time.GetUtcNow(), stream, text, partial);
                Write(record.AsSpan(0, length));
                Wake();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(record);
        }
    }

    /// <summary>No more lines will come: followers end.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _complete = true;
            Wake();
        }
    }

    /// <inheritdoc cref="IPodRuntime.LogAsync"/>
    public async Task CopyAsync(LogRequest request, Stream output, CancellationToken cancel)
    {
        await output.FlushAsync(cancel);
        var filter = new LogFilter(request, request.TailLines is { } tail ? CountLines(request) - tail : 0);
        var reader = new Position(-1, 0);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        var selected = new ArrayBufferWriter<byte>();
        try
        {
            while (true)
            {
                var (read, more) = Read(ref reader, buffer, request.Follow);
                if (read > 0)
                {
                    filter.Select(buffer.AsSpan(0, read), selected);
                    await output.WriteAsync(selected.WrittenMemory, cancel);
                    await output.FlushAsync(cancel);
                    selected.ResetWrittenCount();
                }

                if (filter.IsFull || (read == 0 && more is null))
                {
                    return;
                }

                if (read == 0)
                {
                    await more!.WaitAsync(cancel);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Closes and deletes the files.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _complete = true;
            foreach (var file in _files)
            {
                file.Handle.Dispose();
                if (File.Exists(file.Path))
                {
                    File.Delete(file.Path);
                }
            }

            _files.Clear();
            Wake();
        }
    }

    /// <summary>Reads whole records from a position on.</summary>
    /// <returns>The bytes read; and when there are none, what to await for more, null at the end.</returns>
    private (int Read, Task? More) Read(ref Position position, byte[] buffer, bool follow)
    {
        lock (_gate)
        {
            foreach (var file in _files)
            {
                if (file.Number < position.File)
                {
                    continue;
                }

                if (file.Number > position.File)
                {
                    position = new Position(file.Number, 0);
                }

                if (position.Offset >= file.LengthBytes)
                {
                    continue;
                }

                var wanted = (int)Math.Min(buffer.Length, file.LengthBytes - position.Offset);
                var read = RandomAccess.Read(file.Handle, buffer.AsSpan(0, wanted), position.Offset);
                // A record is much shorter than the buffer, so there is always an end of one.
                var whole = buffer.AsSpan(0, read).LastIndexOf((byte)'\n') + 1;
                position = position with { Offset = position.Offset + whole };
                return (whole, null);
            }

            if (!follow || _complete)
            {
                return (0, null);
            }

            _more ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (0, _more.Task);
        }
    }

    /// <summary>How many lines of the request's streams there are; those from before `since` count too, as in the kubelet's log.</summary>
    private long CountLines(LogRequest request)
    {
        var all = new LogFilter(request with { LimitBytes = null, Since = null }, 0);
        var position = new Position(-1, 0);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            while (Read(ref position, buffer, follow: false) is { Read: > 0 } piece)
            {
                all.Select(buffer.AsSpan(0, piece.Read), to: null);
            }

            return all.Lines;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Write(ReadOnlySpan<byte> record)
    {
        try
        {
            if (_files.Count == 0 || _files[^1].LengthBytes + record.Length > _maxFileBytes)
            {
                Begin();
            }

            var file = _files[^1];
            RandomAccess.Write(file.Handle, record, file.LengthBytes);
            file.LengthBytes += record.Length;
            _failure = null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A full disk must not stop the container; the line is lost and the reason is kept.
            _failure = error.Message;
        }
    }

    private void Begin()
    {
        var path = _numbers == 0 ? _path : $"{_path}.{_numbers}";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var handle = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        _files.Add(new LogFile(_numbers++, path, handle));
        if (_files.Count > MaxFiles)
        {
            _files[0].Handle.Dispose();
            File.Delete(_files[0].Path);
            _files.RemoveAt(0);
        }
    }

    private void Wake()
    {
        _more?.TrySetResult();
        _more = null;
    }

    private readonly record struct Position(int File, long Offset);

    private sealed class LogFile(int number, string path, SafeFileHandle handle)
    {
        public int Number { get; } = number;

        public string Path { get; } = path;

        public SafeFileHandle Handle { get; } = handle;

        public long LengthBytes { get; set; }
    }
}
