namespace Plumb.Diagnosis.Packets;

/// <summary>
/// The rules of one namespace at one hook and priority that packets pass: a base chain of nf_tables, or a table of iptables. What a walk runs
/// without knowing whose language the rules are written in.
/// </summary>
public interface IHookProgram
{
    /// <summary>Lower is earlier.</summary>
    int Priority { get; }

    /// <summary>Only asked for packets whose connection has not been decided (nat); for the first packet of a connection.</summary>
    bool IsNat { get; }

    /// <summary>Every way in which it may go; at least one.</summary>
    IReadOnlyList<HookOutcome> Run(Packet packet, Connection? connection, HookPlace place);
}
