using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Api.Http.Requests;
using Plumb.Api.Storage;

namespace Plumb.Api.Tests.Http;

/// <summary>
/// Bodies in protobuf form are read as their JSON would be. Http/protobuf.jsonl has objects as Go's JSON encoder and its protobuf serializer (k8s.io/apimachinery 1.34) wrote them: zeros that count
/// and that do not, messages that JSON does not have, numbers or texts, JSON inside, the unions of a definition's schema.
/// </summary>
public sealed class ProtobufTests
{
    private static readonly byte[] Magic = "k8s\0"u8.ToArray();

    [Fact]
    public void What_Go_encodes_twice_is_read_as_one()
    {
        var read = 0;
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Http", "protobuf.jsonl")))
        {
            var recorded = JsonNode.Parse(line)!;
            var wanted = WithoutNulls(recorded["object"])!;
            var made = Protobuf.Decode(Convert.FromBase64String((string)recorded["protobuf"]!));
            Assert.True(JsonNode.DeepEquals(wanted, JsonNode.Parse(made.ToJsonString())), $"wanted {wanted.ToJsonString()}\nmade   {made.ToJsonString()}");
            read++;
        }

        Assert.True(read > 10);
    }

    [Fact]
    public async Task A_client_of_protobuf_creates_what_it_asks_for()
    {
        await using var server = await TestServer.StartAsync();
        // A service with the port 80, and a field 99 of a later release.
        byte[] port = [.. Number(3, 80), .. Message(99, "later"u8)];
        var body = Unknown("v1", "Service", [.. Message(1, Message(1, "web"u8)), .. Message(2, Message(1, port))]);
        using var answer = await SendAsync(server, "/api/v1/namespaces/default/services", body);
        var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal("web", (string?)made["metadata"]!["name"]);
        Assert.Equal((80, 80, "TCP"), ((int)made["spec"]!["ports"]![0]!["port"]!, (int)made["spec"]!["ports"]![0]!["targetPort"]!, (string?)made["spec"]!["ports"]![0]!["protocol"]));
    }

    [Fact]
    public async Task What_no_reader_could_hold_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        // A schema whose `not` (field 28) has a schema whose `not` …
        byte[] schema = [];
        for (var level = 0; level < 2000; level++)
            schema = Message(28, schema);
        var body = Unknown("apiextensions.k8s.io/v1", "CustomResourceDefinition", Message(2, Message(7, Message(4, Message(1, schema)))));
        using var answer = await SendAsync(server, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("exceeded max depth", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var other = await SendAsync(server, "/api/v1/namespaces/default/services", Unknown("v1", "Nothing", []));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, other.StatusCode);
    }

    [Fact]
    public void What_is_inside_of_itself_is_refused()
    {
        // The data of a ControllerRevision (field 2, its JSON in field 1) that is one itself, and so on.
        byte[] inner = [];
        while (inner.Length < 100_000)
            inner = Unknown("apps/v1", "ControllerRevision", Message(2, Message(1, inner)));
        Assert.Throws<ApiException>(() => Protobuf.Decode(inner));
    }

    [Theory]
    [InlineData("a selector that is a number", new byte[] { 0x12, 2, 0x10, 1 })] // spec { selector: 1 }
    [InlineData("a number of replicas that is a text", new byte[] { 0x12, 3, 0x0A, 1, 0x31 })] // spec { replicas: "1" }
    public void A_field_of_another_form_is_refused(string what, byte[] deployment)
    {
        var refused = Assert.Throws<ApiException>(() => Protobuf.Decode(Unknown("apps/v1", "Deployment", deployment)));
        Assert.True(refused.Message.Contains("wrong wireType", StringComparison.Ordinal), what);
    }

    [Fact]
    public void Numbers_may_come_packed()
    {
        // supplementalGroups (field 4) of a pod's security context (field 14)
        var pod = Protobuf.Decode(Unknown("v1", "Pod", Message(2, Message(14, Message(4, [.. Varint(0), .. Varint(70_000)])))));
        Assert.Equal("[0,70000]", pod["spec"]!["securityContext"]!["supplementalGroups"]!.ToJsonString());
    }

    [Fact]
    public void Whatever_is_sent_is_read_or_refused()
    {
        var recorded = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Http", "protobuf.jsonl")).Select(static line => Convert.FromBase64String((string)JsonNode.Parse(line)!["protobuf"]!)).ToArray();
        var random = new Random(20_261_122);
        var refused = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = recorded[random.Next(recorded.Length)].ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
                bytes[random.Next(Magic.Length, bytes.Length)] = (byte)random.Next(256);
            try
            {
                Protobuf.Decode(bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(Magic.Length, bytes.Length) : bytes.Length)).ToJsonString();
            }
            catch (ApiException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 19_999);
    }

    private static async Task<HttpResponseMessage> SendAsync(TestServer server, string path, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(Protobuf.MediaType);
        return await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static byte[] Unknown(string version, string kind, byte[] raw) =>
        [.. Magic, .. Message(1, [.. Message(1, Encoding.UTF8.GetBytes(version)), .. Message(2, Encoding.UTF8.GetBytes(kind))]), .. Message(2, raw)];

    private static byte[] Message(int field, ReadOnlySpan<byte> content) => [.. Varint(((ulong)field << 3) | 2), .. Varint((ulong)content.Length), .. content];

    private static byte[] Number(int field, ulong value) => [.. Varint((ulong)field << 3), .. Varint(value)];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }

    private static JsonNode? WithoutNulls(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Where(static member => member.Value is not null).Select(static member => KeyValuePair.Create(member.Key, WithoutNulls(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(WithoutNulls)]),
        _ => node?.DeepClone(),
    };
}
