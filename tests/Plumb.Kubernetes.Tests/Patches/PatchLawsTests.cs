using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;

namespace Plumb.Kubernetes.Tests.Patches;

public sealed class PatchLawsTests
{
    [Fact]
    public void A_merge_patch_applied_twice_is_applied_once() => Prop.ForAll(Arb.From(Gen.Zip(Document(3, nulls: false), Document(3, nulls: true))), pair =>
    {
        var patch = new MergePatch(pair.Item2);
        var once = patch.Apply(pair.Item1);
        return JsonNode.DeepEquals(once, patch.Apply(once));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_difference_of_two_documents_turns_one_into_the_other() => Prop.ForAll(Arb.From(Gen.Zip(Document(3, nulls: false), Document(3, nulls: false))), pair =>
        JsonNode.DeepEquals(pair.Item2, MergePatch.Between(pair.Item1, pair.Item2).Apply(pair.Item1))).QuickCheckThrowOnFailure();

    [Fact]
    public void The_difference_of_equal_documents_is_empty() => Prop.ForAll(Arb.From(Document(3, nulls: false)), document =>
        MergePatch.Between(document, (JsonObject)document.DeepClone()).IsEmpty).QuickCheckThrowOnFailure();

    [Fact]
    public void A_strategic_merge_patch_of_a_kind_without_merged_lists_is_a_merge_patch() =>
        Prop.ForAll(Arb.From(Gen.Zip(Document(3, nulls: false), Document(3, nulls: true))), pair => JsonNode.DeepEquals(
            new MergePatch(pair.Item2).Apply(pair.Item1),
            new StrategicMergePatch(pair.Item2).Apply(pair.Item1, new("example.com", "v1", "Thing")))).QuickCheckThrowOnFailure();

    [Fact]
    public void A_strategic_merge_patch_of_a_pod_applied_twice_is_applied_once() => Prop.ForAll(Arb.From(Gen.Zip(Containers(), Containers())), pair =>
    {
        var patch = new StrategicMergePatch(pair.Item2);
        var once = patch.Apply(pair.Item1, Pod.Type.Kind);
        return JsonNode.DeepEquals(once, patch.Apply(once, Pod.Type.Kind));
    }).QuickCheckThrowOnFailure();

    /// <summary>Also shows that no list that is merged by keys loses or doubles an item.</summary>
    [Fact]
    public void A_strategic_merge_keeps_each_container_once() => Prop.ForAll(Arb.From(Gen.Zip(Containers(), Containers())), pair =>
    {
        var result = new StrategicMergePatch(pair.Item2).Apply(pair.Item1, Pod.Type.Kind);
        string[] names = Names(result);
        return names.Length == names.Distinct().Count() && names.ToHashSet().SetEquals(Names(pair.Item1).Union(Names(pair.Item2)));
    }).QuickCheckThrowOnFailure();

    private static string[] Names(JsonObject pod) => [.. pod["spec"]!["containers"]!.AsArray().Select(c => (string)c!["name"]!)];

    private static Gen<JsonObject> Containers() => Gen.SubListOf("a", "b", "c", "d").SelectMany(names => Gen.Shuffle<string>(names)).Zip(Gen.Choose(0, 9)).Select(pair =>
    {
        var containers = new JsonArray();
        foreach (string name in pair.Item1)
            containers.Add(new JsonObject { ["name"] = name, ["image"] = $"{name}:{pair.Item2}" });
        return new JsonObject { ["spec"] = new JsonObject { ["containers"] = containers } };
    });

    private static Gen<JsonObject> Document(int depth, bool nulls) =>
        Gen.SubListOf("a", "b", "c", "d", "~e/").SelectMany(names => Gen.CollectToArray(names, _ => Value(depth - 1, nulls)), (names, values) =>
        {
            var map = new JsonObject();
            foreach (var (name, value) in names.Zip(values))
                map[name] = value?.DeepClone();
            return map;
        });

    private static Gen<JsonNode?> Value(int depth, bool nulls)
    {
        var scalar = Gen.OneOf(
            Gen.Choose(0, 3).Select(n => (JsonNode?)JsonValue.Create(n)), Gen.Elements("x", "").Select(s => (JsonNode?)JsonValue.Create(s)),
            Gen.Constant((JsonNode?)JsonValue.Create(true)), nulls ? Gen.Constant((JsonNode?)null) : Gen.Constant((JsonNode?)JsonValue.Create(1.5)));
        if (depth <= 0)
            return scalar;
        var list = Gen.ListOf(Gen.Choose(0, 3)).Select(items => (JsonNode?)new JsonArray([.. items.Select(n => (JsonNode)JsonValue.Create(n))]));
        return Gen.OneOf(scalar, list, Document(depth, nulls).Select(d => (JsonNode?)d));
    }
}
