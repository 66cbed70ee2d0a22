using System.IO.Compression;

namespace Plumb.Diagnosis.Snapshots;

/// <summary>
/// The lines of a compressed file, one at a time. Bounded: neither a line nor the whole may be larger than a snapshot of that many bytes ever is, however
/// little of the file it takes.
/// </summary>
internal sealed class SnapshotLines : IDisposable
{
    /// <summary>An object of the API has at most 1.5 MB; all that is longer is cut into several lines.</summary>
    public const int MostLineBytes = 32 << 20;

    // Snapshots of labs shrink to a tenth; what repeats itself shrinks to a thousandth.
    private const long MostRatio = 100;
    private const long AlwaysAllowed = 16 << 20;
    private const long NeverAllowed = 2L << 30;

    private readonly Stream _file;
    private readonly GZipStream _text;
    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private long _total;

    public SnapshotLines(Stream file)
    {
        _file = file;
        _text = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
    }

    /// <summary>The next line without its end; empty at the end of the file. Good until the next call.</summary>
    /// <exception cref="InvalidDataException">It is not compressed, damaged, or larger than allowed.</exception>
    /// <exception cref="EndOfStreamException">It ends within a line.</exception>
    public ReadOnlySpan<byte> Next()
    {
        var searched = _start;
        while (true)
        {
            var at = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = _buffer.AsSpan(_start, searched + at - _start);
                _start = searched + at + 1;
                return line;
            }
            searched = _end;
            if (_end == _buffer.Length)
            {
                searched -= _start;
                MakeRoom();
            }
            var read = _text.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0)
            {
                return _start == _end ? [] : throw new EndOfStreamException();
            }
            _end += read;
            _total += read;
            if (_total > NeverAllowed || (_total > AlwaysAllowed && _total / MostRatio > _file.Position))
            {
                throw new InvalidDataException($"it unpacks to more than {MostRatio} times its size or {NeverAllowed >> 30} GiB, which no snapshot does");
            }
        }
    }

    public void Dispose() => _text.Dispose();

    private void MakeRoom()
    {
        var length = _end - _start;
        if (length > MostLineBytes)
        {
            throw new InvalidDataException($"it has a line of more than {MostLineBytes >> 20} MiB, which no snapshot has");
        }
        var larger = length > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
        _buffer.AsSpan(_start, length).CopyTo(larger);
        (_buffer, _start, _end) = (larger, 0, length);
    }
}
