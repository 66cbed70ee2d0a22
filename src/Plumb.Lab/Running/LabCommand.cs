using Plumb.Linux.State;

namespace Plumb.Lab.Running;

/// <summary>A command line that a lab's own process is to run: it has the lab's rights, and its code is warm.</summary>
/// <param name="OutIsTerminal">Of whoever asked; so are the others.</param>
public sealed record LabCommand(ValueList<string> Words, bool OutIsTerminal, bool ErrorIsTerminal, bool Colours);

/// <param name="Out">What the command wrote to standard output.</param>
public sealed record LabCommandAnswer(int ExitCode, string Out, string Error);

/// <summary>Runs a command line in a lab's process. Exceptions are part of the answer.</summary>
public delegate Task<LabCommandAnswer> LabCommandRunner(LabName lab, LabCommand command);
