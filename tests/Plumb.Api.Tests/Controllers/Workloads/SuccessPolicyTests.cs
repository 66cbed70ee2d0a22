using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Controllers.Workloads;

/// <summary>The API's own words, as `validateSuccessPolicy` of Kubernetes 1.34 has them.</summary>
public sealed class SuccessPolicyTests
{
    private const string Indexed = """ "completionMode":"Indexed","completions":5,"parallelism":2 """;

    public static TheoryData<string, string> Wrong => new()
    {
        { "", "spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified" },
        { Rules(21), "spec.successPolicy.rules: Too many: 21: must have at most 20 items" },
        { "{}", "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified" },
        { """{"succeededCount":1},{"succeededCount":-1}""", "spec.successPolicy.rules[1].succeededCount: Invalid value: -1: must be greater than or equal to 0" },
        { """{"succeededCount":6}""", "spec.successPolicy.rules[0].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)" },
        { """{"succeededIndexes":"0,2-3","succeededCount":4}""", Count(4, 3) },
        { """{"succeededIndexes":"","succeededCount":1}""", Count(1, 0) },
        { """{"succeededIndexes":"5"}""", Indexes("5", "too large index: \"5\"") },
        { """{"succeededIndexes":"3-5"}""", Indexes("3-5", "too large index: \"5\"") },
        { """{"succeededIndexes":"9999999999"}""", Indexes("9999999999", "too large index: \"9999999999\"") },
        { """{"succeededIndexes":"99999999999999999999"}""", Indexes("99999999999999999999", "cannot convert string to integer for index: \"99999999999999999999\"") },
        { """{"succeededIndexes":"0-1,x"}""", Indexes("0-1,x", "cannot convert string to integer for index: \"x\"") },
        { """{"succeededIndexes":"0-"}""", Indexes("0-", "cannot convert string to integer for index: \"\"") },
        { """{"succeededIndexes":"-1"}""", Indexes("-1", "cannot convert string to integer for index: \"\"") },
        { """{"succeededIndexes":" 1"}""", Indexes(" 1", "cannot convert string to integer for index: \" 1\"") },
        { """{"succeededIndexes":"1,"}""", Indexes("1,", "cannot convert string to integer for index: \"\"") },
        { """{"succeededIndexes":"1-2-3"}""", Indexes("1-2-3", "the fragment \"1-2-3\" violates the requirement that an index interval can have at most two parts separated by '-'") },
        { """{"succeededIndexes":"2-2"}""", Indexes("2-2", "non-increasing order, previous: 2, current: 2") },
        { """{"succeededIndexes":"3,1"}""", Indexes("3,1", "non-increasing order, previous: 3, current: 1") },
        { """{"succeededIndexes":"0-2,2"}""", Indexes("0-2,2", "non-increasing order, previous: 2, current: 2") },
        { """{"succeededIndexes":"x","succeededCount":1}""", "[" + Indexes("x", "cannot convert string to integer for index: \"x\"") + ", " + Count(1, 0) + "]" },
    };

    public static TheoryData<string> Right =>
    [
        """{"succeededCount":5}""", """{"succeededCount":0}""", """{"succeededIndexes":"0-4"}""", """{"succeededIndexes":"+0,1,3-4","succeededCount":4}""", """{"succeededIndexes":""}""", Rules(20),
    ];

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_no_policy_is_refused_in_the_words_of_the_API(string rules, string message) =>
        Assert.Equal($"Job.batch \"work\" is invalid: {message}", Refused(Job(Indexed, rules)));

    [Theory]
    [MemberData(nameof(Right))]
    public void Its_nearest_neighbours_are_taken(string rules) => Assert.Equal("work", Cluster().Create(GroupResource.Jobs, "default", Job(Indexed, rules)).Name);

    [Fact]
    public void Only_an_indexed_job_has_one()
    {
        const string message = """spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":"0-1","SucceededCount":null}]}: requires indexed completion mode""";
        Assert.Equal($"Job.batch \"work\" is invalid: {message}", Refused(Job(""" "completions":5 """, """{"succeededIndexes":"0-1"}""")));
        Assert.Equal("Job.batch \"work\" is invalid: spec.completions: Required value: when completion mode is Indexed",
            Refused(Job(""" "completionMode":"Indexed","parallelism":2 """, """{"succeededCount":1}""")));
    }

    [Fact]
    public void Ranges_are_at_most_64_KiB()
    {
        // 8192 times eight bytes and nothing behind, or one index more.
        string full = string.Join(',', Enumerable.Range(0, 8192).Select(static i => (i * 2 + 1000000).ToString(System.Globalization.CultureInfo.InvariantCulture)))[..^7] + "11000000";
        const string mode = """ "completionMode":"Indexed","completions":20000000,"parallelism":2 """;
        Assert.Equal(64 * 1024, full.Length);
        Assert.Equal("work", Cluster().Create(GroupResource.Jobs, "default", Job(mode, $$"""{"succeededIndexes":"{{full}}"}""")).Name);
        Assert.Equal("Job.batch \"work\" is invalid: spec.successPolicy.rules[0].succeededIndexes: Too long: may not be more than 65536 bytes", Refused(Job(mode, $$"""{"succeededIndexes":"0,{{full}}"}""")));
    }

    [Fact]
    public void A_job_that_shrinks_below_its_policy_is_refused_and_so_is_the_template_of_a_CronJob()
    {
        var cluster = Cluster();
        var made = cluster.Create(GroupResource.Jobs, "default", Job(""" "completionMode":"Indexed","completions":5,"parallelism":5 """, """{"succeededIndexes":"4"}"""));
        var refused = Assert.Throws<ApiException>(() => cluster.Update(made.Key, static root =>
        {
            root["spec"]!["completions"] = 4;
            root["spec"]!["parallelism"] = 4;
            return true;
        }));
        Assert.Equal("Job.batch \"work\" is invalid: " + Indexes("4", "too large index: \"4\""), refused.Message);
        var template = Job(Indexed, "{}");
        template.Remove("metadata");
        refused = Assert.Throws<ApiException>(() => cluster.Create(new GroupResource("batch", "cronjobs"), "default",
            new JsonObject { ["metadata"] = new JsonObject { ["name"] = "work" }, ["spec"] = new JsonObject { ["schedule"] = "@hourly", ["jobTemplate"] = template } }));
        Assert.Equal("CronJob.batch \"work\" is invalid: spec.jobTemplate.spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified", refused.Message);
    }

    private static string Refused(JsonObject job) => Assert.Throws<ApiException>(() => Cluster().Create(GroupResource.Jobs, "default", job)).Message;

    private static Registry Cluster()
    {
        var registry = new Registry(new ObjectStore(), new FakeTime(DateTimeOffset.UnixEpoch), new Random(1));
        registry.Create(GroupResource.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } });
        return registry;
    }

    private static JsonObject Job(string spec, string rules) => JsonNode.Parse($$$"""
        {"metadata":{"name":"work"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"a:1"}]} },{{{spec}}},"successPolicy":{"rules":[{{{rules}}}]} } }
        """)!.AsObject();

    private static string Rules(int count) => string.Join(',', Enumerable.Repeat("""{"succeededCount":1}""", count));

    private static string Indexes(string value, string fault) => $"spec.successPolicy.rules[0].succeededIndexes: Invalid value: \"{value}\": error parsing succeededIndexes: {fault}";

    private static string Count(int count, int indexes) =>
        $"spec.successPolicy.rules[0].succeededCount: Invalid value: {count}: must be less than or equal to {indexes} (the number of indexes in the specified succeededIndexes field)";
}
