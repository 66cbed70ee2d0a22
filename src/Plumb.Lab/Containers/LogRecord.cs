using System.Buffers;
using System.Globalization;
using System.Text;
using Plumb.Api.Streaming;

namespace Plumb.Lab.Containers;

/// <summary>One line of a log file: `2026-01-02T03:04:05.123456700Z stdout F text`.</summary>
internal static class LogRecord
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffffff";
    private const int TimeBytes = 30; // nanoseconds and a Z: the clock's 100 ns, and two zeros

    /// <summary>What a record holds beside its text.</summary>
    public const int OverheadBytes = TimeBytes + 1 + 6 + 1 + 1 + 1 + 1;

    /// <returns>The record's length in bytes.</returns>
    public static int Write(Span<byte> record, DateTimeOffset at, LogStream stream, ReadOnlySpan<byte> text, bool partial)
    {
        at.UtcDateTime.TryFormat(record, out var length, TimeFormat, CultureInfo.InvariantCulture);
        "00Z "u8.CopyTo(record[length..]);
        (stream == LogStream.Stdout ? "stdout "u8 : "stderr "u8).CopyTo(record[(TimeBytes + 1)..]);
        (partial ? "P "u8 : "F "u8).CopyTo(record[(TimeBytes + 8)..]);
        text.CopyTo(record[(TimeBytes + 10)..]);
        record[TimeBytes + 10 + text.Length] = (byte)'\n';
        return TimeBytes + 11 + text.Length;
    }

    /// <param name="line">Without its line feed.</param>
    public static (LogStream Stream, bool Partial) Head(ReadOnlySpan<byte> line) =>
        (line[TimeBytes + 4] == (byte)'o' ? LogStream.Stdout : LogStream.Stderr, line[TimeBytes + 8] == (byte)'P');

    public static ReadOnlySpan<byte> Time(ReadOnlySpan<byte> line) => line[..TimeBytes];

    public static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> line) => line[(TimeBytes + 10)..];

    /// <summary>Fixed width and UTC: times in this form compare as text does.</summary>
    public static byte[] TimeText(DateTimeOffset at) => Encoding.ASCII.GetBytes(at.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture) + "00Z");
}

/// <summary>Picks from whole records what a <see cref="LogRequest"/> asks for. Fed in order; remembers where it is.</summary>
/// <param name="skipLines">How many of the selected lines are before the tail.</param>
internal sealed class LogFilter(LogRequest request, long skipLines)
{
    private readonly byte[]? _since = request.Since is { } since ? LogRecord.TimeText(since) : null;
    private bool _insideLine;
    private long _leftBytes = request.LimitBytes ?? long.MaxValue;

    /// <summary>Lines seen so far of the streams asked for, pieces counted as one.</summary>
    public long Lines { get; private set; }

    public bool IsFull => _leftBytes == 0;

    /// <param name="to">Null only counts.</param>
    public void Select(ReadOnlySpan<byte> records, IBufferWriter<byte>? to)
    {
        while (!records.IsEmpty && !IsFull)
        {
            var end = records.IndexOf((byte)'\n');
            Line(records[..end], to);
            records = records[(end + 1)..];
        }
    }

    private void Line(ReadOnlySpan<byte> line, IBufferWriter<byte>? to)
    {
        var (stream, partial) = LogRecord.Head(line);
        if ((request.Source == LogSource.Stdout && stream != LogStream.Stdout) || (request.Source == LogSource.Stderr && stream != LogStream.Stderr))
        {
            return;
        }

        var skipped = Lines < skipLines;
        Lines += partial ? 0 : 1;
        if (to is null || skipped || (_since is not null && LogRecord.Time(line).SequenceCompareTo(_since) < 0))
        {
            return;
        }

        if (request.Timestamps && !_insideLine)
        {
            Put(to, LogRecord.Time(line));
            Put(to, " "u8);
        }

        Put(to, LogRecord.Text(line));
        _insideLine = partial;
        if (!partial)
        {
            Put(to, "\n"u8);
        }
    }

    private void Put(IBufferWriter<byte> to, ReadOnlySpan<byte> bytes)
    {
        var count = (int)Math.Min(bytes.Length, _leftBytes);
        to.Write(bytes[..count]);
        _leftBytes -= count;
    }
}
