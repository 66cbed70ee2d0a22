namespace Plumb.Linux.Nftables;

/// <summary>What becomes of a packet (NF_* of <c>linux/netfilter.h</c>, NFT_* of <c>linux/netfilter/nf_tables.h</c>).</summary>
public enum VerdictCode
{
    Drop = 0,
    Accept = 1,
    Queue = 3,
    Continue = -1,
    Break = -2,
    Jump = -3,
    Goto = -4,
    Return = -5,
}

/// <summary>A verdict, with the chain for those that name one.</summary>
public sealed record Verdict(VerdictCode Code, string? Chain = null)
{
    public static Verdict Accept { get; } = new(VerdictCode.Accept);

    public static Verdict Drop { get; } = new(VerdictCode.Drop);

    public static Verdict Continue { get; } = new(VerdictCode.Continue);

    public static Verdict Return { get; } = new(VerdictCode.Return);

    public static Verdict Jump(string chain) => new(VerdictCode.Jump, chain);

    public static Verdict Goto(string chain) => new(VerdictCode.Goto, chain);

    public override string ToString() => Code switch
    {
        VerdictCode.Jump => $"jump {Chain}",
        VerdictCode.Goto => $"goto {Chain}",
        VerdictCode.Accept => "accept",
        VerdictCode.Drop => "drop",
        VerdictCode.Queue => "queue",
        VerdictCode.Continue => "continue",
        VerdictCode.Break => "break",
        VerdictCode.Return => "return",
        _ => $"verdict {(int)Code}",
    };
}
