using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Diagnosis.Worlds;
using Plumb.Linux.State;
using Plumb.Linux.Json;
using Plumb.Network.Planning;

namespace Plumb.Diagnosis.Snapshots;

/// <summary>Reads a snapshot. Total: whatever the bytes are, the answer is a snapshot or one line that says why not.</summary>
public sealed class SnapshotReader
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly List<SnapshotParty> _parties = [];
    private readonly Dictionary<NamespaceId, (ObservedState State, SnapshotSource Source)> _spaces = [];
    private readonly List<JsonObject> _objects = [];
    private readonly Dictionary<string, PlanDocument> _plans = new(StringComparer.Ordinal);
    private readonly List<string> _missing = [];
    private SnapshotHeader? _header;
    private long _lines;
    private long? _end;

    private SnapshotReader()
    {
    }

    /// <param name="path">Of a file; for messages.</param>
    /// <exception cref="SnapshotException">It is not there, or no snapshot that this version can read.</exception>
    public static Snapshot Read(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            return file.CanSeek ? Read(file, path) : throw new SnapshotException($"{path} is a pipe: save the snapshot to a file first");
        }
        catch (FileNotFoundException missing)
        {
            throw new SnapshotException($"there is no file {path}", missing);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new SnapshotException($"{path} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    /// <param name="name">For messages.</param>
    /// <exception cref="SnapshotException">It is no snapshot that this version can read.</exception>
    public static Snapshot Read(Stream file, string name)
    {
        var reader = new SnapshotReader();
        try
        {
            using var lines = new SnapshotLines(file);
            return reader.Read(lines);
        }
        catch (SnapshotException fault)
        {
            throw new SnapshotException($"{name} {fault.Message}", fault);
        }
        catch (EndOfStreamException cut)
        {
            throw new SnapshotException($"{name} {reader.CutShort}", cut);
        }
        catch (InvalidDataException damaged)
        {
            throw new SnapshotException(
                reader._header is null ? $"{name} is no snapshot of plumb, or its beginning is damaged" : $"{name} is damaged or cut short after line {reader._lines}: {OneLine(damaged)}", damaged);
        }
        catch (Exception damaged) when (damaged is not (OutOfMemoryException or IOException))
        {
            // Whatever a decoder of one of the many kinds of entry thinks of bytes that nobody wrote.
            throw new SnapshotException(
                reader._header is null ? $"{name} is no snapshot of plumb: its first line is not that of one" : $"{name}: line {reader._lines} is damaged: {OneLine(damaged)}", damaged);
        }
    }

    private string CutShort => _header is null ? "is no snapshot of plumb: it ends in its first line" : $"is cut short after line {_lines}: copy the file whole, or take the snapshot again";

    private Snapshot Read(SnapshotLines lines)
    {
        while (_end is null && lines.Next() is { Length: > 0 } line)
        {
            _lines++;
            Take(line);
        }
        // Reads the checksum behind it, too.
        if (_end is not null && lines.Next().Length > 0)
        {
            throw new SnapshotException("goes on behind its end");
        }
        if (_header is null)
        {
            throw new SnapshotException("is empty");
        }
        if (_end is null)
        {
            throw new SnapshotException(CutShort);
        }
        if (_end != _lines)
        {
            throw new SnapshotException($"has {_lines} lines, and was written with {_end}");
        }
        var spaces = _spaces.ToDictionary(static space => space.Key, static space => new Space(space.Key, space.Value.State, space.Value.Source));
        return new Snapshot(_header, _parties, spaces, _objects, _plans, _missing);
    }

    private void Take(ReadOnlySpan<byte> line)
    {
        var json = new Utf8JsonReader(line, new JsonReaderOptions { AllowMultipleValues = false });
        NamespaceId? space = null;
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("an object is expected");
        }
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var kind = json.GetString()!;
            json.Read();
            if (kind == LineKinds.In)
            {
                space = new NamespaceId(json.GetString() ?? throw new JsonException("the name of a namespace is expected"));
                continue;
            }
            var start = (int)json.TokenStartIndex;
            json.Skip();
            Take(kind, space, line[start..(int)json.BytesConsumed]);
        }
        json.Read();
    }

    private void Take(string kind, NamespaceId? space, ReadOnlySpan<byte> value)
    {
        if (_header is null != (kind == LineKinds.Header))
        {
            throw new SnapshotException(_header is null ? "is no snapshot of plumb: it does not begin as they do" : $"has a second beginning in line {_lines}");
        }
        switch (kind)
        {
            case LineKinds.Header:
                TakeHeader(value);
                break;
            case LineKinds.Party:
                _parties.Add(Required(JsonSerializer.Deserialize(value, SnapshotJson.Default.SnapshotParty)));
                break;
            case LineKinds.Object:
                _objects.Add(JsonNode.Parse(Encoding.UTF8.GetString(value), documentOptions: Strict) as JsonObject ?? throw new JsonException("an object is expected"));
                break;
            case LineKinds.Plan:
                TakePlan(PlanDocument.FromJson(value));
                break;
            case LineKinds.Space:
                TakeSpace(In(space), Required(JsonSerializer.Deserialize(value, SnapshotJson.Default.SpaceLine)));
                break;
            case LineKinds.Entries:
                var (state, _) = Of(In(space));
                foreach (var observed in StateJson.ReadObserved(value))
                {
                    state.Set(observed.Entry.Namespace == space ? observed : throw new JsonException($"an entry of {observed.Entry.Namespace} stands among those of {space}"));
                }
                break;
            case LineKinds.Sockets:
                Of(In(space)).Source.Add(Required(JsonSerializer.Deserialize(value, StateJson.Sockets)));
                break;
            case LineKinds.Connections:
                Of(In(space)).Source.Add(Required(JsonSerializer.Deserialize(value, StateJson.Connections)));
                break;
            case LineKinds.Sets:
                Of(In(space)).Source.Add(Required(JsonSerializer.Deserialize(value, StateJson.Sets)));
                break;
            case LineKinds.VirtualServices:
                Of(In(space)).Source.Add(Required(JsonSerializer.Deserialize(value, StateJson.VirtualServices)));
                break;
            case LineKinds.Missing:
                _missing.Add(Required(JsonSerializer.Deserialize(value, SnapshotJson.Default.String)));
                break;
            case LineKinds.End:
                _end = Required(JsonSerializer.Deserialize(value, SnapshotJson.Default.EndLine)).Lines;
                break;
            default:
                // Of a later version of the same format: what it adds is not needed to understand the rest.
                break;
        }
    }

    // A newer format may have another header, too.
    private void TakeHeader(ReadOnlySpan<byte> value)
    {
        using var document = JsonDocument.Parse(Encoding.UTF8.GetString(value));
        if (document.RootElement.TryGetProperty("format", out var format) && format.TryGetInt32(out var number) && number > SnapshotWriter.Format)
        {
            var by = document.RootElement.TryGetProperty("plumb", out var version) && version.ValueKind == JsonValueKind.String ? $"plumb {version.GetString()}" : "a newer plumb";
            throw new SnapshotException($"was written by {by} in format {number}, and this version reads formats up to {SnapshotWriter.Format}: use a newer plumb");
        }
        _header = Required(JsonSerializer.Deserialize(value, SnapshotJson.Default.SnapshotHeader));
    }

    private void TakePlan(PlanDocument part) =>
        _plans[part.Node] = _plans.TryGetValue(part.Node, out var plan)
            ? plan with { Entries = Joined(plan.Entries, part.Entries) }
            : part with { Entries = Joined(new List<PlannedEntry>(), part.Entries) };

    // One list for all the lines of a node: it is nobody else's yet.
    private static List<PlannedEntry> Joined(IReadOnlyList<PlannedEntry> known, IReadOnlyList<PlannedEntry> more)
    {
        var all = (List<PlannedEntry>)known;
        all.AddRange(more);
        return all;
    }

    private void TakeSpace(NamespaceId space, SpaceLine line)
    {
        var (state, source) = Of(space);
        source.Values = line.Parameters;
        foreach (var (path, value) in line.Parameters)
        {
            state.Set(new Observed(new SysctlEntry(space, path, value), Owner.Kernel, null, new KernelFacts()));
        }
        foreach (var (kind, why) in line.Unread ?? [])
        {
            state.SetUnread(space, kind, why);
        }
    }

    private (ObservedState State, SnapshotSource Source) Of(NamespaceId space)
    {
        if (!_spaces.TryGetValue(space, out var known))
        {
            _spaces.Add(space, known = (new ObservedState(), new SnapshotSource(space)));
        }
        return known;
    }

    private static NamespaceId In(NamespaceId? space) => space ?? throw new JsonException("it does not say of which namespace");

    private static T Required<T>(T? value)
        where T : class => value ?? throw new JsonException("it is null");

    private static string OneLine(Exception fault) => fault.Message.ReplaceLineEndings(" ");
}
