using System.Globalization;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Owners;

/// <summary>Marks as iptables, nft and `ip rule` write them: <c>0x4000</c>, <c>0x4000/0x4000</c>, <c>1337</c>.</summary>
public static class MarkBits
{
    /// <summary>A value without a mask stands for its own bits.</summary>
    public static bool TryParse(string text, out FirewallMark mark)
    {
        ArgumentNullException.ThrowIfNull(text);
        var slash = text.IndexOf('/');
        mark = default;
        if (!TryNumber(slash < 0 ? text : text[..slash], out var value))
        {
            return false;
        }
        var mask = value;
        if (slash >= 0 && !TryNumber(text.AsSpan(slash + 1), out mask))
        {
            return false;
        }
        mark = new FirewallMark(value, mask);
        return true;
    }

    /// <summary>Whether bits that somebody asks about may be set by their user.</summary>
    public static bool Meet(FirewallMark known, FirewallMark asked)
    {
        var shared = known.Mask & asked.Mask;
        // All bits of a mask set: a range that its owner chooses from.
        return shared != 0 && ((known.Value & shared) == (asked.Value & shared) || known.Mask == known.Value);
    }

    /// <summary>The numbers of the bits: <c>bit 14</c>, <c>bits 16–31</c>.</summary>
    public static string Names(uint mask)
    {
        var runs = new List<string>();
        var one = true;
        for (var bit = 0; bit < 32; bit++)
        {
            if ((mask >> bit & 1) == 0)
            {
                continue;
            }
            var first = bit;
            while (bit < 31 && (mask >> (bit + 1) & 1) != 0)
            {
                bit++;
            }
            one = one && runs.Count == 0 && first == bit;
            runs.Add(first == bit ? $"{first}" : $"{first}–{bit}");
        }
        return $"{(one ? "bit" : "bits")} {string.Join(", ", runs)}";
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out uint number) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? uint.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
            : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
