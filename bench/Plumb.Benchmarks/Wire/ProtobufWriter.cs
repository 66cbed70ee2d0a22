using System.Text;
using System.Text.Json.Nodes;
using static Plumb.Benchmarks.Wire.ProtobufType;

namespace Plumb.Benchmarks.Wire;

/// <summary>
/// What a kube-apiserver sends of an object where `application/vnd.kubernetes.protobuf` is asked for, made from what it sends as JSON. Field numbers are those of
/// `generated.proto` in k8s.io/api (core/v1, discovery/v1) and k8s.io/apimachinery (meta/v1).
/// </summary>
internal static class ProtobufWriter
{
    private static readonly ProtobufType _meta = Message(
        Value(1, "name", Text), Value(2, "generateName", Text), Value(3, "namespace", Text), Value(4, "selfLink", Text), Value(5, "uid", Text), Value(6, "resourceVersion", Text),
        Value(7, "generation", Number), Value(8, "creationTimestamp", Time), Field(9, "deletionTimestamp", Time), Field(10, "deletionGracePeriodSeconds", Number),
        Field(11, "labels", Map(Text)), Field(12, "annotations", Map(Text)),
        Field(13, "ownerReferences", Message(
            Value(1, "kind", Text), Value(3, "name", Text), Value(4, "uid", Text), Value(5, "apiVersion", Text), Field(6, "controller", Flag), Field(7, "blockOwnerDeletion", Flag))),
        Field(14, "finalizers", Text),
        Field(17, "managedFields", Message(
            Value(1, "manager", Text), Value(2, "operation", Text), Value(3, "apiVersion", Text), Field(4, "time", Time), Value(6, "fieldsType", Text), Field(7, "fieldsV1", Json),
            Value(8, "subresource", Text))));

    private static readonly ProtobufType _conditions = Message(
        Value(1, "type", Text), Value(2, "status", Text), Value(3, "observedGeneration", Number), Value(4, "lastTransitionTime", Time), Value(5, "reason", Text), Value(6, "message", Text));

    private static readonly ProtobufType _reference = Message(
        Value(1, "kind", Text), Value(2, "namespace", Text), Value(3, "name", Text), Value(4, "uid", Text), Value(5, "apiVersion", Text), Value(6, "resourceVersion", Text),
        Value(7, "fieldPath", Text));

    private static readonly ProtobufType _named = Message(Value(1, "name", Text));

    private static readonly Dictionary<string, ProtobufType> _kinds = new()
    {
        ["Service"] = Message(
            Value(1, "metadata", _meta),
            Value(2, "spec", Message(
                Field(1, "ports", Message(
                    Value(1, "name", Text), Value(2, "protocol", Text), Value(3, "port", Number), Value(4, "targetPort", IntOrString), Value(5, "nodePort", Number), Field(6, "appProtocol", Text))),
                Field(2, "selector", Map(Text)), Value(3, "clusterIP", Text), Value(4, "type", Text), Field(5, "externalIPs", Text), Value(7, "sessionAffinity", Text),
                Value(8, "loadBalancerIP", Text), Field(9, "loadBalancerSourceRanges", Text), Value(10, "externalName", Text), Value(11, "externalTrafficPolicy", Text),
                Value(12, "healthCheckNodePort", Number), Value(13, "publishNotReadyAddresses", Flag),
                Field(14, "sessionAffinityConfig", Message(Field(1, "clientIP", Message(Field(1, "timeoutSeconds", Number))))),
                Field(17, "ipFamilyPolicy", Text), Field(18, "clusterIPs", Text), Field(19, "ipFamilies", Text), Field(20, "allocateLoadBalancerNodePorts", Flag),
                Field(21, "loadBalancerClass", Text), Field(22, "internalTrafficPolicy", Text), Field(23, "trafficDistribution", Text))),
            Value(3, "status", Message(
                Value(1, "loadBalancer", Message(Field(1, "ingress", Message(
                    Value(1, "ip", Text), Value(2, "hostname", Text), Field(3, "ipMode", Text),
                    Field(4, "ports", Message(Value(1, "port", Number), Value(2, "protocol", Text), Field(3, "error", Text))))))),
                Field(2, "conditions", _conditions)))),
        ["EndpointSlice"] = Message(
            Value(1, "metadata", _meta),
            Field(2, "endpoints", Message(
                Field(1, "addresses", Text), Value(2, "conditions", Message(Field(1, "ready", Flag), Field(2, "serving", Flag), Field(3, "terminating", Flag))), Field(3, "hostname", Text),
                Field(4, "targetRef", _reference), Field(5, "deprecatedTopology", Map(Text)), Field(6, "nodeName", Text), Field(7, "zone", Text),
                Field(8, "hints", Message(Field(1, "forZones", _named), Field(2, "forNodes", _named))))),
            Field(3, "ports", Message(Field(1, "name", Text), Field(2, "protocol", Text), Field(3, "port", Number), Field(4, "appProtocol", Text))),
            Value(4, "addressType", Text)),
        ["Node"] = Message(
            Value(1, "metadata", _meta),
            Value(2, "spec", Message(
                Value(1, "podCIDR", Text), Value(2, "externalID", Text), Value(3, "providerID", Text), Value(4, "unschedulable", Flag),
                Field(5, "taints", Message(Value(1, "key", Text), Value(2, "value", Text), Value(3, "effect", Text), Field(4, "timeAdded", Time))),
                Field(7, "podCIDRs", Text))),
            Value(3, "status", Message(
                Field(1, "capacity", Map(Quantity)), Field(2, "allocatable", Map(Quantity)), Value(3, "phase", Text),
                Field(4, "conditions", Message(
                    Value(1, "type", Text), Value(2, "status", Text), Value(3, "lastHeartbeatTime", Time), Value(4, "lastTransitionTime", Time), Value(5, "reason", Text), Value(6, "message", Text))),
                Field(5, "addresses", Message(Value(1, "type", Text), Value(2, "address", Text))),
                Value(6, "daemonEndpoints", Message(Value(1, "kubeletEndpoint", Message(Value(1, "Port", Number))))),
                Value(7, "nodeInfo", Message(
                    Value(1, "machineID", Text), Value(2, "systemUUID", Text), Value(3, "bootID", Text), Value(4, "kernelVersion", Text), Value(5, "osImage", Text),
                    Value(6, "containerRuntimeVersion", Text), Value(7, "kubeletVersion", Text), Value(8, "kubeProxyVersion", Text), Value(9, "operatingSystem", Text),
                    Value(10, "architecture", Text), Field(11, "swap", Message(Field(1, "capacity", Number))))),
                Field(8, "images", Message(Field(1, "names", Text), Value(2, "sizeBytes", Number)))))),
    };

    private static readonly ProtobufType _listMeta = Message(
        Value(1, "selfLink", Text), Value(2, "resourceVersion", Text), Value(3, "continue", Text), Field(4, "remainingItemCount", Number));

    /// <summary>An object as the answer to GET is.</summary>
    public static byte[] Object(JsonObject subject)
    {
        var kind = subject["kind"]!.GetValue<string>();
        return Wrapped(subject, Bytes(_kinds[kind], subject));
    }

    /// <summary>A list, as the answer to GET of a collection is.</summary>
    public static byte[] List(JsonObject list)
    {
        var kind = list["kind"]!.GetValue<string>();
        return Wrapped(list, Bytes(Message(Value(1, "metadata", _listMeta), Field(2, "items", _kinds[kind[..^"List".Length]])), list));
    }

    /// <summary>An event of a watch with its length before it; the object in it is whole, as from GET.</summary>
    public static byte[] Event(string type, JsonObject subject)
    {
        using var raw = new MemoryStream();
        raw.WriteField(1, Object(subject));
        using var message = new MemoryStream();
        message.WriteField(1, Encoding.UTF8.GetBytes(type));
        message.WriteField(2, raw.ToArray());
        using var frame = new MemoryStream();
        frame.WriteFrame(message.ToArray());
        return frame.ToArray();
    }

    /// <summary>`k8s`, a zero, and a runtime.Unknown.</summary>
    private static byte[] Wrapped(JsonObject subject, byte[] message)
    {
        using var wrapped = new MemoryStream();
        wrapped.Write("k8s\0"u8);
        wrapped.WriteField(1, Bytes(Message(Value(1, "apiVersion", Text), Value(2, "kind", Text)), subject));
        wrapped.WriteField(2, message);
        wrapped.WriteField(3, default(ReadOnlySpan<byte>));
        wrapped.WriteField(4, default(ReadOnlySpan<byte>));
        return wrapped.ToArray();
    }

    private static byte[] Bytes(ProtobufType type, JsonObject value)
    {
        using var bytes = new MemoryStream();
        type.Write(value, bytes);
        return bytes.ToArray();
    }

    private static ProtobufField Field(int number, string name, ProtobufType type) => new(number, name, type);

    private static ProtobufField Value(int number, string name, ProtobufType type) => new(number, name, type, IsAlways: true);
}
