using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Plumb.Dns.Wire;

/// <summary>The three parts of an answer, in their order.</summary>
internal enum Section
{
    Answer,
    Authority,
    Additional,
}

/// <summary>
/// Writes an answer into a buffer of the largest size that the asker takes. What does not fit is left out as whole records, and the
/// truncation bit says so. Names of owners are compressed (RFC 1035, section 4.1.4), those inside of data only where every reader
/// expects it.
/// </summary>
internal ref struct MessageWriter
{
    private const int MostOffsets = 24;
    private const int MostPointer = 0x3fff;
    private const int OptBytes = 11;
    private const ushort DnssecOkFlag = 0x8000;

    /// <summary>What fits through every path without fragments (DNS flag day 2020).</summary>
    public const int PlumbUdpBytes = 1232;

    private readonly Span<byte> _to;
    private readonly int _room;
    private readonly ReadOnlySpan<byte> _asked;
    private readonly bool _hasEdns;
    private readonly bool _dnssecOk;
    private Offsets _names;
    private int _nameCount;
    private int _at;
    private ushort _flags;
    private byte _code;
    private bool _full;
    private bool _isQuestionKnown;

    /// <param name="to">As large as the answer may become.</param>
    /// <param name="flags">Beyond those that follow from the query.</param>
    public MessageWriter(in Query query, Span<byte> to, ushort flags)
    {
        _to = to;
        _asked = query.Name;
        _hasEdns = query.HasEdns;
        _dnssecOk = query.DnssecOk;
        _room = to.Length - (_hasEdns ? OptBytes : 0);
        _flags = (ushort)(Header.Response | flags | (query.Flags & (Header.OpcodeMask | Header.RecursionDesired | Header.CheckingDisabled)));
        var question = query.Question;
        query.Message[..2].CopyTo(to);
        to[Header.Flags..Header.Bytes].Clear();
        question.CopyTo(to[Header.Bytes..]);
        _at = Header.Bytes + question.Length;
        if (question.Length != 0)
        {
            to[Header.Questions + 1] = 1;
        }
    }

    /// <summary>Whether something has been left out.</summary>
    public readonly bool IsFull => _full;

    public ResponseCode Code
    {
        readonly get => (ResponseCode)_code;
        set => _code = (byte)value;
    }

    public void AddFlags(ushort flags) => _flags |= flags;

    /// <summary>Writes one record; false when there is no room for it, nor for any after it.</summary>
    /// <param name="owner">A name in wire form, not compressed.</param>
    /// <param name="data">As zone files mean it: names in it not compressed.</param>
    public bool Write(Section section, scoped ReadOnlySpan<byte> owner, RecordType type, uint ttlSeconds, scoped ReadOnlySpan<byte> data)
    {
        if (_full)
        {
            return false;
        }
        var (start, names) = (_at, _nameCount);
        if (WriteName(owner) && TryWriteFields(type, ttlSeconds, data))
        {
            var count = _to[(Header.Answers + (2 * (int)section))..];
            BinaryPrimitives.WriteUInt16BigEndian(count, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(count) + 1));
            return true;
        }
        (_at, _nameCount) = (start, names);
        // Additional records are a courtesy: an answer without them is whole.
        if (section != Section.Additional)
        {
            _flags |= Header.Truncated;
        }
        _full = true;
        return false;
    }

    /// <summary>Closes the message. Its length in bytes.</summary>
    public int Finish()
    {
        if (_hasEdns)
        {
            var opt = _to.Slice(_at, OptBytes);
            opt.Clear();
            opt[2] = (byte)RecordType.Opt;
            BinaryPrimitives.WriteUInt16BigEndian(opt[3..], PlumbUdpBytes);
            opt[5] = (byte)(_code >> 4);
            BinaryPrimitives.WriteUInt16BigEndian(opt[7..], _dnssecOk ? DnssecOkFlag : (ushort)0);
            _at += OptBytes;
            var count = _to[Header.Additionals..];
            BinaryPrimitives.WriteUInt16BigEndian(count, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(count) + 1));
        }
        BinaryPrimitives.WriteUInt16BigEndian(_to[Header.Flags..], (ushort)(_flags | (_code & Header.CodeMask)));
        return _at;
    }

    private bool TryWriteFields(RecordType type, uint ttlSeconds, scoped ReadOnlySpan<byte> data)
    {
        const int fixedBytes = 10;
        if (_at + fixedBytes + data.Length > _room)
        {
            return false;
        }
        var fields = _to[_at..];
        BinaryPrimitives.WriteUInt16BigEndian(fields, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(fields[2..], RecordClass.Internet);
        BinaryPrimitives.WriteUInt32BigEndian(fields[4..], ttlSeconds);
        _at += fixedBytes;
        var begin = _at;
        if (type is RecordType.Cname or RecordType.Ptr or RecordType.Ns)
        {
            if (!WriteName(data))
            {
                return false;
            }
        }
        else
        {
            data.CopyTo(_to[_at..]);
            if (type == RecordType.Srv && data.Length > 6)
            {
                // Not compressed itself (RFC 2782), but its address may point to it.
                Remember(_at + 6);
            }
            _at += data.Length;
        }
        BinaryPrimitives.WriteUInt16BigEndian(fields[8..], (ushort)(_at - begin));
        return true;
    }

    private bool WriteName(scoped ReadOnlySpan<byte> name)
    {
        var begin = _at;
        // Most owners are the very name that was asked for, which stands right behind the header.
        if (name == _asked && name.Length > 1)
        {
            return TryPoint(Header.Bytes);
        }
        if (!_isQuestionKnown)
        {
            _isQuestionKnown = true;
            if (_asked.Length != 0)
            {
                Remember(Header.Bytes);
            }
        }
        for (var rest = name; rest[0] != 0; rest = WireName.Parent(rest))
        {
            if (FindName(rest) is var known and >= 0)
            {
                if (!TryPoint(known))
                {
                    return false;
                }
                if (rest.Length != name.Length)
                {
                    Remember(begin);
                }
                return true;
            }
            var label = rest[0] + 1;
            if (_at + label + 1 > _room)
            {
                return false;
            }
            rest[..label].CopyTo(_to[_at..]);
            _at += label;
        }
        if (_at + 1 > _room)
        {
            return false;
        }
        _to[_at++] = 0;
        Remember(begin);
        return true;
    }

    private bool TryPoint(int offset)
    {
        if (_at + sizeof(ushort) > _room)
        {
            return false;
        }
        BinaryPrimitives.WriteUInt16BigEndian(_to[_at..], (ushort)(0xc000 | offset));
        _at += sizeof(ushort);
        return true;
    }

    // Every label of every name written is a place to point to; of long answers the first few dozen are enough.
    private void Remember(int offset)
    {
        for (var at = offset; _nameCount < MostOffsets && at <= MostPointer; at += _to[at] + 1)
        {
            if (_to[at] is 0 or > WireName.MostLabelBytes)
            {
                return;
            }
            _names[_nameCount++] = (ushort)at;
        }
    }

    private readonly int FindName(scoped ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _nameCount; i++)
        {
            if (IsAt(_names[i], name))
            {
                return _names[i];
            }
        }
        return -1;
    }

    private readonly bool IsAt(int at, scoped ReadOnlySpan<byte> name)
    {
        while (true)
        {
            int label = _to[at];
            if (label > WireName.MostLabelBytes)
            {
                at = ((label & 0x3f) << 8) | _to[at + 1];
                continue;
            }
            if (label != name[0])
            {
                return false;
            }
            if (label == 0)
            {
                return true;
            }
            if (!WireName.EqualsIgnoringCase(_to.Slice(at + 1, label), name.Slice(1, label)))
            {
                return false;
            }
            at += label + 1;
            name = name[(label + 1)..];
        }
    }

    [InlineArray(MostOffsets)]
    private struct Offsets
    {
        private ushort _first;
    }
}
