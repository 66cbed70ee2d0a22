using System.Text;

namespace Plumb.Linux.Iptables;

/// <summary>
/// The one form of a rule's text: that of <c>iptables-save</c>. Its two variants differ in nothing but whether a comment of one word stands in
/// quotes; here every comment does.
/// </summary>
public static class RuleText
{
    private const string CommentOption = "--comment ";

    /// <summary>XT_MAX_COMMENT_LEN, with the closing NUL.</summary>
    private const int MostCommentBytes = 256;

    /// <summary>A comment as it stands in a rule.</summary>
    public static string Comment(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        while (Encoding.UTF8.GetByteCount(text) >= MostCommentBytes)
        {
            text = text[..^1];
        }
        return $"-m comment {CommentOption}{Quoted(text)}";
    }

    /// <summary>The probability of <c>-m statistic</c> as the kernel keeps it (a 31-bit fraction, <c>xt_statistic</c>) and iptables prints it.</summary>
    /// <param name="choices">One of how many.</param>
    public static string Probability(int choices)
    {
        const double one = 1L << 31;
        // Ten digits, as kube-proxy writes them, and then the nearest that the kernel can hold.
        var written = Math.Round(1.0 / choices, 10, MidpointRounding.ToEven);
        return (Math.Round(written * one, MidpointRounding.AwayFromZero) / one).ToString("F11", System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>What a rule does with the packet: the word behind <c>-j</c> or <c>-g</c>; null: nothing but count.</summary>
    public static string? Target(string rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        string? before = null;
        foreach (var word in Words(rule))
        {
            if (before is "-j" or "-g")
            {
                return word;
            }
            before = word;
        }
        return null;
    }

    /// <summary>A rule's comment without quotes; null: it has none.</summary>
    public static string? CommentOf(string rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        string? before = null;
        foreach (var word in Words(rule))
        {
            if (before == "--comment")
            {
                return Unquoted(word);
            }
            before = word;
        }
        return null;
    }

    /// <summary>Any variant's text in the one form.</summary>
    internal static string Canonical(string rule)
    {
        var at = rule.IndexOf(CommentOption, StringComparison.Ordinal);
        if (at < 0 || at + CommentOption.Length >= rule.Length || rule[at + CommentOption.Length] == '"')
        {
            return rule;
        }
        var text = new StringBuilder();
        var isComment = false;
        foreach (var word in Words(rule))
        {
            text.Append(text.Length == 0 ? "" : " ").Append(isComment && !word.StartsWith('"') ? Quoted(word) : word);
            isComment = word == "--comment";
        }
        return text.ToString();
    }

    /// <summary>The words of a rule; one in quotes keeps them.</summary>
    public static IEnumerable<string> Words(string rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return Split(rule);
    }

    private static IEnumerable<string> Split(string rule)
    {
        for (var at = 0; at < rule.Length;)
        {
            if (rule[at] == ' ')
            {
                at++;
                continue;
            }
            var end = at;
            if (rule[at] == '"')
            {
                for (end++; end < rule.Length && rule[end] != '"'; end++)
                {
                    end += rule[end] == '\\' ? 1 : 0;
                }
                end = Math.Min(end + 1, rule.Length);
            }
            else
            {
                while (end < rule.Length && rule[end] != ' ')
                {
                    end++;
                }
            }
            yield return rule[at..end];
            at = end;
        }
    }

    // xtables_save_string: quotes and backslashes get a backslash before them. A control character would end the line.
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\' or '\'')
            {
                quoted.Append('\\');
            }
            quoted.Append(char.IsControl(c) ? '?' : c);
        }
        return quoted.Append('"').ToString();
    }

    /// <summary>A word of a rule as it is meant.</summary>
    public static string Unquoted(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        if (!word.StartsWith('"'))
        {
            return word;
        }
        var text = new StringBuilder();
        for (var i = 1; i < word.Length && word[i] != '"'; i++)
        {
            i += word[i] == '\\' && i + 1 < word.Length ? 1 : 0;
            text.Append(word[i]);
        }
        return text.ToString();
    }
}
