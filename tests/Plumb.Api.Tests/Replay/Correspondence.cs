using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Plumb.Api.Tests.Replay;

/// <summary>
/// What the recorded server made up (uids, versions, addresses, ports, names) and what ours made up in its place. Requests are translated before they are
/// sent, recorded answers before they are compared: what is then left of a difference is one.
/// </summary>
internal sealed partial class Correspondence
{
    private readonly Dictionary<string, string> _words = [];
    private readonly SortedList<long, long> _versions = [];

    /// <summary>Takes note of every value that both servers chose themselves.</summary>
    public void Learn(JsonNode? recorded, JsonNode? ours, string member = "")
    {
        switch (recorded, ours)
        {
            case (JsonObject left, JsonObject right):
                foreach (var (name, value) in left)
                    Learn(value, right[name], name);
                break;
            case (JsonArray left, JsonArray right):
                for (var i = 0; i < Math.Min(left.Count, right.Count); i++)
                    Learn(left[i], right[i], member);
                break;
            case (JsonValue left, JsonValue right):
                Learn(left.ToString(), right.ToString(), member);
                break;
        }
    }

    private void Learn(string recorded, string ours, string member)
    {
        switch (member)
        {
            case "resourceVersion" when long.TryParse(recorded, CultureInfo.InvariantCulture, out var version) && long.TryParse(ours, CultureInfo.InvariantCulture, out var here):
                _versions.TryAdd(version, here);
                break;
            case "uid" or "clusterIP" or "clusterIPs" or "nodePort" or "healthCheckNodePort" or "name" or "continue" or "token" when recorded.Length > 4:
                if (recorded != ours)
                    _words.TryAdd(recorded, ours);
                break;
        }
    }

    /// <summary>A path that names a later version than any before: the recorded server was there when it was asked.</summary>
    public void Reach(string path, long ours)
    {
        if (VersionInQuery().Match(path) is { Success: true } found && long.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture) is var version && version > _versions.Keys[^1] && version < 1_000_000)
            _versions.Add(version, ours);
    }

    /// <summary>An event tells the version of a write for sure.</summary>
    public void Stands(JsonNode? recorded, JsonNode? ours)
    {
        if (long.TryParse(recorded?.ToString(), CultureInfo.InvariantCulture, out var version) && long.TryParse(ours?.ToString(), CultureInfo.InvariantCulture, out var here))
            _versions[version] = here;
    }

    /// <summary>One write happened on both servers: each counts one version on.</summary>
    public void Wrote(long ours) => _versions.TryAdd(_versions.Keys[^1] + 1, ours);

    /// <summary>The version of ours at which the recorded server was at <paramref name="recorded"/>; of the far future: itself.</summary>
    public long Version(long recorded)
    {
        var before = 0L;
        foreach (var (version, ours) in _versions)
        {
            if (version > recorded)
                break;
            before = ours;
        }

        return recorded > 1_000_000 || recorded <= 5 ? recorded : before;
    }

    /// <summary>Words of the recorded server become ours, wherever they stand in a text.</summary>
    public string Text(string text)
    {
        if (_words.TryGetValue(text, out var whole))
            return whole;
        return Made().Replace(text, found => _words.GetValueOrDefault(found.Value, found.Value));
    }

    public string Path(string path) => VersionInQuery().Replace(Text(path), found => $"resourceVersion={Version(long.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture))}");

    /// <summary>A copy of a recorded body in our words.</summary>
    public JsonNode? Body(JsonNode? recorded, string member = "") => recorded switch
    {
        JsonObject members => new JsonObject(members.Select(pair => KeyValuePair.Create(Text(pair.Key), Body(pair.Value, pair.Key)))),
        JsonArray items => new JsonArray([.. items.Select(item => Body(item, member))]),
        JsonValue value => Value(value, member),
        _ => null,
    };

    private JsonNode Value(JsonValue value, string member)
    {
        if (!value.TryGetValue<string>(out var text))
            return member.EndsWith("odePort", StringComparison.Ordinal) && _words.TryGetValue(value.ToString(), out var port) ? int.Parse(port, CultureInfo.InvariantCulture) : value.DeepClone();
        if (member == "resourceVersion" && long.TryParse(text, CultureInfo.InvariantCulture, out var version))
            return Version(version).ToString(CultureInfo.InvariantCulture);
        return Text(text);
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\\b10\\.(?:9[6-9]|1[01][0-9])\\.[0-9]+\\.[0-9]+\\b|\\b3[0-2][0-9]{3}\\b|\\beyJ[A-Za-z0-9_-]+|\\b[a-z-]+-[bcdfghjklmnpqrstvwxz2456789]{5}\\b")]
    private static partial Regex Made();

    [GeneratedRegex("resourceVersion=([0-9]+)")]
    private static partial Regex VersionInQuery();
}
