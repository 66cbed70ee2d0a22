using Microsoft.AspNetCore.Http;

namespace Plumb.Lab.Workloads;

/// <summary>What stands in for an image: its pages and the way in which its access log reads.</summary>
internal abstract class WorkloadProgram
{
    /// <summary>As the `ImageSubstituted` event and the first line of the log call it.</summary>
    public abstract string Name { get; }

    /// <summary>Also the paths of <see cref="CommonPages"/> are the program's own.</summary>
    public virtual bool AnswersAll => false;

    /// <summary>On such a port it speaks HTTP/2 without TLS, as gRPC does, and nothing else.</summary>
    public virtual bool SpeaksHttp2(ushort at) => false;

    /// <summary>Whether it takes a connection for itself; otherwise HTTP is spoken there.</summary>
    public virtual bool TryServe(System.Net.Sockets.Socket client, Workload workload) => false;

    /// <summary>On such a port of TCP it speaks TLS, with the container's certificate.</summary>
    public virtual bool SpeaksTls(ushort at) => false;

    /// <summary>Before a request is answered, and before anybody looks at its path.</summary>
    public virtual void Prepare(HttpContext http)
    {
    }

    /// <summary>What a message by UDP or SCTP is answered with; empty: nothing. As a rule the message itself.</summary>
    public virtual ReadOnlyMemory<byte> AnswerTo(ReadOnlyMemory<byte> message, System.Net.IPEndPoint client, ushort at, Workload workload) => message;

    /// <summary>What whoever connects by SCTP is told without having asked; null: it asks.</summary>
    public virtual string? GreetingOn(ushort at) => null;

    /// <summary>Answers what <see cref="CommonPages"/> does not.</summary>
    public abstract Task AnswerAsync(HttpContext http, Workload workload);

    /// <summary>The access log's line for an answered request, without its line feed.</summary>
    public abstract string LogLine(HttpContext http, DateTimeOffset startedAt);

    /// <summary>httpd's common log format, `%h %l %u %t "%r" %>s %b`.</summary>
    protected static string CommonLogLine(HttpContext http, DateTimeOffset startedAt)
    {
        var bytes = http.Response.ContentLength is { } length and > 0 ? length.ToString() : "-";
        return $"{ClientAddress.Of(http).Address} - - [{startedAt.UtcDateTime:dd/MMM/yyyy:HH:mm:ss} +0000] "
            + $"\"{RequestLine(http)}\" {http.Response.StatusCode} {bytes}";
    }

    protected static string RequestLine(HttpContext http) =>
        $"{http.Request.Method} {Printable(http.Request.Path.ToUriComponent() + http.Request.QueryString.ToUriComponent())} {http.Request.Protocol}";

    /// <summary>A client must not be able to write lines of its own into the log.</summary>
    protected static string Printable(string text)
    {
        foreach (var letter in text)
        {
            if (letter is < ' ' or '"' or '\\' or > '~')
            {
                return string.Concat(text.Select(static l => l is < ' ' or '"' or '\\' or > '~' ? $"\\x{(int)l:x2}" : l.ToString()));
            }
        }

        return text;
    }

    protected static Task PageAsync(HttpContext http, int status, string contentType, string body) => Answer.SendAsync(http, status, contentType, body);
}

internal sealed class Httpd : WorkloadProgram
{
    public override string Name => "httpd";

    public override Task AnswerAsync(HttpContext http, Workload workload) => http.Request.Path.Value is "/" or "/index.html"
        ? PageAsync(http, 200, "text/html", "<html><body><h1>It works!</h1></body></html>\n")
        : PageAsync(http, 404, "text/html", $"<html><body><h1>Not Found</h1><p>There is no {System.Net.WebUtility.HtmlEncode(http.Request.Path.Value)} here.</p></body></html>\n");

    public override string LogLine(HttpContext http, DateTimeOffset startedAt) => CommonLogLine(http, startedAt);
}

internal sealed class Nginx : WorkloadProgram
{
    public override string Name => "nginx";

    public override Task AnswerAsync(HttpContext http, Workload workload) => http.Request.Path.Value is "/" or "/index.html"
        ? PageAsync(http, 200, "text/html", $"<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1><p>From pod {workload.HostName}.</p></body></html>\n")
        : PageAsync(http, 404, "text/html", "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center></body></html>\n");

    /// <summary>nginx's `combined` format: the common one, then where the client came from and what it is.</summary>
    public override string LogLine(HttpContext http, DateTimeOffset startedAt) =>
        $"{CommonLogLine(http, startedAt)} \"{Header(http.Request.Headers.Referer)}\" \"{Header(http.Request.Headers.UserAgent)}\"";

    private static string Header(string? value) => string.IsNullOrEmpty(value) ? "-" : Printable(value);
}

/// <summary>Says the request back, with who answered: what one wants to see behind a proxy or a Service.</summary>
internal sealed class Echo : WorkloadProgram
{
    private const int MaxBodyBytes = 1 << 20;

    public override string Name => "echo";

    public override async Task AnswerAsync(HttpContext http, Workload workload)
    {
        var text = new System.Text.StringBuilder();
        text.Append("hostname: ").Append(workload.HostName).Append('\n');
        text.Append("client: ").Append(ClientAddress.Of(http)).Append("\n\n");
        text.Append(RequestLine(http)).Append('\n');
        foreach (var (name, values) in http.Request.Headers)
        {
            foreach (var value in values)
            {
                text.Append(name).Append(": ").Append(value).Append('\n');
            }
        }

        var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (body.Length < MaxBodyBytes && await http.Request.Body.ReadAsync(buffer, http.RequestAborted) is var count and > 0)
        {
            body.Write(buffer, 0, count);
        }

        if (body.Length > 0)
        {
            text.Append('\n').Append(System.Text.Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length));
        }

        await PageAsync(http, 200, "text/plain", text.ToString());
    }

    public override string LogLine(HttpContext http, DateTimeOffset startedAt) => CommonLogLine(http, startedAt);
}
