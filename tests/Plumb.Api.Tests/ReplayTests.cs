using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests;

/// <summary>The same requests in the same order as a real server had them; what we answer is held against what it answered.</summary>
public sealed class ReplayTests
{
    /// <summary>Kinds that Plumb does not have, admission that it does not do.</summary>
    private static readonly string[] NotServed =
    [
        "cronjob", "crd", "widget", "custom-", "pdb", "priorityclass", "role", "clusterrole", "resourcequota", "limitrange", "hpa", "selfsubject",
        "replicationcontroller", "podsecurity", "pod-privileged", "quota", "list-watch-bad-bool",
    ];

    /// <summary>Every created object must come back as the real server gave it, but for these.</summary>
    private static readonly string[] CreatedDiffers =
    [
        // No priority classes, no default ingress class, no protection of claims; the API is advertised at another port.
        "pod-security-context-priority", "ingress-default-class-admission", "pvc", "service-kubernetes-made-by-server",
    ];

    /// <summary>Refusals whose code, reason or text is another one here, or that are none here.</summary>
    private static readonly string[] RefusedDiffers =
    [
        // Go's own difference of two objects, its own text of one, or names made up anew.
        "generateName-bad", "update-pod-change-port", "update-pod-nodeName", "patch-merge-immutable", "patch-merge-wrong-type", "patch-merge-kind",
        "patch-strict-unknown", "body-array", "list-continue-bad", "list-continue-with-rv", "job-selector-given", "update-job-template-immutable",
        "secret-dockerconfig-bad", "update-pod-kind-mismatch", "body-wrong-kind", "body-list-kind",

        // Ingresses are stored as they come.
        "ingress-empty", "ingress-path-relative", "ingress-path-double-slash", "ingress-path-encoded-slash", "ingress-pathType-missing",
        "ingress-pathType-bad", "ingress-host-ip", "ingress-host-port", "ingress-host-wildcard-middle", "ingress-host-upper",
        "ingress-backend-missing", "ingress-backend-port-0", "ingress-backend-port-both", "ingress-backend-service-and-resource",
        "ingress-paths-empty", "ingress-tls-host-bad", "ingress-class-and-annotation",

        // These tests come in memory, where no token is asked for, and without nodes.
        "auth-wrong-token", "auth-none-anonymous", "logs-unscheduled-pod", "logs-missing-container", "logs-node-missing-container-ambiguous",
        "logs-kubelet-down", "logs-bad-option", "exec-not-upgrade", "exec-no-command", "exec-no-streams", "exec-missing-container",
        "exec-unscheduled", "portforward-not-upgrade",

        // The recording has addresses of its own, or a namespace controller that had begun its work.
        "update-service-clusterIP-mismatch", "update-service-ipfamily", "update-service-lbclass-immutable", "update-service-hcnp-immutable",
        "update-endpointslice-addressType", "create-in-terminating-namespace", "create-namespace-terminating-same-name",
        "update-finalizer-add-while-terminating",

        // Forms and kinds that are not served.
        "ct-yaml-bad", "ct-protobuf-garbage", "accept-text-html", "accept-table-v1alpha", "accept-partial-unknown", "get-componentstatus-missing",
        "list-field-selector-custom", "proxy-service-no-endpoints", "proxy-service-missing", "event-v1-no-eventTime", "apply-invalid-yaml",

        // Apply knows no schema of its own: what a typed server cannot merge is told by validation.
        "apply-name-mismatch", "apply-unknown-field", "apply-duplicate-list-key",

        // Refused too, or accepted, in other words.
        "service-clusterIP-leading-zero", 
        
    ];

    [Fact]
    public async Task Created_objects_get_the_defaults_of_a_real_server()
    {
        var lines = Fixtures.Read("created.jsonl");
        await using var server = await TestServer.StartAsync();
        var different = new List<string>();
        foreach (var line in lines.Where(IsServed))
        {
            var (code, answer) = await SendAsync(server, line);
            var name = (string)line["name"]!;
            var expected = line["response"];
            if ((int)code != (int)line["status"]!)
                different.Add($"{name}: {(int)code} {answer["message"]}");
            else if (Difference(expected, answer, "") is { } difference)
                different.Add($"{name}: {difference}");
        }

        Agree(different, CreatedDiffers);
    }

    [Fact]
    public async Task Refusals_have_the_code_reason_and_words_of_a_real_server()
    {
        var created = Fixtures.Read("created.jsonl");
        await using var server = await TestServer.StartAsync();
        foreach (var line in created.Where(IsServed))
            await SendAsync(server, line);
        var different = new List<string>();
        foreach (var line in Fixtures.Read("refused.jsonl").Where(IsServed))
        {
            var (code, answer) = await SendAsync(server, line);
            if (code == HttpStatusCode.Created && (string?)answer["metadata"]?["name"] is { } made)
                await server.SendAsync("DELETE", $"{((string)line["path"]!).Split('?')[0]}/{made}?gracePeriodSeconds=0");
            var said = $"{(int)code} {answer as JsonValue ?? answer["reason"]} {Text(answer)}";
            var expected = line["response"];
            var wanted = $"{(int)line["status"]!} {expected as JsonValue ?? expected?["reason"]} {Text(expected)}";
            if (said != wanted)
                different.Add($"{line["name"]}: {said}\n        not {wanted}");
        }

        Agree(different, RefusedDiffers);
    }

    private static void Agree(List<string> different, string[] known)
    {
        var names = different.Select(static line => line[..line.IndexOf(':', StringComparison.Ordinal)]).ToHashSet();
        var unexpected = different.Where(line => !known.Contains(line[..line.IndexOf(':', StringComparison.Ordinal)])).ToList();
        Assert.True(unexpected.Count == 0, $"{unexpected.Count} answers differ from a real server's:\n  {string.Join("\n  ", unexpected)}");
        var agree = known.Where(name => !names.Contains(name)).ToList();
        Assert.True(agree.Count == 0, $"these agree now; take them off the list: {string.Join(", ", agree)}");
    }

    private static string Text(JsonNode? answer)
    {
        var text = answer is JsonObject status ? (string?)status["message"] ?? "" : "";

        // Uids, addresses and times are made up anew each time.
        return System.Text.RegularExpressions.Regex.Replace(text, "[0-9a-f]{8}-[0-9a-f-]{27}|in record \\([0-9]+\\)|current: [0-9]+", "~");
    }

    private static bool IsServed(JsonObject line)
    {
        var name = (string)line["name"]!;
        return !line.ContainsKey("admission") && !NotServed.Any(part => name.Contains(part, StringComparison.Ordinal));
    }

    private static async Task<(HttpStatusCode Code, JsonNode Answer)> SendAsync(TestServer server, JsonObject line)
    {
        var request = line["request"];
        var type = (string?)line["contentType"] ?? "application/json";
        if ((string)line["method"]! == "PUT" && request?["metadata"] is JsonObject metadata && !((string)line["name"]!).Contains("esourceVersion", StringComparison.Ordinal) && !((string)line["name"]!).Contains("stale", StringComparison.Ordinal))
        {
            // The recorded version is that server's; here it would always be a conflict.
            metadata.Remove("resourceVersion");
            if ((string?)metadata["uid"] is { } uid && !uid.StartsWith("00000000", StringComparison.Ordinal))
                metadata.Remove("uid");
        }

        var body = request is JsonValue text && text.TryGetValue<string>(out var raw) ? raw : request?.ToJsonString();
        try
        {
            return await server.SendAsync((string)line["method"]!, (string)line["path"]!, body, type, (string?)line["accept"]);
        }
        catch (Exception broken) when (broken is not OperationCanceledException)
        {
            throw new InvalidOperationException($"{line["name"]}: {broken.Message}", broken);
        }
    }

    /// <returns>Null, or the first path at which the answer is not as expected.</returns>
    private static string? Difference(JsonNode? expected, JsonNode? answer, string path)
    {
        if (IsVolatile(path))
            return null;
        switch (expected, answer)
        {
            case (JsonObject left, JsonObject right):
                foreach (var name in left.Select(static member => member.Key).Union(right.Select(static member => member.Key)))
                {
                    if (Difference(left[name], right[name], $"{path}.{name}") is { } inner)
                        return inner;
                }

                return null;
            case (JsonArray left, JsonArray right):
                if (left.Count != right.Count)
                    return $"{path} has {right.Count} items, not {left.Count}";
                for (var i = 0; i < left.Count; i++)
                {
                    if (Difference(left[i], right[i], $"{path}[{i}]") is { } inner)
                        return inner;
                }

                return null;
            default:
                return JsonNode.DeepEquals(expected, answer) ? null : $"{path} is {answer?.ToJsonString() ?? "absent"}, not {expected?.ToJsonString() ?? "absent"}";
        }
    }

    private static bool IsVolatile(string path) =>
        path is ".metadata.uid" or ".metadata.resourceVersion" or ".metadata.creationTimestamp" or ".metadata.managedFields" or ".spec.clusterIP" or ".spec.clusterIPs[0]" or ".spec.healthCheckNodePort" or ".metadata.name"
        || path.EndsWith("kubernetes.io/metadata.name", StringComparison.Ordinal) || path.EndsWith(".nodePort", StringComparison.Ordinal) || path.EndsWith("lastTransitionTime", StringComparison.Ordinal) || path.Contains("controller-uid", StringComparison.Ordinal)
        || path.EndsWith(".token", StringComparison.Ordinal) || path.EndsWith("Timestamp", StringComparison.Ordinal);
}
