using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Dns.Answering;
using Plumb.Linux.Addresses;
using Plumb.Linux.Native;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;
using Plumb.Network.Planning;

namespace Plumb.Agent.Asking;

/// <summary>A tool's way to an agent: questions on its unix socket, which it answers to root and to its own user.</summary>
/// <param name="title">For messages: <c>the agent of node-1</c>.</param>
/// <remarks>Each question throws <see cref="AgentException"/> where the agent does not answer, or cannot: the message says why.</remarks>
public sealed class AgentClient(string socketPath, string title)
{
    private const int Found = 200;
    private const int Unknown = 404;

    /// <summary>What it plans, and why.</summary>
    /// <param name="keys">Whose entries are asked for; null: all.</param>
    public PlanDocument Plan(IReadOnlyCollection<EntryKey>? keys = null) =>
        Read("/state", keys is null ? Ask("/state") : Ask("/state", "POST", PlannedKeys.ToJson(keys)), static utf8 => PlanDocument.FromJson(utf8));

    /// <summary>What of its plan may be about a thing, or more.</summary>
    public PlanDocument PlanAbout(string thing) => Read("/state", Ask($"/state?about={Uri.EscapeDataString(thing)}"), static utf8 => PlanDocument.FromJson(utf8));

    public NodeReport Report() => Read("/status", Ask("/status"), static utf8 => JsonSerializer.Deserialize(utf8, NodeReportJson.Default.NodeReport));

    public NodePlaces Places() => Read("/places", Ask("/places"), static utf8 => JsonSerializer.Deserialize(utf8, NodePlacesJson.Default.NodePlaces));

    /// <summary>Who has an address, as the API's objects say; with no name where none of them does.</summary>
    public AddressHolder HolderOf(IpAddress address) =>
        Read("/holder", Ask($"/holder?address={address}"), static utf8 => JsonSerializer.Deserialize(utf8, NodePlacesJson.Default.AddressHolder));

    /// <summary>What a name comes to by a search path, and why; null: the node has no API, and nobody can say.</summary>
    /// <param name="type">Of the record: A, AAAA, SRV …</param>
    public NameReport? Names(string name, SearchPath path, string type)
    {
        ArgumentNullException.ThrowIfNull(path);
        var search = string.Join(' ', path.Search.Select(static entry => entry.ToString().TrimEnd('.')));
        var answer = Send($"/dns?name={Uri.EscapeDataString(name)}&search={Uri.EscapeDataString(search)}&ndots={path.Dots}&type={Uri.EscapeDataString(type)}", "GET", default);
        return answer.Status == Unknown ? null : Read("/dns", Body(answer, "/dns"), static utf8 => JsonSerializer.Deserialize(utf8, NameReportJson.Default.NameReport));
    }

    /// <summary>Objects as the API has them now, of the kinds that an agent may read (<see cref="ReadableKinds"/>).</summary>
    /// <param name="resource">In the plural: <c>services</c>.</param>
    /// <param name="fields">A field selector; null: all.</param>
    public IReadOnlyList<JsonObject> Objects(string resource, string? scope, string? fields)
    {
        var said = Ask($"/objects?resource={resource}&scope={Uri.EscapeDataString(scope ?? "")}&fields={Uri.EscapeDataString(fields ?? "")}");
        return Read<IReadOnlyList<JsonObject>>("/objects", said, static utf8 => [.. JsonNode.Parse(utf8)!.AsArray().OfType<JsonObject>()]);
    }

    private ReadOnlyMemory<byte> Ask(string path, string method = "GET", ReadOnlyMemory<byte> body = default) => Body(Send(path, method, body), path);

    private UnixAnswer Send(string path, string method, ReadOnlyMemory<byte> body)
    {
        try
        {
            return UnixRequest.Send(socketPath, method, path, body);
        }
        catch (Exception broken) when (broken is SystemCallException or InvalidDataException)
        {
            throw new AgentException($"{title} does not answer: {broken.Message}", broken);
        }
    }

    private ReadOnlyMemory<byte> Body(UnixAnswer answer, string path) => answer.Status switch
    {
        Found => answer.Body,
        Unknown => throw new AgentException($"{title} is another version's: it does not know what {path.Split('?')[0]} is; ask it by the `plumb` that it is"),
        _ => throw new AgentException($"{title} cannot say: {(answer.Body.Length == 0 ? $"status {answer.Status}" : Encoding.UTF8.GetString(answer.Body.Span))}"),
    };

    private T Read<T>(string path, ReadOnlyMemory<byte> json, Reading<T> read)
        where T : class
    {
        try
        {
            return read(json.Span) ?? throw new JsonException("null");
        }
        catch (Exception unread) when (unread is JsonException or InvalidOperationException)
        {
            throw new AgentException($"what {title} says to {path} cannot be read, or ends early: {unread.Message}", unread);
        }
    }

    private delegate T? Reading<T>(ReadOnlySpan<byte> utf8);
}
