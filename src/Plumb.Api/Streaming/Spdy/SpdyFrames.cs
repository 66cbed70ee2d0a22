using System.Buffers.Binary;

namespace Plumb.Api.Streaming.Spdy;

/// <summary>The peer broke SPDY/3.1. No other exception leaves the parser.</summary>
internal sealed class SpdyException(string message) : Exception(message);

/// <summary>Control frame types, SPDY/3.1 section 2.6.</summary>
internal enum SpdyType : ushort
{
    SynStream = 1,
    SynReply = 2,
    RstStream = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    Headers = 8,
    WindowUpdate = 9,
}

/// <summary>Why a stream is reset, section 2.6.3.</summary>
internal enum SpdyReset : uint
{
    ProtocolError = 1,
    InvalidStream = 2,
    RefusedStream = 3,
    Cancel = 5,
    FlowControlError = 7,
    StreamInUse = 8,
}

/// <summary>The 8 bytes before every frame's payload, big-endian.</summary>
/// <param name="Type">Null for a data frame.</param>
/// <param name="StreamId">Of a data frame; 0 for control frames, which carry theirs in the payload.</param>
/// <param name="LengthBytes">Of the payload, 24 bits.</param>
internal readonly record struct SpdyFrameHeader(SpdyType? Type, uint StreamId, byte Flags, int LengthBytes)
{
    public const int SizeBytes = 8;
    public const int MaxLengthBytes = 0xffffff;
    public const byte FlagFin = 0x01;
    public const byte FlagUnidirectional = 0x02;
    private const ushort Version = 3;
    private const uint ControlBit = 0x8000_0000;

    public bool IsFin => (Flags & FlagFin) != 0;

    /// <exception cref="SpdyException">Another version of the protocol, or no SPDY at all.</exception>
    public static SpdyFrameHeader Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SizeBytes)
            throw new SpdyException($"frame header: {bytes.Length} bytes, {SizeBytes} needed");
        var first = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        var second = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        var (flags, length) = ((byte)(second >> 24), (int)(second & MaxLengthBytes));
        if ((first & ControlBit) == 0)
            return new SpdyFrameHeader(null, first, flags, length);

        var version = (first >> 16) & 0x7fff;
        if (version != Version)
            throw new SpdyException($"frame header: version {version}, only {Version} is spoken");
        return new SpdyFrameHeader((SpdyType)(ushort)first, 0, flags, length);
    }

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Type is { } type ? ControlBit | (uint)Version << 16 | (ushort)type : StreamId);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], (uint)Flags << 24 | (uint)LengthBytes);
    }
}

/// <summary>Payloads of the control frames: what is read from a client, and whole frames as they are written to it.</summary>
internal static class SpdyFrames
{
    private const uint IdMask = 0x7fff_ffff;

    /// <summary>SETTINGS_INITIAL_WINDOW_SIZE, section 2.6.4.</summary>
    public const uint SettingInitialWindow = 7;

    /// <summary>Stream id, the stream that it belongs to, and the still compressed header block.</summary>
    public static (uint StreamId, uint AssociatedId, ReadOnlyMemory<byte> Headers) ReadSynStream(ReadOnlyMemory<byte> payload)
    {
        // 4 id, 4 associated id, 3 bits of priority and 13 unused.
        Demand(SpdyType.SynStream, payload.Length, 10);
        return (Id(payload.Span), Id(payload.Span[4..]), payload[10..]);
    }

    public static (uint StreamId, ReadOnlyMemory<byte> Headers) ReadHeaders(SpdyType type, ReadOnlyMemory<byte> payload)
    {
        Demand(type, payload.Length, 4);
        return (Id(payload.Span), payload[4..]);
    }

    /// <summary>RST_STREAM, GOAWAY and WINDOW_UPDATE: a stream id and a number.</summary>
    public static (uint StreamId, uint Value) ReadPair(SpdyType type, ReadOnlySpan<byte> payload)
    {
        Demand(type, payload.Length, 8);
        return (Id(payload), BinaryPrimitives.ReadUInt32BigEndian(payload[4..]));
    }

    public static uint ReadPing(ReadOnlySpan<byte> payload)
    {
        Demand(SpdyType.Ping, payload.Length, 4);
        return BinaryPrimitives.ReadUInt32BigEndian(payload);
    }

    /// <summary>The last SETTINGS_INITIAL_WINDOW_SIZE in a SETTINGS frame, in bytes; null when it sets something else.</summary>
    public static int? ReadInitialWindow(ReadOnlySpan<byte> payload)
    {
        Demand(SpdyType.Settings, payload.Length, 4);
        var count = BinaryPrimitives.ReadUInt32BigEndian(payload);
        var entries = payload[4..];
        if (count > entries.Length / 8)
            throw new SpdyException($"{SpdyType.Settings}: {count} entries announced, {entries.Length} bytes follow");
        int? window = null;
        for (var i = 0; i < (int)count; i++)
        {
            var entry = entries[(i * 8)..];
            if ((BinaryPrimitives.ReadUInt32BigEndian(entry) & 0xffffff) == SettingInitialWindow)
                window = (int)(BinaryPrimitives.ReadUInt32BigEndian(entry[4..]) & IdMask);
        }

        return window;
    }

    public static byte[] Pair(SpdyType type, uint streamId, uint value)
    {
        var frame = Control(type, 8);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), streamId);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(12), value);
        return frame;
    }

    public static byte[] Ping(uint id)
    {
        var frame = Control(SpdyType.Ping, 4);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), id);
        return frame;
    }

    public static byte[] SynReply(uint streamId, ReadOnlySpan<byte> headerBlock)
    {
        var frame = Control(SpdyType.SynReply, 4 + headerBlock.Length);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), streamId);
        headerBlock.CopyTo(frame.AsSpan(12));
        return frame;
    }

    private static byte[] Control(SpdyType type, int lengthBytes)
    {
        var frame = new byte[SpdyFrameHeader.SizeBytes + lengthBytes];
        new SpdyFrameHeader(type, 0, 0, lengthBytes).Write(frame);
        return frame;
    }

    private static uint Id(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes) & IdMask;

    private static void Demand(SpdyType type, int has, int needs)
    {
        if (has < needs)
            throw new SpdyException($"{type}: {has} bytes, {needs} needed");
    }
}
