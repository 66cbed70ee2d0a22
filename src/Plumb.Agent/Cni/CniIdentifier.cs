namespace Plumb.Agent.Cni;

/// <summary>What the specification lets a container's id and a network's name be.</summary>
public static class CniIdentifier
{
    /// <summary>Letters, digits, '_', '.' and '-', the first of them a letter or digit.</summary>
    public static bool IsValid(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var good = text.Length != 0 && char.IsAsciiLetterOrDigit(text[0]);
        foreach (var c in text)
        {
            good &= char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-';
        }
        return good;
    }
}
