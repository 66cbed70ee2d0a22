using System.Text;
using System.Text.Json.Nodes;
using Plumb.Dns.Answering;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Manifests;
using Plumb.Kubernetes.Objects;

namespace Plumb.Dns.Tests.Scenarios;

/// <summary>
/// A folder of <c>testdata</c>: its name is a sentence, <c>input.yaml</c> holds objects and one document of kind Questions (<c>ask: ["A name"]</c>),
/// <c>expected.txt</c> each question with its answer, and why it is this one.
/// </summary>
internal sealed class Scenario
{
    private readonly List<(RecordType Type, string Name)> _questions = [];

    private Scenario(string name)
    {
        Name = name;
        var options = ZoneOptions.Default;
        var manifests = ManifestReader.Read(Path.Combine(Folder, name, "input.yaml"));
        foreach (var manifest in manifests.Where(static m => m.Kind.Kind == "Questions"))
        {
            options = manifest.Object["podsAreKnown"] is not null ? options with { PodRanges = [] } : options;
            foreach (var line in manifest.Object["ask"]!.AsArray())
            {
                var words = ((string)line!).Split(' ');
                Assert.True(RecordText.TryParse(words[0], out var type), words[0]);
                _questions.Add((type, words[1]));
            }
        }
        Zone = new ClusterZone(options);
        foreach (var manifest in manifests)
        {
            Put(manifest.Object);
        }
    }

    public static string Folder { get; } = FindFolder();

    public static IEnumerable<string> Names => Directory.EnumerateDirectories(Folder).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    public string Name { get; }

    public ClusterZone Zone { get; }

    public IReadOnlyList<(RecordType Type, string Name)> Questions => _questions;

    public string ExpectedPath => Path.Combine(Folder, Name, "expected.txt");

    public static Scenario Read(string name) => new(name);

    public string Print()
    {
        var (engine, explainer) = (new AnswerEngine(Zone), new Explainer(Zone));
        var text = new StringBuilder();
        foreach (var (type, name) in _questions)
        {
            var answer = Ask.Read(engine, Ask.Bytes(name, type, ednsBytes: 1232));
            var why = explainer.Explain(DomainName.Parse(name), type);
            text.Append($"{RecordText.Print(type)} {name}: {((ResponseCode)answer.Code).ToString()}\n");
            Append(answer.Answers, "", why);
            Append(answer.Authorities, "authority ", null);
            Append(answer.Additionals, "additional ", null);
            text.Append($"  # {why.Reason}\n\n");
        }
        return text.ToString();

        void Append(List<ForeignRecord> records, string section, Explanation? why)
        {
            // Answers turn from asker to asker.
            foreach (var line in records.OrderBy(static record => record.Type == RecordType.Cname ? "" : record.ToString(), StringComparer.Ordinal).Select(static record => record.ToString()))
            {
                var cause = why?.Records.FirstOrDefault(record => record.ToString() == line)?.Cause;
                text.Append($"  {section}{line}{(cause is null ? "" : $"  # {cause}")}\n");
            }
        }
    }

    private void Put(JsonObject subject)
    {
        switch ((string?)subject["kind"])
        {
            case "Service":
                Zone.Set(KubernetesJson.Read<Service>(subject));
                break;
            case "EndpointSlice":
                Zone.Set(KubernetesJson.Read<EndpointSlice>(subject));
                break;
            case "Pod":
                Zone.Set(KubernetesJson.Read<Pod>(subject));
                break;
        }
    }

    private static string FindFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Plumb.slnx")))
            {
                return Path.Combine(folder.FullName, "tests", "Plumb.Dns.Tests", "testdata");
            }
        }
        throw new InvalidOperationException($"no Plumb.slnx above {AppContext.BaseDirectory}");
    }
}
