using System.Text;

namespace Plumb.Linux.Nftables.Text;

/// <summary>(x &amp; mask) ^ xor in the operators that a person writes: <c>meta mark &amp; 0xffff01ff | 0x00000100</c>.</summary>
internal static class BitwiseText
{
    public static string Of(string source, UInt128 mask, UInt128 exclusiveOr, DataType type, int bits)
    {
        var all = bits >= 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1;
        var or = ~mask & exclusiveOr & all;
        var and = (mask | or) & all;
        var xor = exclusiveOr & ~or & all;
        var text = new StringBuilder(source);
        Operator(" & ", and, and != all);
        Operator(" ^ ", xor, xor != 0);
        Operator(" | ", or, or != 0);
        return text.ToString();

        void Operator(string sign, UInt128 number, bool present)
        {
            if (!present)
            {
                return;
            }
            text.Append(sign);
            if (Symbols.IsBits(type) && UInt128.PopCount(number) > 1)
            {
                text.Append('(');
                ValueText.AppendBits(text, type, (ulong)number, " | ");
                text.Append(')');
            }
            else
            {
                ValueText.AppendNumber(text, type, number, (bits + 7) / 8);
            }
        }
    }
}
