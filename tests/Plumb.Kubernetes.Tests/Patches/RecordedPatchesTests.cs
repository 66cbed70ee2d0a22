using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;

namespace Plumb.Kubernetes.Tests.Patches;

public sealed class RecordedPatchesTests
{
    /// <summary>What the server itself changes with every write, or fills in for what a patch has added.</summary>
    private static readonly HashSet<string> OfTheServer =
        ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink"];

    /// <summary>Lines where the server does more than patch: it allocates, clears or ignores fields of its own accord.</summary>
    private static readonly HashSet<string> MoreThanAPatch =
    [
        "service-merge-to-clusterip-clears-nodeport", "service-merge-to-loadbalancer", "service-merge-back-to-clusterip-status-cleared", "service-to-externalname",
        "service-back-from-externalname-new-ip", "merge-with-matching-uid-and-status-ignored", "pod-status-ignores-spec", "pod-status-podIPs-mismatch",
        "pod-ephemeralcontainers", "custom-merge", "custom-status", "merge-clear-managedFields", "strategic-tolerations-atomic",
    ];

    [Fact]
    public void Every_recorded_patch_gives_what_the_real_server_answered()
    {
        var objects = new Dictionary<string, JsonObject>();
        var kinds = new HashSet<PatchKind>();
        int compared = 0;
        foreach (var line in Fixtures.Lines("patches.jsonl"))
        {
            string name = (string)line["name"]!, path = ((string)line["path"]!).Split('?')[0];
            if (line["response"] is not JsonObject response || (int)line["status"]! >= 300)
                continue;
            string key = path;
            foreach (string subresource in (string[])["/status", "/ephemeralcontainers", "/resize"])
                key = key.EndsWith(subresource, StringComparison.Ordinal) ? key[..^subresource.Length] : key;
            if ((string)line["method"]! == "POST")
                key += "/" + (string)response["metadata"]!["name"]!;
            PatchKind? kind = (string?)line["contentType"] switch
            {
                Patch.JsonMediaType => PatchKind.Json,
                Patch.MergeMediaType => PatchKind.Merge,
                Patch.StrategicMergeMediaType => PatchKind.StrategicMerge,
                _ => null,
            };
            if (kind is { } known && !MoreThanAPatch.Contains(name) && objects.TryGetValue(key, out var before))
            {
                var patch = Patch.Parse(known, Encoding.UTF8.GetBytes(line["request"]!.ToJsonString()));
                string untouched = before.ToJsonString();
                var patched = patch.Apply(before, GroupVersionKind.Of((string)before["apiVersion"]!, (string)before["kind"]!));
                Assert.Equal(untouched, before.ToJsonString());
                Compare(patched, response, name);
                kinds.Add(known);
                compared++;
            }
            if (key.EndsWith("/scale", StringComparison.Ordinal) && objects.TryGetValue(key[..^"/scale".Length], out var scaled))
                scaled["spec"]!["replicas"] = response["spec"]!["replicas"]!.DeepClone();
            else if (!((string)line["path"]!).Contains("dryRun", StringComparison.Ordinal))
                objects[key] = response;
        }
        Assert.Equal(3, kinds.Count);
        Assert.True(compared >= 35, $"only {compared} patches were compared");
    }

    [Fact]
    public void Every_recorded_refusal_of_a_patch_is_worded_alike()
    {
        var pod = JsonNode.Parse("""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p-no-tag"},"spec":{"containers":[{"name":"c","image":"a"}]}}""")!.AsObject();
        int compared = 0;
        foreach (var line in Fixtures.Lines("refused.jsonl"))
        {
            string name = (string)line["name"]!;
            PatchKind? kind = name switch
            {
                "patch-merge-not-json" or "patch-merge-array" => PatchKind.Merge,
                "patch-strategic-no-merge-key" or "patch-strategic-bad-directive" => PatchKind.StrategicMerge,
                _ => name.StartsWith("patch-json-", StringComparison.Ordinal) ? PatchKind.Json : null,
            };
            if (kind is not { } known || (int)line["status"]! < 400)
                continue;
            byte[] body = Encoding.UTF8.GetBytes(line["request"] is JsonValue text ? text.GetValue<string>() : line["request"]!.ToJsonString());
            var error = Assert.Throws<PatchException>(() => Patch.Parse(known, body).Apply(pod, Pod.Type.Kind));
            Assert.Equal((string)line["response"]!["message"]!, error.Message);
            Assert.Equal((int)line["status"]!, error.Failure switch
            {
                PatchFailure.Malformed => 400,
                PatchFailure.Inapplicable => 422,
                PatchFailure.Contradictory => 500,
                _ => 413,
            });
            compared++;
        }
        Assert.True(compared >= 10, $"only {compared} refusals were compared");
    }

    /// <summary>All that the patch left must be in the answer, in its order; the answer may have defaults besides.</summary>
    private static void Compare(JsonNode? ours, JsonNode? theirs, string path)
    {
        switch (ours)
        {
            case JsonObject map:
                Assert.True(theirs is JsonObject, $"{path}: {theirs?.ToJsonString()}");
                foreach (var (name, value) in map)
                {
                    if (!OfTheServer.Contains(name))
                        Compare(value, theirs![name], $"{path}.{name}");
                }
                foreach (var (name, value) in (JsonObject)theirs!)
                    Assert.True(map.ContainsKey(name) || !path.EndsWith("metadata.labels", StringComparison.Ordinal), $"{path}.{name} should be gone");
                break;
            case JsonArray list:
                Assert.True(theirs is JsonArray other && other.Count == list.Count, $"{path}: {list.ToJsonString()} against {theirs?.ToJsonString()}");
                for (int i = 0; i < list.Count; i++)
                    Compare(list[i], theirs![i], $"{path}[{i}]");
                break;
            default:
                Assert.True(JsonNode.DeepEquals(ours, theirs), $"{path}: {ours?.ToJsonString()} against {theirs?.ToJsonString()}");
                break;
        }
    }
}
