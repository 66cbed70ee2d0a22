using System.Text.Json.Serialization;

namespace Plumb.Dns.Answering;

/// <summary>What a client that says a name comes to: each name that it asks for in turn, with the answer and why it is this one.</summary>
/// <param name="Name">As typed.</param>
/// <param name="Tried">In order; the last one is the one that counts.</param>
public sealed record NameReport(string Name, IReadOnlyList<TriedName> Tried)
{
    /// <summary>Tries as a resolver does: until something is there.</summary>
    public static NameReport Of(Explainer explainer, SearchPath path, string typed, Wire.RecordType type)
    {
        ArgumentNullException.ThrowIfNull(explainer);
        ArgumentNullException.ThrowIfNull(path);
        var tried = new List<TriedName>();
        foreach (var (name, entry) in path.Candidates(typed))
        {
            var why = explainer.Explain(name, type);
            tried.Add(new TriedName(
                name.ToString(),
                entry?.ToString().TrimEnd('.'),
                why.Code,
                why.IsForOthers,
                why.Reason,
                [.. why.Records.Select(static record => new ReportedRecord(record.ToString(), record.Data, record.Cause?.ToString(), record.Type == Wire.RecordType.Cname))]));
            if (why.IsAnswer)
            {
                break;
            }
        }
        return new NameReport(typed, tried);
    }
}

/// <param name="Search">The entry of the search path that made it; null: the name as it was typed.</param>
/// <param name="IsForOthers">Servers outside the cluster say what it is.</param>
public sealed record TriedName(string Name, string? Search, Wire.ResponseCode Code, bool IsForOthers, string Reason, IReadOnlyList<ReportedRecord> Records);

/// <param name="Record">As zone files have it.</param>
/// <param name="Cause">The object behind it; null: the server made it up to complete a search path.</param>
/// <param name="IsAlias">It leads to another name (CNAME).</param>
public sealed record ReportedRecord(string Record, string Data, string? Cause, bool IsAlias);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    Converters = [typeof(JsonStringEnumConverter<Wire.ResponseCode>)])]
[JsonSerializable(typeof(NameReport))]
public sealed partial class NameReportJson : JsonSerializerContext;
