using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Kubernetes.Tests.Objects;

public sealed class RecordsTests
{
    [Fact]
    public void What_is_absent_or_null_reads_as_empty()
    {
        var pod = KubernetesJson.Read<Pod>("""{"metadata":{"name":"a","labels":null},"spec":{"containers":[{"name":"c","ports":[{"containerPort":80}]}]}}"""u8);
        Assert.Empty(pod.Metadata.Labels);
        Assert.Empty(pod.Spec.Tolerations);
        Assert.Empty(pod.Status.Conditions);
        Assert.Null(pod.Spec.NodeName);
        var port = Assert.Single(pod.Spec.Containers[0].Ports);
        Assert.Equal(80, port.Number);
        Assert.Equal("TCP", port.Protocol);
    }

    [Fact]
    public void What_is_empty_is_not_written()
    {
        var pod = new Pod { ApiVersion = "v1", Kind = "Pod", Metadata = new() { Name = "a" }, Spec = new() { NodeName = "n" } };
        Assert.Equal("""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"nodeName":"n"},"status":{}}""", Encoding.UTF8.GetString(KubernetesJson.Write(pod)));
    }

    [Fact]
    public void Zero_replicas_are_written_and_no_replicas_are_not()
    {
        Assert.Equal(0, (int?)KubernetesJson.WriteNode(new Deployment { Spec = new() { Replicas = 0 } })["spec"]!["replicas"]);
        Assert.Null(KubernetesJson.WriteNode(new Deployment())["spec"]!["replicas"]);
    }

    [Fact]
    public void Times_are_written_as_the_API_writes_them()
    {
        var time = new DateTimeOffset(2026, 11, 21, 5, 58, 10, 123, TimeSpan.FromHours(2)).AddMicroseconds(456);
        var lease = KubernetesJson.WriteNode(new Lease { Metadata = new() { CreationTimestamp = time }, Spec = new() { RenewTime = time } });
        Assert.Equal("2026-11-21T03:58:10Z", (string?)lease["metadata"]!["creationTimestamp"]);
        Assert.Equal("2026-11-21T03:58:10.123456Z", (string?)lease["spec"]!["renewTime"]);
        Assert.Equal(time, KubernetesJson.Read<Lease>(lease).Spec.RenewTime);
    }

    [Theory]
    [InlineData("2026-11-21T03:58:10.123456789Z")]
    [InlineData("2026-11-21T04:58:10.123456789+01:00")]
    public void Times_of_any_RFC_3339_form_are_read(string text)
    {
        var pod = KubernetesJson.Read<Pod>(new JsonObject { ["metadata"] = new JsonObject { ["deletionTimestamp"] = text } });
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 3, 58, 10, TimeSpan.Zero).AddTicks(1234567), pod.Metadata.DeletionTimestamp);
    }

    [Fact]
    public void Int_or_string_is_read_and_written_in_the_form_it_came_in()
    {
        const string json = """{"metadata":{},"spec":{"ports":[{"port":80,"targetPort":8080},{"port":81,"targetPort":"http"}]},"status":{}}""";
        var service = KubernetesJson.Read<Service>(Encoding.UTF8.GetBytes(json));
        Assert.Equal(8080, service.Spec.Ports[0].TargetPort.Number);
        Assert.Equal("http", service.Spec.Ports[1].TargetPort.Text);
        var ports = KubernetesJson.WriteNode(service)["spec"]!["ports"]!;
        Assert.Equal(JsonValueKind.Number, ports[0]!["targetPort"]!.GetValueKind());
        Assert.Equal(JsonValueKind.String, ports[1]!["targetPort"]!.GetValueKind());
    }

    [Theory]
    [InlineData("{}", true, true, false)]
    [InlineData("""{"ready":false}""", false, false, false)]
    [InlineData("""{"ready":false,"serving":true,"terminating":true}""", false, true, true)]
    public void Absent_conditions_of_an_endpoint_mean_what_the_API_says(string json, bool ready, bool serving, bool terminating)
    {
        var conditions = KubernetesJson.Read<EndpointSlice>(Encoding.UTF8.GetBytes($$"""{"endpoints":[{"addresses":["10.244.1.5"],"conditions":{{json}}}]}""")).Endpoints[0].Conditions;
        Assert.Equal((ready, serving, terminating), (conditions.IsReady, conditions.IsServing, conditions.IsTerminating));
    }

    [Theory]
    [InlineData("25%", 10, true, 3)]
    [InlineData("25%", 10, false, 2)]
    [InlineData("0%", 10, true, 0)]
    [InlineData("100%", 7, false, 7)]
    public void Percentages_round_as_asked(string text, int total, bool up, int expected) => Assert.Equal(expected, new IntOrString(text).Of(total, up));

    [Fact]
    public void A_text_without_percent_sign_is_no_share() => Assert.Null(new IntOrString("25").Of(10, true));

    [Fact]
    public void A_wrong_type_is_refused_with_its_path()
    {
        var error = Assert.Throws<JsonException>(() => KubernetesJson.Read<Pod>("""{"spec":{"containers":"x"}}"""u8));
        Assert.Contains("spec.containers", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v1", "", "v1")]
    [InlineData("apps/v1", "apps", "v1")]
    public void An_apiVersion_splits_into_group_and_version(string text, string group, string version)
    {
        var kind = GroupVersionKind.Of(text, "X");
        Assert.Equal((group, version, text), (kind.Group, kind.Version, kind.ApiVersion));
    }

    [Fact]
    public void Paths_are_those_of_the_API()
    {
        Assert.Equal("/api/v1/namespaces/default/pods/a/status", Pod.Type.Resource.Path("default", "a", "status"));
        Assert.Equal("/apis/apps/v1/deployments", Deployment.Type.Resource.Path());
        Assert.Equal("/api/v1/nodes/n", Node.Type.Resource.Path(name: "n"));
    }

    [Fact]
    public void Every_recorded_object_of_a_known_kind_is_read_and_what_is_read_is_true()
    {
        var seen = new HashSet<string>();
        foreach (var line in Fixtures.Lines("created.jsonl"))
        {
            if (line["response"] is not JsonObject response || (int)line["status"]! >= 300)
                continue;
            string? kind = (string?)response["kind"];
            bool known = kind switch
            {
                "Pod" => Agrees<Pod>(response),
                "Node" => Agrees<Node>(response),
                "Service" => Agrees<Service>(response),
                "EndpointSlice" => Agrees<EndpointSlice>(response),
                "Namespace" => Agrees<Namespace>(response),
                "Deployment" => Agrees<Deployment>(response),
                "ReplicaSet" => Agrees<ReplicaSet>(response),
                "StatefulSet" => Agrees<StatefulSet>(response),
                "Endpoints" => Agrees<Endpoints>(response),
                "ConfigMap" => Agrees<ConfigMap>(response),
                "Secret" => Agrees<Secret>(response),
                "ServiceAccount" => Agrees<ServiceAccount>(response),
                "Event" => Agrees<Event>(response),
                "Lease" => Agrees<Lease>(response),
                _ => false,
            };
            if (known)
                seen.Add(kind!);
        }
        Assert.Superset(new HashSet<string> { "Pod", "Node", "Service", "EndpointSlice", "Endpoints", "Deployment", "ReplicaSet", "StatefulSet", "ConfigMap", "Secret", "Namespace" }, seen);
    }

    /// <summary>Everything that the record writes back must stand in the original, with the same value.</summary>
    private static bool Agrees<T>(JsonObject original) where T : IResource<T>
    {
        var record = KubernetesJson.Read<T>(original);
        Assert.Equal((string?)original["metadata"]!["name"], record.Metadata.Name);
        Compare(original, KubernetesJson.WriteNode(record), typeof(T).Name);
        return true;
    }

    private static void Compare(JsonNode? original, JsonNode? written, string path)
    {
        switch (written)
        {
            case JsonObject map:
                foreach (var (name, value) in map)
                {
                    bool isDefaulted = name is "protocol" or "spec" or "status" or "conditions" or "type" && original?[name] is null;
                    if (!isDefaulted)
                        Compare(original?[name], value, $"{path}.{name}");
                }
                break;
            case JsonArray list:
                for (int i = 0; i < list.Count; i++)
                    Compare(original?[i], list[i], $"{path}[{i}]");
                break;
            default:
                Assert.True(JsonNode.DeepEquals(original, written), $"{path}: {original?.ToJsonString()} read as {written?.ToJsonString()}");
                break;
        }
    }
}
