namespace Plumb.Kubernetes.Manifests;

/// <summary>Something is wrong with what the user gave; the message is one line that begins with the file and, where known, line and column (from 1).</summary>
public sealed class ManifestException : Exception
{
    public ManifestException(string file, int line, int column, string what)
        : base(line == 0 ? $"{file}: {what}" : column == 0 ? $"{file}:{line}: {what}" : $"{file}:{line}:{column}: {what}")
    {
        File = file;
        Line = line;
        Column = column;
        What = what;
    }

    /// <summary>The message without the place.</summary>
    public string What { get; }

    public string File { get; }

    /// <summary>0 where the file as a whole is meant.</summary>
    public int Line { get; }
    public int Column { get; }
}
