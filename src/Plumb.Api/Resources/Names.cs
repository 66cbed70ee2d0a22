namespace Plumb.Api.Resources;

/// <summary>What the server makes up: uids and the ends of generated names, from one seed.</summary>
internal sealed class Names(Random random)
{
    /// <summary>No vowels and no look-alikes, so that no words come out (the alphabet that real clusters show).</summary>
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    private const int MostBase = 58;

    private readonly Lock _gate = new();

    public string Generate(string prefix)
    {
        Span<char> suffix = stackalloc char[5];
        lock (_gate)
        {
            foreach (ref var letter in suffix)
                letter = Alphabet[random.Next(Alphabet.Length)];
        }

        return string.Concat(prefix.Length > MostBase ? prefix.AsSpan(0, MostBase) : prefix, suffix);
    }

    /// <summary>A version 4 UUID.</summary>
    public string NewUid()
    {
        Span<byte> bytes = stackalloc byte[16];
        lock (_gate)
            random.NextBytes(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }

    public int Next(int exclusiveMost)
    {
        lock (_gate)
            return random.Next(exclusiveMost);
    }
}
