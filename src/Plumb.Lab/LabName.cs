namespace Plumb.Lab;

/// <summary>What a lab is called on its machine: a DNS label (RFC 1123), since it becomes part of paths and host names.</summary>
public readonly record struct LabName
{
    internal const int MostLetters = 63;

    private readonly string? _text;

    private LabName(string text) => _text = text;

    public static LabName Default { get; } = new("default");

    /// <exception cref="LabException">It is no DNS label.</exception>
    public static LabName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IsLabel(text)
            ? new LabName(text)
            : throw new LabException(
                $"'{text}' cannot be a lab's name: use 1 to 63 lower-case letters, digits and '-', not '-' first or last");
    }

    public override string ToString() => _text ?? Default.ToString();

    public bool Equals(LabName other) => string.Equals(ToString(), other.ToString(), StringComparison.Ordinal);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    // A plain loop: the vectorised search has to be compiled at the start of every command, which costs more than all names together.
    internal static bool IsLabel(ReadOnlySpan<char> text)
    {
        foreach (var letter in text)
        {
            if (!char.IsAsciiLetterLower(letter) && !char.IsAsciiDigit(letter) && letter != '-')
            {
                return false;
            }
        }
        return text.Length is >= 1 and <= MostLetters && text[0] != '-' && text[^1] != '-';
    }
}
