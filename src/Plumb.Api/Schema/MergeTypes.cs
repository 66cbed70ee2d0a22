namespace Plumb.Api.Schema;

/// <summary>
/// How the types of <see cref="CoreTypes"/> and <see cref="GroupTypes"/> merge, where it is not by default: objects are owned member by member, lists as a whole.
/// </summary>
internal static class MergeTypes
{
    /// <summary>A type, then its lists with the members that tell items apart (`field=key,key`); `field=` is a list of distinct values.</summary>
    public const string Lists = """
        ObjectMeta ownerReferences=uid finalizers=
        PodSpec containers=name initContainers=name ephemeralContainers=name volumes=name imagePullSecrets=name hostAliases=ip topologySpreadConstraints=topologyKey,whenUnsatisfiable schedulingGates=name resourceClaims=name
        Container ports=containerPort,protocol env=name volumeMounts=mountPath volumeDevices=devicePath
        EphemeralContainer ports=containerPort,protocol env=name volumeMounts=mountPath volumeDevices=devicePath
        PodStatus conditions=type podIPs=ip
        ServiceSpec ports=port,protocol
        ServiceStatus conditions=type
        ServiceAccount secrets=name
        NodeSpec podCIDRs=
        NodeStatus conditions=type addresses=type
        NamespaceStatus conditions=type
        DeploymentStatus conditions=type
        ReplicaSetStatus conditions=type
        DaemonSetStatus conditions=type
        StatefulSetStatus conditions=type
        ServiceCIDRStatus conditions=type
        PodDisruptionBudgetStatus conditions=type
        CustomResourceDefinitionStatus conditions=type
        """;

    /// <summary>Types whose values are one field.</summary>
    public const string Whole = "LabelSelector ObjectReference LocalObjectReference TypedLocalObjectReference ServiceBackendPort OptionalReference KeySelector ObjectFieldSelector ResourceFieldSelector NodeSelector NodeSelectorTerm RoleRef OwnerReference";

    /// <summary>Maps that are one field.</summary>
    public const string WholeMaps = "PodSpec.nodeSelector ServiceSpec.selector";
}
