using Plumb.Dns.Answering;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Tests.Scenarios;

public sealed class ScenarioTests
{
    public static TheoryData<string> Names => [.. Scenario.Names];

    [Theory, MemberData(nameof(Names))]
    public void The_answers_are_the_expected_ones(string name)
    {
        var scenario = Scenario.Read(name);
        Assert.NotEmpty(scenario.Questions);
        var now = scenario.Print();
        if (Environment.GetEnvironmentVariable("PLUMB_RENEW") is { Length: > 0 })
        {
            File.WriteAllText(scenario.ExpectedPath, now);
        }
        var expected = File.Exists(scenario.ExpectedPath) ? File.ReadAllText(scenario.ExpectedPath) : "";
        Assert.True(
            expected == now,
            $"{name}\n--- expected\n{expected}\n--- now\n{now}\nif that is right: PLUMB_RENEW=1 artifacts/bin/Plumb.Dns.Tests/release/Plumb.Dns.Tests -class '*ScenarioTests', and read git diff");
    }

    [Theory, MemberData(nameof(Names))]
    public void What_is_explained_is_what_is_answered(string name)
    {
        var scenario = Scenario.Read(name);
        var (engine, explainer) = (new AnswerEngine(scenario.Zone), new Explainer(scenario.Zone));
        foreach (var (type, question) in scenario.Questions)
        {
            var answer = Ask.Read(engine, Ask.Bytes(question, type), isUdp: false);
            var why = explainer.Explain(DomainName.Parse(question), type);
            if (why.IsForOthers)
            {
                // Without anybody to ask, the engine refuses what it cannot know, and leaves a name unfinished that leads away.
                continue;
            }
            Assert.Equal((int)why.Code, answer.Code);
            if (why.Code != ResponseCode.ServerFailure)
            {
                Assert.Equal(why.Records.Select(static r => r.ToString()).Order(), answer.Answers.Select(static r => r.ToString()).Order());
            }
        }
    }

    [Fact]
    public void Every_type_of_the_specification_and_every_way_to_miss_has_a_scenario()
    {
        var answered = new HashSet<RecordType>();
        var codes = new HashSet<(ResponseCode, bool)>();
        foreach (var scenario in Scenario.Names.Select(Scenario.Read))
        {
            var engine = new AnswerEngine(scenario.Zone);
            foreach (var (type, question) in scenario.Questions)
            {
                var answer = Ask.Read(engine, Ask.Bytes(question, type), isUdp: false);
                answered.UnionWith(answer.Answers.Select(static record => record.Type));
                codes.Add(((ResponseCode)answer.Code, answer.Authorities.Count != 0));
            }
        }
        RecordType[] all = [RecordType.A, RecordType.Aaaa, RecordType.Srv, RecordType.Ptr, RecordType.Cname, RecordType.Txt, RecordType.Ns, RecordType.Soa];
        Assert.Superset(all.ToHashSet(), answered);
        Assert.Superset(
            new HashSet<(ResponseCode, bool)>
            {
                (ResponseCode.NoError, false), (ResponseCode.NoError, true), (ResponseCode.NoSuchName, true), (ResponseCode.ServerFailure, false), (ResponseCode.Refused, false),
            },
            codes);
    }
}
