namespace Plumb.Api.Schema;

/// <summary>How types merge, where it is not by default: objects are owned member by member, lists as a whole.</summary>
internal static class MergeTypes
{
    /// <summary>
    /// A type, then its lists with the members that tell items apart (`field=key,key`); `field=` is a list of distinct values. A strategic merge patch knows the first of the
    /// members; `!`: it replaces that list.
    /// </summary>
    public const string Lists = """
        ObjectMeta ownerReferences=uid finalizers=
        ServiceAccount secrets=name
        NamespaceStatus conditions=type
        NodeSpec podCIDRs=
        NodeStatus conditions=type addresses=type
        ServiceSpec ports=port,protocol
        ServiceStatus conditions=type
        PersistentVolumeClaimStatus conditions=type
        PodSpec volumes=name initContainers=name containers=name ephemeralContainers=name imagePullSecrets=name hostAliases=ip topologySpreadConstraints=topologyKey,whenUnsatisfiable schedulingGates=name resourceClaims=name
        PodStatus conditions=type podIPs=ip resourceClaimStatuses=name
        Container ports=containerPort,protocol env=name volumeMounts=mountPath volumeDevices=devicePath
        EphemeralContainer ports=containerPort,protocol env=name volumeMounts=mountPath volumeDevices=devicePath
        ResourceRequirements claims!=name
        ContainerStatus volumeMounts=mountPath allocatedResourcesStatus=name
        ResourceStatus resources!=resourceID
        ContainerRestartRuleOnExitCodes values!=
        DeploymentStatus conditions=type
        ReplicaSetStatus conditions=type
        DaemonSetStatus conditions=type
        StatefulSetStatus conditions=type
        UncountedTerminatedPods succeeded!= failed!=
        PodFailurePolicyOnExitCodesRequirement values!=
        ReplicationControllerStatus conditions=type
        HorizontalPodAutoscalerStatus conditions=type
        ServiceCIDRStatus conditions=type
        Endpoint addresses!=
        PodDisruptionBudgetStatus conditions=type
        ValidatingAdmissionPolicySpec matchConditions=name variables=name
        ValidatingAdmissionPolicyStatus conditions!=type
        ValidatingAdmissionPolicyBindingSpec validationActions!=
        CustomResourceDefinitionStatus conditions!=type
        JSONSchemaProps x-kubernetes-validations=rule
        """;

    /// <summary>Lists that server-side apply takes as one, and a strategic merge patch does not.</summary>
    public const string PatchedLists = "JobStatus.conditions=type PodStatus.hostIPs=ip";

    /// <summary>Where a strategic merge patch may say which members stay.</summary>
    public const string RetainKeys = "DeploymentSpec.strategy PodSpec.resourceClaims PodSpec.volumes PodStatus.resourceClaimStatuses";

    /// <summary>Types whose values are one field.</summary>
    public const string Whole = "ConfigMapKeySelector EndpointAddress EndpointPort FileKeySelector LabelSelector LocalObjectReference MatchResources NamedRuleWithOperations NodeSelector NodeSelectorTerm ObjectFieldSelector ObjectReference OwnerReference ParamKind ParamRef ResourceFieldSelector RoleRef ScopeSelector SecretKeySelector ServiceBackendPort Subject TypedLocalObjectReference Variable";

    /// <summary>Maps that are one field.</summary>
    public const string WholeMaps = "PodSpec.nodeSelector ReplicationControllerSpec.selector ServiceSpec.selector";
}
