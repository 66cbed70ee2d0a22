using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Plumb.Lab.Containers;
using Plumb.Lab.Containers.Roots;
using Plumb.Linux.Native;

namespace Plumb.Lab.Workloads;

/// <summary>netexec's `/shell` and `/upload`, in upstream's words.</summary>
internal static class NetexecCommands
{
    // A word of a program's is at most this long (MAX_ARG_STRLEN); percent signs may triple it.
    private const int MostCommandBytes = 3 * (128 << 10);

    /// <summary>`shellCommand` or `cmd`, in the query or a form; answered with what the command said and how it failed, and 200 whatever that is.</summary>
    public static async Task ShellAsync(HttpContext http, Workload workload, ConfinedCommands commands)
    {
        http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = MostCommandBytes;
        IFormCollection? form = null;
        try
        {
            form = http.Request.HasFormContentType ? await http.Request.ReadFormAsync(http.RequestAborted) : null;
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or IOException or BadHttpRequestException)
        {
            // What it says in the query is all that can be read.
        }
        var command = Value("shellCommand") is { Length: > 0 } first ? first : Value("cmd");
        workload.Log($"GET /shell?cmd={Printable(command)}");
        var (output, error) = await commands.RunAsync(command, http.RequestAborted);
        var answer = new JsonObject();
        if (error.Length > 0)
        {
            answer["error"] = error;
        }
        if (output.Length > 0)
        {
            answer["output"] = Encoding.UTF8.GetString(output);
        }
        await Answer.SendAsync(http, 200, "text/plain", answer.ToJsonString());

        // Of several the first, as Go's FormValue.
        string Value(string name) => (form is not null && form.TryGetValue(name, out var sent) ? sent : http.Request.Query[name]) is [{ } first, ..] ? first : "";
    }

    /// <summary>The form's `file`; answered with 201 and its path.</summary>
    public static async Task UploadAsync(HttpContext http, Workload workload, ConfinedCommands commands)
    {
        var (status, name, words) = (200, "error", "Unable to upload file.");
        try
        {
            if (await FileOfAsync(http) is { } content)
            {
                (status, name, words) = (201, "output", await commands.KeepAsync(content, http.RequestAborted));
                workload.Log($"Wrote upload to {words}");
            }
        }
        catch (Exception refused) when (refused is InvalidDataException or IOException or BadHttpRequestException or UnauthorizedAccessException or SystemCallException or ContainerStartException)
        {
            words = "Unable to write file.";
            workload.Log($"{words} {refused.Message}");
        }
        await Answer.SendAsync(http, status, "text/plain", new JsonObject { [name] = words }.ToJsonString());
    }

    /// <summary>As it comes: nothing of it is kept on the way.</summary>
    /// <returns>Null: the request has none.</returns>
    private static async Task<Stream?> FileOfAsync(HttpContext http)
    {
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 } boundary)
        {
            return null;
        }
        var reader = new MultipartReader(boundary.ToString(), http.Request.Body);
        while (await reader.ReadNextSectionAsync(http.RequestAborted) is { } section)
        {
            if (section.AsFileSection() is { Name: "file" } file)
            {
                return file.FileStream;
            }
        }
        return null;
    }

    // A client must not be able to write lines of its own into the log.
    private static string Printable(string text) => string.Concat(text.Select(static letter => char.IsControl(letter) ? $"\\x{(int)letter:x2}" : letter.ToString()));
}
