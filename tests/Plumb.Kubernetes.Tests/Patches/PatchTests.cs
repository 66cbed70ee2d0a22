using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;

namespace Plumb.Kubernetes.Tests.Patches;

public sealed class PatchTests
{
    [Theory]
    [InlineData("""{"a":[1,2]}""", """[{"op":"add","path":"/a/1","value":9}]""", """{"a":[1,9,2]}""")]
    [InlineData("""{"a":[1,2]}""", """[{"op":"add","path":"/a/-","value":9}]""", """{"a":[1,2,9]}""")]
    [InlineData("""{"a":[1,2]}""", """[{"op":"remove","path":"/a/0"}]""", """{"a":[2]}""")]
    [InlineData("""{"a":{"b/c":1,"d~e":2}}""", """[{"op":"replace","path":"/a/b~1c","value":3},{"op":"remove","path":"/a/d~0e"}]""", """{"a":{"b/c":3}}""")]
    [InlineData("""{"a":1}""", """[{"op":"move","from":"/a","path":"/b"}]""", """{"b":1}""")]
    [InlineData("""{"a":[1]}""", """[{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/-","value":2}]""", """{"a":[1],"b":[1,2]}""")]
    [InlineData("""{"a":1}""", """[{"op":"test","path":"/a","value":1},{"op":"add","path":"/b","value":null}]""", """{"a":1,"b":null}""")]
    public void A_JSON_patch_does_what_the_RFC_says(string before, string patch, string after) =>
        Assert.Equal(after, Patch.Parse(PatchKind.Json, Encoding.UTF8.GetBytes(patch)).Apply(JsonNode.Parse(before)!.AsObject(), default).ToJsonString());

    [Theory]
    [InlineData("""[{"op":"add","path":"/a/3","value":9}]""")]
    [InlineData("""[{"op":"add","path":"/a/01","value":9}]""")]
    [InlineData("""[{"op":"remove","path":"/a/2"}]""")]
    [InlineData("""[{"op":"remove","path":"/z"}]""")]
    [InlineData("""[{"op":"replace","path":"/z","value":1}]""")]
    [InlineData("""[{"op":"add","path":"/z/y","value":1}]""")]
    [InlineData("""[{"op":"move","from":"/o","path":"/o/in"}]""")]
    [InlineData("""[{"op":"add","path":"/y"}]""")]
    [InlineData("""[{"op":"add","value":1}]""")]
    [InlineData("""[{"op":"add","path":"y","value":1}]""")]
    [InlineData("""[{"op":"replace","path":"","value":[]}]""")]
    public void A_JSON_patch_that_does_not_fit_says_which_operation_and_changes_nothing(string patch)
    {
        var before = JsonNode.Parse("""{"a":[1,2],"o":{}}""")!.AsObject();
        var error = Assert.Throws<PatchException>(() => Patch.Parse(PatchKind.Json, Encoding.UTF8.GetBytes(patch)).Apply(before, default));
        Assert.Equal(PatchFailure.Inapplicable, error.Failure);
        Assert.NotEqual(error.Message, error.Detail);
        Assert.Equal("""{"a":[1,2],"o":{}}""", before.ToJsonString());
    }

    [Theory]
    [InlineData("""{"a":{"b":null,"c":{"d":null}}}""", """{"a":{"c":{}}}""")]
    public void Nulls_in_what_a_merge_patch_adds_are_dropped(string patch, string after) =>
        Assert.Equal(after, Patch.Parse(PatchKind.Merge, Encoding.UTF8.GetBytes(patch)).Apply([], default).ToJsonString());

    [Theory]
    // Directives inside what is new go no further.
    [InlineData("{}", """{"spec":{"$retainKeys":["hostname"],"hostname":"h","containers":[{"name":"a","$patch":"delete"},{"name":"b"}]}}""", """{"spec":{"hostname":"h","containers":[{"name":"b"}]}}""")]
    // The order of what the patch names is the patch's; a server's own item stays before what stood behind it.
    [InlineData("""{"spec":{"containers":[{"name":"s"},{"name":"a"},{"name":"b"}]}}""",
        """{"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"a","image":"i"}]}}""",
        """{"spec":{"containers":[{"name":"s"},{"name":"b"},{"name":"a","image":"i"}]}}""")]
    [InlineData("""{"spec":{"containers":[{"name":"a"},{"name":"b"}]}}""", """{"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}}""",
        """{"spec":{"containers":[{"name":"b"},{"name":"a"}]}}""")]
    [InlineData("""{"metadata":{"finalizers":["a","b"]}}""", """{"metadata":{"finalizers":["c","a"]}}""", """{"metadata":{"finalizers":["c","a","b"]}}""")]
    [InlineData("""{"spec":{"nodeSelector":{"a":"1"}}}""", """{"spec":{"nodeSelector":{"$patch":"replace","b":"2"}}}""", """{"spec":{"nodeSelector":{"b":"2"}}}""")]
    [InlineData("""{"spec":{"nodeSelector":{"a":"1"}}}""", """{"spec":{"nodeSelector":{"$patch":"delete"}}}""", """{"spec":{"nodeSelector":{}}}""")]
    public void Directives_of_a_strategic_merge_patch(string before, string patch, string after) => Assert.Equal(
        after, Patch.Parse(PatchKind.StrategicMerge, Encoding.UTF8.GetBytes(patch)).Apply(JsonNode.Parse(before)!.AsObject(), Pod.Type.Kind).ToJsonString());

    [Theory]
    [InlineData("""{"spec":{"$retainKeys":["a"],"b":1}}""", "invalid patch format of retainKeys")]
    [InlineData("""{"spec":{"$retainKeys":"a"}}""", "invalid patch format of retainKeys")]
    [InlineData("""{"spec":{"$setElementOrder/containers":1}}""", "invalid patch format of setElementOrder list")]
    [InlineData("""{"metadata":{"$deleteFromPrimitiveList/finalizers":1}}""", "invalid patch format of primitive list")]
    [InlineData("""{"spec":{"containers":[{"$patch":"delete"}]}}""", "map: map[$patch:delete] does not contain declared merge key: name")]
    [InlineData("""{"spec":{"containers":[1]}}""", "expected a list of objects, found 1")]
    public void A_strategic_merge_patch_that_contradicts_itself_is_refused(string patch, string message)
    {
        var before = JsonNode.Parse("""{"spec":{"containers":[{"name":"a"}]},"metadata":{"finalizers":["x"]}}""")!.AsObject();
        var error = Assert.Throws<PatchException>(() => Patch.Parse(PatchKind.StrategicMerge, Encoding.UTF8.GetBytes(patch)).Apply(before, Pod.Type.Kind));
        Assert.Equal((PatchFailure.Contradictory, message), (error.Failure, error.Message));
    }

    [Theory]
    [InlineData("", "unexpected end of JSON input")]
    [InlineData("{", "unexpected end of JSON input")]
    [InlineData("""{"a":""", "unexpected end of JSON input")]
    [InlineData("hello", "invalid character 'h' looking for beginning of value")]
    [InlineData("""{"a":x}""", "invalid character 'x' looking for beginning of value")]
    [InlineData("""{"a" 1}""", "invalid character '1' after object key")]
    [InlineData("""{a:1}""", "invalid character 'a' looking for beginning of object key string")]
    [InlineData("""{"a":1} x""", "invalid character 'x' after top-level value")]
    public void What_is_no_JSON_is_refused_as_the_server_does(string text, string message) => Assert.Equal(
        "error decoding patch: " + message, Assert.Throws<PatchException>(() => Patch.Parse(PatchKind.Merge, Encoding.UTF8.GetBytes(text))).Message);
}
