using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
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

    private readonly GZipStream _to;
    private readonly LineBuffer _lines = new();
    private long _count;

    /// <param name="to">Stays open.</param>
    public SnapshotWriter(Stream to, SnapshotHeader header)
    {
        _to = new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true);
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
        foreach (var some in plan.Entries.Chunk(SnapshotSpace.Most))
        {
            Line(LineKinds.Plan, json => json.WriteRawValue(new PlanDocument { Node = plan.Node, Entries = some, Conflicts = [], Refusals = [] }.ToJson(), skipInputValidation: true));
        }
    }

    public void Write(SnapshotSpace space)
    {
        ArgumentNullException.ThrowIfNull(space);
        Pass(space.Lines);
    }

    /// <summary>Something that should be here and could not be read, in one line.</summary>
    public void Miss(string what) => Line(LineKinds.Missing, what, SnapshotJson.Default.String);

    /// <summary>Says that nothing is missing at the end. Without it a reader takes the file for cut short.</summary>
    public void Complete()
    {
        Line(LineKinds.End, new EndLine(_count + 1), SnapshotJson.Default.EndLine);
        _to.Flush();
    }

    public void Dispose()
    {
        _lines.Dispose();
        _to.Dispose();
    }

    private void Line<T>(string kind, T value, JsonTypeInfo<T> type) => Line(kind, json => JsonSerializer.Serialize(json, value, type));

    private void Line(string kind, Action<Utf8JsonWriter> value)
    {
        _lines.Add(kind, value);
        Pass(_lines);
        _lines.Clear();
    }

    private void Pass(LineBuffer some)
    {
        _to.Write(some.Written);
        _count += some.Count;
    }
}
