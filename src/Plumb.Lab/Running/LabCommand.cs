using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;

namespace Plumb.Lab.Running;

/// <summary>A command line that a lab's own process is to run: it has the lab's rights, and its code is warm.</summary>
/// <param name="OutIsTerminal">Of whoever asked; so are the others.</param>
public sealed record LabCommand(ValueList<string> Words, bool OutIsTerminal, bool ErrorIsTerminal, bool Colours)
{
    /// <summary>As the query of a URL (RFC 3986), with the question mark.</summary>
    internal string ToQuery()
    {
        var query = new StringBuilder("?");
        foreach (var word in Words)
        {
            query.Append("word=");
            foreach (var letter in Encoding.UTF8.GetBytes(word))
            {
                // What Uri.EscapeDataString does; the code behind it is compiled at run time, and takes longer than the lab's answer.
                if (char.IsAsciiLetterOrDigit((char)letter))
                {
                    query.Append((char)letter);
                }
                else
                {
                    query.Append('%').Append(letter.ToString("X2", CultureInfo.InvariantCulture));
                }
            }
            query.Append('&');
        }
        return query.Append($"out={OutIsTerminal}&error={ErrorIsTerminal}&colours={Colours}").ToString();
    }

    internal static LabCommand Of(IQueryCollection query) => new([.. query["word"].OfType<string>()], query["out"] == "True", query["error"] == "True", query["colours"] == "True");
}

/// <param name="Out">What the command wrote to standard output.</param>
public sealed record LabCommandAnswer(int ExitCode, string Out, string Error)
{
    private const string ExitCodeHeader = "Plumb-Exit-Code";
    private const string OutBytesHeader = "Plumb-Out-Bytes";

    /// <summary>What was written to standard output, then what to standard error, with the length of the one and the exit code in headers.</summary>
    internal async Task WriteAsync(HttpResponse to, CancellationToken cancel)
    {
        var (output, error) = (Encoding.UTF8.GetBytes(Out), Encoding.UTF8.GetBytes(Error));
        to.ContentType = "text/plain; charset=utf-8";
        to.ContentLength = output.Length + error.Length;
        to.Headers[ExitCodeHeader] = ExitCode.ToString(CultureInfo.InvariantCulture);
        to.Headers[OutBytesHeader] = output.Length.ToString(CultureInfo.InvariantCulture);
        await to.Body.WriteAsync(output, cancel);
        await to.Body.WriteAsync(error, cancel);
    }

    /// <summary>Null: it is no such answer.</summary>
    internal static LabCommandAnswer? Read(UnixAnswer answer) =>
        int.TryParse(answer[ExitCodeHeader], NumberStyles.None, CultureInfo.InvariantCulture, out var code)
        && int.TryParse(answer[OutBytesHeader], NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= answer.Body.Length
            ? new LabCommandAnswer(code, Encoding.UTF8.GetString(answer.Body.Span[..length]), Encoding.UTF8.GetString(answer.Body.Span[length..]))
            : null;
}

/// <summary>Runs a command line in a lab's process. Exceptions are part of the answer.</summary>
public delegate Task<LabCommandAnswer> LabCommandRunner(LabName lab, LabCommand command);
