using System.Buffers.Binary;
using System.Text;

namespace Plumb.Linux.Capture;

/// <summary>pcapng: blocks of any type, each with its length at both ends; interfaces are numbered within a section.</summary>
internal sealed class PcapngReader(Stream from)
{
    public const uint SectionHeader = 0x0A0D0D0A;

    private const uint Magic = 0x1A2B3C4D;
    private const uint InterfaceDescription = 1;
    private const uint OldPacket = 2;
    private const uint SimplePacket = 3;
    private const uint EnhancedPacket = 6;
    private const int FrameBytes = 12; // type, and the length twice
    private const int LongestBlock = CaptureFile.MostBytes * 4;

    private const ushort OptComment = 1;

    private readonly List<Place> _places = [];
    private bool _isBig;

    public IEnumerable<RecordedFrame> Read()
    {
        var number = 0;
        // Of the first block the type is read already.
        for (uint? type = SectionHeader; type is { } kind; type = Type())
        {
            var body = Body(kind);
            switch (kind)
            {
                case SectionHeader:
                    _places.Clear();
                    break;
                case InterfaceDescription:
                    _places.Add(Interface(body));
                    break;
                case EnhancedPacket:
                    yield return Enhanced(body, ++number);
                    break;
                case SimplePacket:
                    yield return Simple(body, ++number);
                    break;
                case OldPacket:
                    yield return Old(body, ++number);
                    break;
                default:
                    break;
            }
        }
    }

    private uint? Type() => CaptureFile.Take(from, sizeof(uint)) is { } bytes ? Number32(bytes) : null;

    private byte[] Body(uint type)
    {
        var head = Rest(sizeof(uint));
        byte[] magic = [];
        if (type == SectionHeader)
        {
            magic = Rest(sizeof(uint));
            _isBig = BinaryPrimitives.ReadUInt32BigEndian(magic) == Magic;
            if (!_isBig && BinaryPrimitives.ReadUInt32LittleEndian(magic) != Magic)
            {
                throw new CaptureFileException("it is no capture file: a section of pcapng begins without its byte order");
            }
        }
        var length = Number32(head);
        if (length < FrameBytes + magic.Length || length > LongestBlock || length % 4 != 0)
        {
            throw new CaptureFileException($"a block in it says that it has {length} bytes");
        }
        var body = Rest((int)length - FrameBytes - magic.Length);
        return Number32(Rest(sizeof(uint))) == length ? body : throw new CaptureFileException("a block in it has another length at its end than at its beginning");
    }

    private byte[] Rest(int count) => count == 0 ? [] : CaptureFile.Take(from, count) ?? throw CaptureFile.Cut();

    private Place Interface(byte[] body)
    {
        var place = new Place(Number16(Part(body, 0, 8)), "", "", 6, 0);
        foreach (var (code, value) in Options(body, 8))
        {
            place = code switch
            {
                2 => place with { Name = Text(value) },
                3 => place with { Description = Text(value) },
                9 when value.Length == 1 => place with { Resolution = value[0] },
                14 when value.Length == 8 => place with { OffsetSeconds = _isBig ? BinaryPrimitives.ReadInt64BigEndian(value) : BinaryPrimitives.ReadInt64LittleEndian(value) },
                _ => place,
            };
        }
        return place;
    }

    private RecordedFrame Enhanced(byte[] body, int number)
    {
        const int headerBytes = 20;
        var head = Part(body, 0, headerBytes);
        var frame = Frame(body, number, PlaceOf(Number32(head), number), Time(head[4..]), Number32(head[12..]), Number32(head[16..]), headerBytes, out var end);
        return WithOptions(frame, body, end);
    }

    // Superseded by the above, and still written by some.
    private RecordedFrame Old(byte[] body, int number)
    {
        const int headerBytes = 20;
        var head = Part(body, 0, headerBytes);
        var frame = Frame(body, number, PlaceOf(Number16(head), number), Time(head[4..]), Number32(head[12..]), Number32(head[16..]), headerBytes, out var end);
        return WithOptions(frame, body, end);
    }

    // Nothing but bytes: the first interface's.
    private RecordedFrame Simple(byte[] body, int number)
    {
        const int headerBytes = 4;
        var length = Number32(Part(body, 0, headerBytes));
        return Frame(body, number, PlaceOf(0, number), null, Math.Min(length, (uint)(body.Length - headerBytes)), length, headerBytes, out _);
    }

    private Place PlaceOf(uint index, int number) =>
        index < _places.Count ? _places[(int)index] : throw new CaptureFileException($"its frame {number} is of interface {index}, of which it does not tell");

    private static RecordedFrame Frame(byte[] body, int number, Place place, ulong? time, uint kept, uint length, int at, out int end)
    {
        if (kept > CaptureFile.MostBytes || kept > body.Length - at || length > int.MaxValue)
        {
            throw new CaptureFileException($"its frame {number} says that it has {kept} bytes");
        }
        end = at + (((int)kept + 3) & ~3);
        return new RecordedFrame(number, place.Name, place.Description, place.LinkType, body[at..(at + (int)kept)], (int)length) { Nanoseconds = time is { } units ? place.Nanoseconds(units) : null };
    }

    private RecordedFrame WithOptions(RecordedFrame frame, byte[] body, int at)
    {
        var comments = new List<string>();
        bool? isOutgoing = null;
        foreach (var (code, value) in Options(body, at))
        {
            switch (code)
            {
                case OptComment:
                    comments.Add(Text(value));
                    break;
                case 2 when value.Length == 4:
                    isOutgoing = (Number32(value) & 3) switch { 1 => false, 2 => true, _ => null };
                    break;
                default:
                    break;
            }
        }
        return frame with { Comments = comments, IsOutgoing = isOutgoing };
    }

    private IEnumerable<(ushort Code, byte[] Value)> Options(byte[] body, int at)
    {
        while (at + 4 <= body.Length)
        {
            var (code, length) = (Number16(body.AsSpan(at)), Number16(body.AsSpan(at + 2)));
            if (code == 0 || at + 4 + length > body.Length)
            {
                yield break;
            }
            yield return (code, body[(at + 4)..(at + 4 + length)]);
            at += 4 + ((length + 3) & ~3);
        }
    }

    private static ReadOnlySpan<byte> Part(byte[] body, int at, int count) =>
        at + count <= body.Length ? body.AsSpan(at, count) : throw new CaptureFileException("a block in it is too short for what it is");

    private ulong Time(ReadOnlySpan<byte> highThenLow) => ((ulong)Number32(highThenLow) << 32) | Number32(highThenLow[4..]);

    private static string Text(byte[] value) => Encoding.UTF8.GetString(value).TrimEnd('\0');

    private uint Number32(ReadOnlySpan<byte> bytes) => _isBig ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private ushort Number16(ReadOnlySpan<byte> bytes) => _isBig ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    /// <param name="Resolution">if_tsresol: a power of ten, or with the highest bit of two, that a second has of its units.</param>
    private readonly record struct Place(ushort LinkType, string Name, string Description, byte Resolution, long OffsetSeconds)
    {
        private const byte OfTwo = 0x80;
        private const long Second = 1_000_000_000;

        /// <summary>Null: no time that a calendar has.</summary>
        public long? Nanoseconds(ulong units)
        {
            var power = Resolution & ~OfTwo;
            UInt128 nanoseconds = units;
            if ((Resolution & OfTwo) != 0)
            {
                nanoseconds = nanoseconds * Second >> power;
            }
            else
            {
                nanoseconds *= Second;
                for (; power > 0 && nanoseconds > 0; power--)
                {
                    nanoseconds /= 10;
                }
            }
            var all = (Int128)nanoseconds + ((Int128)OffsetSeconds * Second);
            return all >= 0 && all <= long.MaxValue ? (long)all : null;
        }
    }
}
