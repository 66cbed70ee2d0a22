using System.Buffers.Binary;
using System.Text;
using Plumb.Kubernetes.Json;

namespace Plumb.Benchmarks.Wire;

/// <summary>The fields of one message, one after another; what the caller has no use for costs its tag and length only.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> rest = message;

    public int Field { get; private set; }

    /// <summary>Of a varint.</summary>
    public ulong Number { get; private set; }

    /// <summary>Of a text, bytes or a message.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    public readonly bool Flag => Number != 0;

    public readonly string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>Of a field that Go always writes: empty is absent.</summary>
    public readonly string? TextOrNull => Bytes.IsEmpty ? null : Text;

    public readonly DateTimeOffset? Time
    {
        get
        {
            var reader = new ProtobufReader(Bytes);
            return reader.Next() && reader.Field == 1 ? DateTimeOffset.FromUnixTimeSeconds((long)reader.Number) : null;
        }
    }

    /// <summary>The only field of a message that is nothing but a text.</summary>
    public readonly string Only
    {
        get
        {
            var reader = new ProtobufReader(Bytes);
            return reader.Next() ? reader.Text : "";
        }
    }

    public readonly IntOrString IntOrString
    {
        get
        {
            var reader = new ProtobufReader(Bytes);
            var isText = false;
            var number = 0;
            while (reader.Next())
            {
                switch (reader.Field)
                {
                    case 1: isText = reader.Flag; break;
                    case 2: number = (int)reader.Number; break;
                    case 3 when isText: return reader.Text;
                }
            }
            return number;
        }
    }

    /// <exception cref="InvalidDataException">Cut short, or of a wire type that nothing of Kubernetes has.</exception>
    public bool Next()
    {
        if (rest.IsEmpty)
            return false;
        var tag = Varint();
        Field = (int)(tag >> 3);
        switch (tag & 7)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                Bytes = Take(Varint());
                break;
            case 5:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw new InvalidDataException($"field {Field} has wire type {tag & 7}");
        }
        return true;
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)rest.Length)
            throw new InvalidDataException($"field {Field} has {length} bytes, of which {rest.Length} are there");
        var taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var i = 0; i < rest.Length && i < 10; i++)
        {
            value |= (ulong)(rest[i] & 127) << (7 * i);
            if (rest[i] < 128)
            {
                rest = rest[(i + 1)..];
                return value;
            }
        }
        throw new InvalidDataException("a number that does not end");
    }
}
