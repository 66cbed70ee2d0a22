namespace Plumb.Output;

/// <summary>Where a command's words go, and whether a person reads them there.</summary>
internal sealed record Terminal(TextWriter Out, TextWriter Error, bool OutIsTerminal, bool ErrorIsTerminal, bool Colours)
{
    public Style Style { get; } = new(OutIsTerminal && Colours);

    public Style ErrorStyle { get; } = new(ErrorIsTerminal && Colours);

    /// <summary>Colours stand only on a terminal, and not where NO_COLOR is set (no-color.org) or TERM is `dumb`.</summary>
    public static Terminal OfThisProcess()
    {
        var colours = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        return new Terminal(Writer(Console.OpenStandardOutput()), Writer(Console.OpenStandardError()), !Console.IsOutputRedirected, !Console.IsErrorRedirected, colours);
    }

    // Console.Out reads the terminal's description and starts a thread for signals: 5 ms that no command has a use for.
    private static TextWriter Writer(Stream stream) => TextWriter.Synchronized(new StreamWriter(stream, bufferSize: 256, leaveOpen: true) { AutoFlush = true });
}

/// <summary>Emphasis by ANSI escape sequences (ECMA-48 SGR), or none.</summary>
internal readonly record struct Style(bool Colours)
{
    public string Strong(string text) => Wrap("1", text);

    public string Quiet(string text) => Wrap("2", text);

    public string Good(string text) => Wrap("32", text);

    public string Warning(string text) => Wrap("33", text);

    public string Bad(string text) => Wrap("31", text);

    private string Wrap(string code, string text) => Colours ? $"\e[{code}m{text}\e[0m" : text;
}
