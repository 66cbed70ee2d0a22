using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Replay;

/// <summary>
/// All that was asked of a real server, asked of ours in the same order: one store, as the recordings had one. What other writers of that time did, and no
/// line tells, is in setup.jsonl.
/// </summary>
internal sealed class Rerun : IAsyncDisposable
{
    private readonly TestServer _server;
    private readonly Correspondence _chosen = new();
    private readonly ILookup<string, JsonObject> _setup;
    private readonly HttpClient _stranger;

    private Rerun(TestServer server)
    {
        _server = server;
        _setup = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Replay", "setup.jsonl")).Where(static line => line.StartsWith('{'))
            .Select(static line => JsonNode.Parse(line)!.AsObject()).ToLookup(static line => (string)line["before"]!);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(X509Certificate2.CreateFromPem(server.Api.AuthorityPem));
        _stranger = new HttpClient(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = trust } })
        {
            BaseAddress = new Uri($"https://{server.Api.Address}"),
        };
    }

    /// <returns>Each line with what is different in our answer; null: nothing.</returns>
    public static async Task<List<(Recording Recording, string? Difference)>> RunAsync()
    {
        var all = new List<Recording>();
        foreach (var file in (string[])["created", "refused", "patches", "tables", "watches"])
            all.AddRange(Recording.Read(file));
        all.AddRange(Recording.Discovery());
        await using var rerun = new Rerun(await TestServer.StartAsync(runtime: new SilentNodes()));
        var outcomes = new List<(Recording, string?)>();
        foreach (var recording in all)
            outcomes.Add((recording, await rerun.HoldAsync(recording)));
        return outcomes;
    }

    public async ValueTask DisposeAsync()
    {
        _stranger.Dispose();
        await _server.DisposeAsync();
    }

    private async Task<string?> HoldAsync(Recording recording)
    {
        foreach (var step in _setup[recording.Id])
            await PrepareAsync(step);
        // Only the second recorded server gave pods their accounts.
        _server.Api.Registry.AdmitsServiceAccounts = recording.Line.ContainsKey("admission");
        return recording switch
        {
            { File: "watches" } when recording.Line["events"] is JsonArray events => await WatchAsync(recording, events),
            { File: "tables" } when recording.Line["rows"] is not null => await TableAsync(recording),
            { File: "discovery" } => await DiscoveryAsync(recording),
            _ => await AnswerAsync(recording),
        };
    }

    private async Task PrepareAsync(JsonObject step)
    {
        if ((bool?)step["compact"] == true)
        {
            _server.Api.Store.Compact();
            return;
        }

        var (code, answer) = await _server.SendAsync((string)step["method"]!, (string)step["path"]!, step["request"]?.ToJsonString(), (string?)step["contentType"] ?? "application/json");
        Assert.True((int)code < 300, $"setup {step.ToJsonString()}: {answer.ToJsonString()}");
        if (step["is"] is { } version)
            _chosen.Learn(new JsonObject { ["resourceVersion"] = version.ToString() }, new JsonObject { ["resourceVersion"] = answer["metadata"]!["resourceVersion"]!.DeepClone() });
    }

    private async Task<string?> AnswerAsync(Recording recording)
    {
        var (code, answer) = await AskAsync(recording);

        // The recorder took away what was accepted, so that the next line finds the name free. Lines with admission came from another server.
        if (recording.File is "refused" or "created" && recording.Method == "POST" && (int)code == 201 && answer is JsonObject && (string?)answer["metadata"]?["name"] is { } made
            && (made == "bad" || recording.Line.ContainsKey("admission")) && !recording.Path.EndsWith("/binding", StringComparison.Ordinal))
        {
            await _server.SendAsync("DELETE", $"{recording.Path.Split('?')[0]}/{made}?gracePeriodSeconds=0");
            if (recording.Line.ContainsKey("admission"))
                await _server.SendAsync("DELETE", "/api/v1/namespaces/fx/serviceaccounts/default");
        }

        if ((int)code != recording.Status)
            return $"{(int)code} {Message(answer)}, not {recording.Status} {Message(recording.Response)}";
        if (recording.Line["names"] is JsonArray names)
        {
            var listed = new JsonArray([.. answer["items"]!.AsArray().Select(static item => item!["metadata"]!["name"]!.DeepClone())]);
            return Comparison.Difference(names, listed, _chosen, ".names");
        }

        var expected = recording.Response;
        // What another server chose is its own.
        var chosen = recording.Line.ContainsKey("admission") ? new Correspondence() : _chosen;
        if (expected is JsonObject document && answer is JsonObject said)
            Learn(chosen, document, said);
        if (expected is JsonValue text && answer is JsonValue && recording.Name == "list-watch-bad-bool")
            return null;
        return Comparison.Difference(chosen.Body(Stripped(expected)), Stripped(answer), chosen);
    }

    private static void Learn(Correspondence chosen, JsonObject recorded, JsonObject ours)
    {
        if (recorded["items"] is JsonArray items && ours["items"] is JsonArray here)
        {
            chosen.Learn(recorded["metadata"], ours["metadata"]);
            foreach (var item in items)
            {
                var same = here.FirstOrDefault(other => (string?)other!["metadata"]!["name"] == (string?)item!["metadata"]!["name"]);
                if (same is not null)
                    chosen.Learn(item!["metadata"], same["metadata"]);
            }

            return;
        }

        chosen.Learn(recorded, ours);
    }

    private async Task<string?> DiscoveryAsync(Recording recording)
    {
        using var response = await _server.RawAsync("GET", recording.Path, accept: recording.Accept.Length > 0 ? recording.Accept : null);
        if ((int)response.StatusCode != recording.Status)
            return $"{(int)response.StatusCode}, not {recording.Status}";
        var type = response.Content.Headers.ContentType?.ToString() ?? "";
        if (!string.Equals(type.Replace(" ", "", StringComparison.Ordinal), ((string)recording.Line["type"]!).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal))
            return $"Content-Type is {type}, not {(string)recording.Line["type"]!}";
        if (recording.Response is not { } expected)
            return null;
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return Comparison.Difference(Served(expected), Served(answer), _chosen);
    }

    /// <summary>Hashes are of each server's own making, and so are its build and the address of the test.</summary>
    private static JsonNode? Served(JsonNode? document)
    {
        if (document is not JsonObject members)
            return document;
        members = (JsonObject)members.DeepClone();
        foreach (var made in (string[])["major", "minor", "emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform", "serverAddressByClientCIDRs"])
        {
            if (members.ContainsKey(made))
                members[made] = "made";
        }

        foreach (var (_, path) in (members["paths"] as JsonObject ?? []).ToArray())
        {
            if (path is JsonObject entry && entry.ContainsKey("serverRelativeURL"))
                entry["serverRelativeURL"] = ((string)entry["serverRelativeURL"]!).Split('=')[0];
        }

        foreach (var resource in members["resources"] as JsonArray ?? [])
            resource!.AsObject().Remove("storageVersionHash");
        return members;
    }

    private async Task<string?> TableAsync(Recording recording)
    {
        var (code, table) = await AskAsync(recording);
        if ((int)code != recording.Status)
            return $"{(int)code} {Message(table)}, not {recording.Status}";
        var line = recording.Line;
        foreach (var column in table["columnDefinitions"]!.AsArray())
            column!.AsObject().Remove("description");
        if (Comparison.Difference(line["columnDefinitions"], table["columnDefinitions"], _chosen, ".columnDefinitions") is { } columns)
            return columns;
        var rows = table["rows"]!.AsArray();
        var found = new JsonArray();
        foreach (var row in rows)
        {
            var shown = new JsonObject { ["name"] = row!["object"]?["metadata"]?["name"]?.DeepClone(), ["cells"] = row["cells"]!.DeepClone() };
            if (row["conditions"] is JsonArray { Count: > 0 } conditions)
                shown["conditions"] = conditions.DeepClone();
            found.Add(shown);
        }

        if (rows.Count > 0 && line["rowObjectKind"] is JsonArray kind)
        {
            var first = rows[0]!["object"];
            var ours = first is null ? null : new JsonArray(first["apiVersion"]?.DeepClone(), first["kind"]?.DeepClone());
            if (Comparison.Difference(kind, ours, _chosen, ".rows[0].object") is { } other)
                return other;
        }

        return Comparison.Difference(_chosen.Body(line["rows"]), found, _chosen, ".rows");
    }

    private async Task<string?> WatchAsync(Recording recording, JsonArray events)
    {
        using var asked = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        asked.CancelAfter(TimeSpan.FromSeconds(2.5));
        _chosen.Reach(recording.Path, _server.Api.Store.ResourceVersion);
        using var response = await _server.RawAsync("GET", _chosen.Path(recording.Path), accept: recording.Accept.Length > 0 ? recording.Accept : null);
        if ((int)response.StatusCode != recording.Status || recording.Status != 200)
        {
            var text = await response.Content.ReadAsStringAsync(asked.Token);
            var said = text.StartsWith('{') ? JsonNode.Parse(text)! : JsonValue.Create(text);
            return (int)response.StatusCode != recording.Status ? $"{(int)response.StatusCode} {Message(said)}, not {recording.Status}" : Comparison.Difference(recording.Response, said, _chosen);
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(asked.Token));
        var found = new JsonArray();
        var before = events.Count(change => (int?)change!["afterMs"] < 300);
        var omitted = recording.Line["events"]!.AsArray().Any(static change => change!["event"] is null);
        if (omitted)
            events = [.. events.TakeWhile(static change => change!["event"] is not null).Select(static change => change!.DeepClone())];
        await ReadAsync(reader, found, Math.Min(before, events.Count), asked.Token);
        foreach (var write in recording.Line["writesMeanwhile"] as JsonArray ?? [])
        {
            var request = write!["request"];
            var type = (string?)write["contentType"] ?? ((string)write["method"]! == "PATCH" ? "application/merge-patch+json" : "application/json");
            if (request is JsonObject patch && patch["metadata"] is JsonObject metadata && metadata.ContainsKey("finalizers") is false && patch.ContainsKey("finalizers"))
                type = "application/merge-patch+json";
            await _server.SendAsync((string)write["method"]!, _chosen.Path((string)write["path"]!), _chosen.Body(request)?.ToJsonString(), type);
            _chosen.Wrote(_server.Api.Store.ResourceVersion);
        }

        await ReadAsync(reader, found, events.Count, asked.Token);
        for (var i = 0; i < Math.Min(found.Count, events.Count); i++)
        {
            if (events[i]!["event"]?["object"] is JsonObject recorded && found[i]!["object"] is JsonObject ours)
            {
                _chosen.Learn(recorded["metadata"], ours["metadata"]);
                _chosen.Stands(recorded["metadata"]?["resourceVersion"], ours["metadata"]?["resourceVersion"]);
            }
        }

        var expected = new JsonArray([.. events.Select(change => _chosen.Body(change!["event"]))]);
        return Comparison.Difference(expected, found, _chosen, ".events");
    }

    private static async Task ReadAsync(StreamReader reader, JsonArray found, int count, CancellationToken cancel)
    {
        try
        {
            while (found.Count < count && await reader.ReadLineAsync(cancel) is { } line)
                found.Add(JsonNode.Parse(line));
        }
        catch (OperationCanceledException)
        {
            // Nothing came: the comparison says what is missing.
        }
    }

    private async Task<(HttpStatusCode Code, JsonNode Answer)> AskAsync(Recording recording)
    {
        var request = recording.Request;
        var body = request is JsonValue text && text.TryGetValue<string>(out var raw) ? raw : _chosen.Body(request)?.ToJsonString();
        if ((string?)recording.Line["auth"] is { } auth)
        {
            using var asked = new HttpRequestMessage(new HttpMethod(recording.Method), recording.Path);
            if (auth.Contains("wrong", StringComparison.Ordinal))
                asked.Headers.TryAddWithoutValidation("Authorization", "Bearer wrong");
            using var answer = await _stranger.SendAsync(asked, TestContext.Current.CancellationToken);
            return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
        }

        return await _server.SendAsync(recording.Method, _chosen.Path(recording.Path), body, recording.ContentType, recording.Accept.Length > 0 ? recording.Accept : null);
    }

    private static string Message(JsonNode? answer) => answer is JsonObject status ? (string?)status["message"] ?? "" : answer?.ToString() ?? "";

    private static JsonNode? Stripped(JsonNode? answer) => answer is JsonValue value && value.TryGetValue<string>(out var text) ? text.TrimEnd('\n') : answer;
}
