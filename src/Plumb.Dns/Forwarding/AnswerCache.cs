using System.Collections.Concurrent;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Forwarding;

/// <summary>Others' answers for as long as they hold. Reading takes no lock and allocates nothing.</summary>
internal sealed class AnswerCache(int mostEntries, TimeProvider time)
{
    /// <summary>A name, a type and a byte of flags.</summary>
    public const int MostKeyBytes = WireName.MostBytes + 3;

    private const byte DnssecOkFlag = 1;
    private const byte CheckingDisabledFlag = 2;
    private const int RoomShare = 8;

    private readonly ConcurrentDictionary<byte[], ForeignAnswer> _answers = new(NameComparer.Instance);
    private int _count;

    /// <param name="name">In wire form and lower case.</param>
    /// <param name="to">Room for <see cref="MostKeyBytes"/>.</param>
    public static ReadOnlySpan<byte> Key(ReadOnlySpan<byte> name, RecordType type, bool dnssecOk, bool checkingDisabled, Span<byte> to)
    {
        name.CopyTo(to);
        to[name.Length] = (byte)((ushort)type >> 8);
        to[name.Length + 1] = (byte)type;
        to[name.Length + 2] = (byte)((dnssecOk ? DnssecOkFlag : 0) | (checkingDisabled ? CheckingDisabledFlag : 0));
        return to[..(name.Length + 3)];
    }

    /// <summary>Null when there is none, or none that still holds.</summary>
    public ForeignAnswer? Find(ReadOnlySpan<byte> key, out uint ageSeconds)
    {
        ageSeconds = 0;
        if (!_answers.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var answer))
        {
            return null;
        }
        ageSeconds = answer.AgeSeconds(time);
        return ageSeconds < answer.TtlSeconds ? answer : null;
    }

    public void Put(byte[] key, ForeignAnswer answer)
    {
        if (answer.TtlSeconds == 0)
        {
            return;
        }
        if (_answers.TryAdd(key, answer))
        {
            if (Interlocked.Increment(ref _count) > mostEntries)
            {
                MakeRoom();
            }
            return;
        }
        _answers[key] = answer;
    }

    // What has ended goes; if that is not enough, whatever comes first.
    private void MakeRoom()
    {
        var wanted = mostEntries - (mostEntries / RoomShare);
        for (var endedOnly = true; ; endedOnly = false)
        {
            foreach (var (key, answer) in _answers)
            {
                if (Volatile.Read(ref _count) <= wanted)
                {
                    return;
                }
                if ((!endedOnly || answer.AgeSeconds(time) >= answer.TtlSeconds) && _answers.TryRemove(key, out _))
                {
                    Interlocked.Decrement(ref _count);
                }
            }
            if (!endedOnly)
            {
                return;
            }
        }
    }
}
