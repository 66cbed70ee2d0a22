using System.Buffers;
using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.State;
using Plumb.Linux.State.Json;
using Plumb.Network.Planning;

namespace Plumb.Diagnosis.Snapshots;

/// <summary>
/// Writes a snapshot piece by piece, in any order but for the header, which is first: lines of JSON, compressed by gzip. What is long is cut into several
/// lines, so that neither side holds more than one at a time.
/// </summary>
public sealed class SnapshotWriter : IDisposable
{
    /// <summary>The format that is written, and the newest that is read.</summary>
    public const int Format = 1;

    private const int MostInLine = 256;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly GZipStream _to;
    private readonly ArrayBufferWriter<byte> _line = new(1 << 16);
    private readonly Utf8JsonWriter _json;
    private long _lines;

    /// <param name="to">Stays open.</param>
    public SnapshotWriter(Stream to, SnapshotHeader header)
    {
        _to = new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true);
        _json = new Utf8JsonWriter(_line, Options);
        Line(LineKinds.Header, header, SnapshotJson.Default.SnapshotHeader);
    }

    public void Write(SnapshotParty party) => Line(LineKinds.Party, party, SnapshotJson.Default.SnapshotParty);

    /// <summary>An object of the API, without what is secret.</summary>
    public void Write(JsonObject subject)
    {
        Secrets.Remove(subject);
        Line(LineKinds.Object, json => subject.WriteTo(json));
    }

    public void Write(PlanDocument plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        Line(LineKinds.Plan, json => json.WriteRawValue((plan with { Entries = [] }).ToJson(), skipInputValidation: true));
        foreach (var some in plan.Entries.Chunk(MostInLine))
        {
            Line(LineKinds.Plan, json => json.WriteRawValue(new PlanDocument { Node = plan.Node, Entries = some, Conflicts = [], Refusals = [] }.ToJson(), skipInputValidation: true));
        }
    }

    /// <summary>What a namespace holds, and all that a walk might ask it.</summary>
    /// <param name="parameters">Of the kernel, in which plans have an interest.</param>
    public void Write(Space space, IEnumerable<string> parameters)
    {
        ArgumentNullException.ThrowIfNull(space);
        var whole = space.Whole;
        var unread = whole.Unread.Where(one => one.Key.Namespace == space.Id).ToDictionary(static one => one.Key.Kind, static one => one.Value);
        Line(LineKinds.Space, new SpaceLine(new SortedDictionary<string, string>(space.Parameters(parameters).ToDictionary(), StringComparer.Ordinal), unread.Count == 0 ? null : unread), SnapshotJson.Default.SpaceLine, space.Id);
        // In the order in which the kernel told them: of chains with one priority it decides.
        foreach (var some in whole.Entries.Values.Where(observed => observed.Entry.Namespace == space.Id && observed.Entry.Kind != EntryKind.Sysctl).Chunk(MostInLine))
        {
            Line(LineKinds.Entries, json => StateJson.Write(json, some), space.Id);
        }
        foreach (var some in space.Sockets.Chunk(MostInLine))
        {
            Line(LineKinds.Sockets, some, StateJson.Sockets, space.Id);
        }
        foreach (var some in space.Sets.Chunk(1))
        {
            Line(LineKinds.Sets, some, StateJson.Sets, space.Id);
        }
        foreach (var some in space.VirtualServices.Chunk(MostInLine))
        {
            Line(LineKinds.VirtualServices, some, StateJson.VirtualServices, space.Id);
        }
        foreach (var some in Connections(space).Chunk(MostInLine))
        {
            Line(LineKinds.Connections, some, StateJson.Connections, space.Id);
        }
    }

    /// <summary>Something that should be here and could not be read, in one line.</summary>
    public void Miss(string what) => Line(LineKinds.Missing, what, SnapshotJson.Default.String);

    /// <summary>Says that nothing is missing at the end. Without it a reader takes the file for cut short.</summary>
    public void Complete()
    {
        Line(LineKinds.End, new EndLine(_lines + 1), SnapshotJson.Default.EndLine);
        _to.Flush();
    }

    public void Dispose()
    {
        _json.Dispose();
        _to.Dispose();
    }

    // The kernel keeps those of all namespaces in one table, and goes through the whole of it whosoever's are asked for: 1,000 pods that track nothing are not worth 2,000 times that.
    private static IEnumerable<ConntrackEntry> Connections(Space space) =>
        ((IpFamily[])[IpFamily.V4, IpFamily.V6]).Where(space.TracksConnections).SelectMany(space.Connections);

    private void Line<T>(string kind, T value, JsonTypeInfo<T> type, NamespaceId? space = null) => Line(kind, json => JsonSerializer.Serialize(json, value, type), space);

    private void Line(string kind, Action<Utf8JsonWriter> value, NamespaceId? space = null)
    {
        _json.WriteStartObject();
        if (space is { } id)
        {
            _json.WriteString(LineKinds.In, id.Name);
        }
        _json.WritePropertyName(kind);
        value(_json);
        _json.WriteEndObject();
        _json.Flush();
        _line.Write("\n"u8);
        _to.Write(_line.WrittenSpan);
        _lines++;
        _line.ResetWrittenCount();
        _json.Reset();
    }
}
