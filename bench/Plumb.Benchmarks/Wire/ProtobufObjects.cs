using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Benchmarks.Wire;

/// <summary>
/// The records that an agent watches, from messages: the fields that the records have, and no others. Lists and maps are made when their first element comes.
/// </summary>
internal static class ProtobufObjects
{
    /// <summary>Reads one message into a record.</summary>
    public delegate T Reader<T>(ReadOnlySpan<byte> message);

    public static Service Service(ReadOnlySpan<byte> message)
    {
        ObjectMeta? meta = null;
        ServiceSpec? spec = null;
        ServiceStatus? status = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: meta = Meta(reader.Bytes); break;
                case 2: spec = ServiceSpec(reader.Bytes); break;
                case 3: status = ServiceStatus(reader.Bytes); break;
            }
        }
        return new() { ApiVersion = "v1", Kind = "Service", Metadata = meta!, Spec = spec!, Status = status! };
    }

    public static EndpointSlice EndpointSlice(ReadOnlySpan<byte> message)
    {
        ObjectMeta? meta = null;
        List<Endpoint>? endpoints = null;
        List<EndpointPort>? ports = null;
        string? addressType = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: meta = Meta(reader.Bytes); break;
                case 2: (endpoints ??= []).Add(Endpoint(reader.Bytes)); break;
                case 3: (ports ??= []).Add(EndpointPort(reader.Bytes)); break;
                case 4: addressType = reader.Text; break;
            }
        }
        return new() { ApiVersion = "discovery.k8s.io/v1", Kind = "EndpointSlice", Metadata = meta!, Endpoints = endpoints!, Ports = ports!, AddressType = addressType! };
    }

    public static Node Node(ReadOnlySpan<byte> message)
    {
        ObjectMeta? meta = null;
        NodeSpec? spec = null;
        NodeStatus? status = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: meta = Meta(reader.Bytes); break;
                case 2: spec = ProtobufNode.Spec(reader.Bytes); break;
                case 3: status = ProtobufNode.Status(reader.Bytes); break;
            }
        }
        return new() { ApiVersion = "v1", Kind = "Node", Metadata = meta!, Spec = spec!, Status = status! };
    }

    private static ObjectMeta Meta(ReadOnlySpan<byte> message)
    {
        string? name = null, generateName = null, @namespace = null, uid = null, version = null;
        long generation = 0;
        long? grace = null;
        DateTimeOffset? created = null, deleted = null;
        Dictionary<string, string>? labels = null, annotations = null;
        List<OwnerReference>? owners = null;
        List<string>? finalizers = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: name = reader.TextOrNull; break;
                case 2: generateName = reader.TextOrNull; break;
                case 3: @namespace = reader.TextOrNull; break;
                case 5: uid = reader.TextOrNull; break;
                case 6: version = reader.TextOrNull; break;
                case 7: generation = (long)reader.Number; break;
                case 8: created = reader.Time; break;
                case 9: deleted = reader.Time; break;
                case 10: grace = (long)reader.Number; break;
                case 11: Put(ref labels, reader.Bytes); break;
                case 12: Put(ref annotations, reader.Bytes); break;
                case 13: (owners ??= []).Add(Owner(reader.Bytes)); break;
                case 14: (finalizers ??= []).Add(reader.Text); break;
            }
        }
        return new()
        {
            Name = name!, GenerateName = generateName, Namespace = @namespace, Uid = uid, ResourceVersion = version, Generation = generation, CreationTimestamp = created,
            DeletionTimestamp = deleted, DeletionGracePeriodSeconds = grace, Labels = labels!, Annotations = annotations!, OwnerReferences = owners!, Finalizers = finalizers!,
        };
    }

    private static OwnerReference Owner(ReadOnlySpan<byte> message)
    {
        string? version = null, kind = null, name = null, uid = null;
        bool? controller = null, block = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: kind = reader.Text; break;
                case 3: name = reader.Text; break;
                case 4: uid = reader.Text; break;
                case 5: version = reader.Text; break;
                case 6: controller = reader.Flag; break;
                case 7: block = reader.Flag; break;
            }
        }
        return new() { ApiVersion = version, Kind = kind, Name = name, Uid = uid, Controller = controller, BlockOwnerDeletion = block };
    }

    private static ServiceSpec ServiceSpec(ReadOnlySpan<byte> message)
    {
        string? type = null, clusterIp = null, policy = null, externalName = null, external = null, @internal = null, balancerIp = null, balancerClass = null, affinity = null, distribution = null;
        List<string>? clusterIps = null, families = null, externalIps = null, ranges = null;
        List<ServicePort>? ports = null;
        Dictionary<string, string>? selector = null;
        var healthPort = 0;
        bool? nodePorts = null;
        var publish = false;
        SessionAffinityConfig? affinityConfig = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: (ports ??= []).Add(ServicePort(reader.Bytes)); break;
                case 2: Put(ref selector, reader.Bytes); break;
                case 3: clusterIp = reader.TextOrNull; break;
                case 4: type = reader.TextOrNull; break;
                case 5: (externalIps ??= []).Add(reader.Text); break;
                case 7: affinity = reader.TextOrNull; break;
                case 8: balancerIp = reader.TextOrNull; break;
                case 9: (ranges ??= []).Add(reader.Text); break;
                case 10: externalName = reader.TextOrNull; break;
                case 11: external = reader.TextOrNull; break;
                case 12: healthPort = (int)reader.Number; break;
                case 13: publish = reader.Flag; break;
                case 14: affinityConfig = Affinity(reader.Bytes); break;
                case 17: policy = reader.Text; break;
                case 18: (clusterIps ??= []).Add(reader.Text); break;
                case 19: (families ??= []).Add(reader.Text); break;
                case 20: nodePorts = reader.Flag; break;
                case 21: balancerClass = reader.Text; break;
                case 22: @internal = reader.Text; break;
                case 23: distribution = reader.Text; break;
            }
        }
        return new()
        {
            Type = type!, ClusterIP = clusterIp, ClusterIPs = clusterIps!, IpFamilies = families!, IpFamilyPolicy = policy, Selector = selector!, Ports = ports!, ExternalIPs = externalIps!,
            ExternalName = externalName, ExternalTrafficPolicy = external, InternalTrafficPolicy = @internal, HealthCheckNodePort = healthPort, LoadBalancerIP = balancerIp,
            LoadBalancerSourceRanges = ranges!, LoadBalancerClass = balancerClass, AllocateLoadBalancerNodePorts = nodePorts, PublishNotReadyAddresses = publish,
            SessionAffinity = affinity, SessionAffinityConfig = affinityConfig, TrafficDistribution = distribution,
        };
    }

    private static SessionAffinityConfig Affinity(ReadOnlySpan<byte> message)
    {
        ClientIPConfig? client = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            var inner = new ProtobufReader(reader.Bytes);
            client = inner.Next() ? new() { TimeoutSeconds = (int)inner.Number } : new();
        }
        return new() { ClientIP = client };
    }

    private static ServicePort ServicePort(ReadOnlySpan<byte> message)
    {
        string? name = null, protocol = null, application = null;
        int port = 0, nodePort = 0;
        IntOrString target = default;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: name = reader.TextOrNull; break;
                case 2: protocol = reader.TextOrNull; break;
                case 3: port = (int)reader.Number; break;
                case 4: target = reader.IntOrString; break;
                case 5: nodePort = (int)reader.Number; break;
                case 6: application = reader.Text; break;
            }
        }
        return new() { Name = name, Protocol = protocol!, Port = port, TargetPort = target, NodePort = nodePort, AppProtocol = application };
    }

    private static ServiceStatus ServiceStatus(ReadOnlySpan<byte> message)
    {
        LoadBalancerStatus? balancer = null;
        List<Condition>? conditions = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: balancer = Balancer(reader.Bytes); break;
                case 2: (conditions ??= []).Add(Condition(reader.Bytes)); break;
            }
        }
        return new() { LoadBalancer = balancer, Conditions = conditions! };
    }

    private static LoadBalancerStatus Balancer(ReadOnlySpan<byte> message)
    {
        List<LoadBalancerIngress>? ingress = null;
        for (var list = new ProtobufReader(message); list.Next();)
        {
            string? ip = null, hostname = null, mode = null;
            for (var reader = new ProtobufReader(list.Bytes); reader.Next();)
            {
                switch (reader.Field)
                {
                    case 1: ip = reader.TextOrNull; break;
                    case 2: hostname = reader.TextOrNull; break;
                    case 3: mode = reader.Text; break;
                }
            }
            (ingress ??= []).Add(new() { Ip = ip, Hostname = hostname, IpMode = mode });
        }
        return new() { Ingress = ingress! };
    }

    private static Condition Condition(ReadOnlySpan<byte> message)
    {
        string? type = null, status = null, reason = null, text = null;
        long generation = 0;
        DateTimeOffset? transition = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: type = reader.TextOrNull; break;
                case 2: status = reader.TextOrNull; break;
                case 3: generation = (long)reader.Number; break;
                case 4: transition = reader.Time; break;
                case 5: reason = reader.Text; break;
                case 6: text = reader.Text; break;
            }
        }
        return new() { Type = type!, Status = status!, ObservedGeneration = generation, LastTransitionTime = transition, Reason = reason, Message = text };
    }

    private static Endpoint Endpoint(ReadOnlySpan<byte> message)
    {
        List<string>? addresses = null;
        EndpointConditions? conditions = null;
        string? hostname = null, node = null, zone = null;
        ObjectReference? target = null;
        EndpointHints? hints = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: (addresses ??= []).Add(reader.Text); break;
                case 2: conditions = EndpointConditions(reader.Bytes); break;
                case 3: hostname = reader.Text; break;
                case 4: target = Reference(reader.Bytes); break;
                case 6: node = reader.Text; break;
                case 7: zone = reader.Text; break;
                case 8: hints = Hints(reader.Bytes); break;
            }
        }
        return new() { Addresses = addresses!, Conditions = conditions!, Hostname = hostname, TargetRef = target, NodeName = node, Zone = zone, Hints = hints };
    }

    private static EndpointConditions EndpointConditions(ReadOnlySpan<byte> message)
    {
        bool? ready = null, serving = null, terminating = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: ready = reader.Flag; break;
                case 2: serving = reader.Flag; break;
                case 3: terminating = reader.Flag; break;
            }
        }
        return new() { Ready = ready, Serving = serving, Terminating = terminating };
    }

    private static EndpointHints Hints(ReadOnlySpan<byte> message)
    {
        List<ForZone>? zones = null;
        List<ForNode>? nodes = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: (zones ??= []).Add(new() { Name = reader.Only }); break;
                case 2: (nodes ??= []).Add(new() { Name = reader.Only }); break;
            }
        }
        return new() { ForZones = zones!, ForNodes = nodes! };
    }

    private static EndpointPort EndpointPort(ReadOnlySpan<byte> message)
    {
        string? name = null, protocol = null, application = null;
        int? port = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: name = reader.Text; break;
                case 2: protocol = reader.Text; break;
                case 3: port = (int)reader.Number; break;
                case 4: application = reader.Text; break;
            }
        }
        return new() { Name = name, Protocol = protocol!, Port = port, AppProtocol = application };
    }

    private static ObjectReference Reference(ReadOnlySpan<byte> message)
    {
        string? kind = null, @namespace = null, name = null, uid = null, apiVersion = null, version = null, path = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: kind = reader.TextOrNull; break;
                case 2: @namespace = reader.TextOrNull; break;
                case 3: name = reader.TextOrNull; break;
                case 4: uid = reader.TextOrNull; break;
                case 5: apiVersion = reader.TextOrNull; break;
                case 6: version = reader.TextOrNull; break;
                case 7: path = reader.TextOrNull; break;
            }
        }
        return new() { Kind = kind, Namespace = @namespace, Name = name, Uid = uid, ApiVersion = apiVersion, ResourceVersion = version, FieldPath = path };
    }

    private static void Put(ref Dictionary<string, string>? map, ReadOnlySpan<byte> entry)
    {
        string key = "", value = "";
        for (var reader = new ProtobufReader(entry); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: key = reader.Text; break;
                case 2: value = reader.Text; break;
            }
        }
        (map ??= [])[key] = value;
    }
}
