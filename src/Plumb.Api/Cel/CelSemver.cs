using System.Globalization;

namespace Plumb.Api.Cel;

/// <summary>A semantic version (semver.org, 2.0.0). What stands behind its `+` counts for nothing.</summary>
internal sealed record CelSemver(long Major, long Minor, long Patch, string[] Before) : IComparable<CelSemver>
{
    /// <param name="isLoose">With a `v` before it, with zeros before its numbers, or with fewer than three of them.</param>
    /// <param name="why">What is wrong with it, in the words of the library that a real server uses.</param>
    /// <returns>Null: it is none.</returns>
    public static CelSemver? Read(string text, bool isLoose, out string why)
    {
        why = text.Length == 0 ? "Version string empty" : "No Major.Minor.Patch elements found";
        var parts = (isLoose && text.StartsWith('v') ? text[1..] : text).Split('.', 3);
        if (isLoose && parts.Length < 3 && parts[^1].AsSpan().ContainsAny('+', '-'))
        {
            why = "short version cannot contain PreRelease/Build meta data";
            return null;
        }

        if (isLoose)
            parts = [.. parts.Select(Trimmed), .. Enumerable.Repeat("0", 3 - parts.Length)];
        if (parts.Length < 3 || text.Length == 0)
            return null;
        var (whole, build) = Cut(parts[2], '+');
        var (patch, before) = Cut(whole, '-');
        var numbers = new long[3];
        foreach (var (i, name, number) in (ReadOnlySpan<(int, string, string)>)[(0, "major", parts[0]), (1, "minor", parts[1]), (2, "patch", patch)])
        {
            if (number.Length == 0 || !number.All(char.IsAsciiDigit) || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                why = $"Invalid character(s) found in {name} number \"{number}\"";
            else if (HasZero(number))
                why = $"{char.ToUpperInvariant(name[0])}{name[1..]} number must not contain leading zeroes \"{number}\"";
            else
                continue;
            return null;
        }

        var words = before?.Split('.') ?? [];
        why = words.Any(static word => word.Length == 0) ? "Prerelease is empty"
            : words.FirstOrDefault(static word => word.All(char.IsAsciiDigit) && HasZero(word)) is { } zero ? $"Numeric PreRelease version must not contain leading zeroes \"{zero}\""
            : words.FirstOrDefault(static word => !IsWord(word)) is { } strange ? $"Invalid character(s) found in prerelease \"{strange}\""
            : build?.Split('.').FirstOrDefault(static word => !IsWord(word)) is { } odd ? odd.Length == 0 ? "Build meta data is empty" : $"Invalid character(s) found in build meta data \"{odd}\""
            : "";
        return why.Length == 0 ? new CelSemver(numbers[0], numbers[1], numbers[2], words) : null;
    }

    public int CompareTo(CelSemver? other)
    {
        if (other is null)
            return 1;
        var order = (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));
        for (var i = 0; order == 0 && i < Math.Min(Before.Length, other.Before.Length); i++)
            order = Order(Before[i], other.Before[i]);
        if (order != 0)
            return Math.Sign(order);
        // 1.0.0-a is before 1.0.0, and 1.0.0-a before 1.0.0-a.b.
        return Before.Length == 0 || other.Before.Length == 0 ? other.Before.Length.CompareTo(Before.Length) : Before.Length.CompareTo(other.Before.Length);
    }

    public bool Equals(CelSemver? other) => CompareTo(other) == 0;

    public override int GetHashCode() => HashCode.Combine(Major, Minor, Patch);

    /// <summary>Numbers by what they count, and before words.</summary>
    private static int Order(string one, string other) => (one.All(char.IsAsciiDigit), other.All(char.IsAsciiDigit)) switch
    {
        (true, true) => one.Length != other.Length ? one.Length.CompareTo(other.Length) : string.CompareOrdinal(one, other),
        (true, false) => -1,
        (false, true) => 1,
        _ => string.CompareOrdinal(one, other),
    };

    private static bool HasZero(string number) => number.Length > 1 && number[0] == '0';

    private static bool IsWord(string word) => word.Length > 0 && word.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter == '-');

    private static string Trimmed(string part)
    {
        if (part.Length < 2)
            return part;
        var trimmed = part.TrimStart('0');
        return trimmed.Length > 0 && char.IsAsciiDigit(trimmed[0]) ? trimmed : "0" + trimmed;
    }

    private static (string Head, string? Tail) Cut(string text, char at) => text.IndexOf(at, StringComparison.Ordinal) is var index and >= 0 ? (text[..index], text[(index + 1)..]) : (text, null);
}
