namespace Plumb.Diagnosis.Owners;

/// <summary>By what a writer is known: the name of a thing, a number that it bears, or the words in which a tool shows it.</summary>
public enum Sign
{
    /// <summary>A chain of iptables, or one of nf_tables as <c>TABLE/NAME</c>.</summary>
    Chain = 1,

    /// <summary>A table of nf_tables, without its family.</summary>
    Table,

    /// <summary>The comment of a rule.</summary>
    Comment,

    /// <summary>A set of ipset or nf_tables.</summary>
    Set,
    Device,

    /// <summary>A route as <c>ip route</c> shows it.</summary>
    Route,

    /// <summary>rtm_protocol</summary>
    Protocol,
    RouteTable,

    /// <summary>FRA_PRIORITY of a rule.</summary>
    Priority,

    /// <summary>Bits of a packet's mark.</summary>
    Mark,
    VxlanId,
}

/// <summary>That something in a kernel is a program's, and what it is for.</summary>
/// <param name="Pattern"><c>*</c> stands for any letters, <c>?</c> for one.</param>
/// <param name="Meaning">Part of a sentence, for a person.</param>
public sealed record Claim(string Owner, Sign Sign, string Pattern, string Meaning)
{
    public override string ToString() => $"{Owner}: {Meaning}";
}
