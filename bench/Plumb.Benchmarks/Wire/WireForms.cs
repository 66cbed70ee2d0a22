using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Benchmarks.Wire;

/// <summary>An object in both forms.</summary>
internal static class WireForms
{
    public static byte[] JsonEvent(string type, JsonObject subject) => Utf8(new JsonObject { ["type"] = type, ["object"] = subject.DeepClone() }, "\n");

    /// <summary>Made only where both forms read as the same object.</summary>
    public static byte[] ProtobufEvent(string type, JsonObject subject)
    {
        MustAgree(subject, ProtobufWriter.Object(subject));
        return ProtobufWriter.Event(type, subject);
    }

    public static byte[] Utf8(JsonObject value, string end = "") => Encoding.UTF8.GetBytes(value.ToJsonString(KubernetesJson.Options) + end);

    /// <exception cref="InvalidDataException">The protobuf is not the object.</exception>
    public static void MustAgree(JsonObject subject, ReadOnlySpan<byte> protobuf)
    {
        var message = ProtobufStreams.Unwrap(protobuf);
        var (json, read) = (string?)subject["kind"] switch
        {
            "Service" => (KubernetesJson.Write(KubernetesJson.Read<Service>(subject)), KubernetesJson.Write(ProtobufObjects.Service(message))),
            "EndpointSlice" => (KubernetesJson.Write(KubernetesJson.Read<EndpointSlice>(subject)), KubernetesJson.Write(ProtobufObjects.EndpointSlice(message))),
            "Node" => (KubernetesJson.Write(KubernetesJson.Read<Node>(subject)), KubernetesJson.Write(ProtobufObjects.Node(message))),
            var kind => throw new InvalidDataException($"nobody watches a {kind}"),
        };
        if (!json.AsSpan().SequenceEqual(read))
            throw new InvalidDataException($"read from JSON: {Encoding.UTF8.GetString(json)}\nread from protobuf: {Encoding.UTF8.GetString(read)}");
    }
}
