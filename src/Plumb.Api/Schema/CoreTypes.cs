namespace Plumb.Api.Schema;

/// <summary>
/// The fields of the API's types (Kubernetes 1.34), one type a line: its name as Go code has it, then `number.field:type`: its number in protobuf form (k8s.io/api
/// generated.proto; `2/1`: field 1 of the message that is field 2, which JSON does not have), with `*` for the point where its zero is a value (Go has a pointer, or does not
/// omit it); `!` after a field: it must be there. Types: string,
/// int32, int64, float64, bool, time, micro (time with microseconds), quantity, intstr, bytes (base64), or another line's; `[]` before a type is a list of it, `map:`
/// before it a map from strings, `{a,b}` after it the values that it may have. A line that begins with `=` is a kind: it has apiVersion, kind and metadata too. One that
/// begins with `~` may hold anything.
/// </summary>
internal static class CoreTypes
{
    public const string Meta = """
        DeleteOptions apiVersion:string kind:string 1*gracePeriodSeconds:int64 2.preconditions:Preconditions 3*orphanDependents:bool 4*propagationPolicy:string 5.dryRun:[]string 6*ignoreStoreReadErrorWithClusterBreakingPotential:bool
        Preconditions 1*uid:string 2*resourceVersion:string
        Condition 1*type!:string 2*status!:string 3.observedGeneration:int64 4.lastTransitionTime!:time 5*reason!:string 6*message!:string
        LabelSelector 1.matchLabels:map:string 2.matchExpressions:[]LabelSelectorRequirement
        LabelSelectorRequirement 1*key!:string 2*operator!:string 3.values:[]string
        ObjectMeta 1.name:string 2.generateName:string 3.namespace:string 4.selfLink:string 5.uid:string 6.resourceVersion:string 7.generation:int64 8.creationTimestamp:time 9.deletionTimestamp:time 10*deletionGracePeriodSeconds:int64 11.labels:map:string 12.annotations:map:string 13.ownerReferences:[]OwnerReference 14.finalizers:[]string 17.managedFields:[]ManagedFieldsEntry
        OwnerReference 5*apiVersion!:string 1*kind!:string 3*name!:string 4*uid!:string 6*controller:bool 7*blockOwnerDeletion:bool
        ManagedFieldsEntry 1.manager:string 2.operation:string 3.apiVersion:string 4.time:time 6.fieldsType:string 7.fieldsV1:FieldsV1 8.subresource:string
        FieldSelectorRequirement 1*key!:string 2*operator!:string 3.values:[]string
        ~FieldsV1
        """;

    public const string Core = """
        =ConfigMap 4*immutable:bool 2.data:map:string 3.binaryData:map:bytes
        =Secret 5*immutable:bool 2.data:map:bytes 4.stringData:map:string 3.type:string
        =ServiceAccount 2.secrets:[]ObjectReference 3.imagePullSecrets:[]LocalObjectReference 4*automountServiceAccountToken:bool
        ObjectReference 1.kind:string 2.namespace:string 3.name:string 4.uid:string 5.apiVersion:string 6.resourceVersion:string 7.fieldPath:string
        LocalObjectReference 1.name:string
        =Namespace 2.spec:NamespaceSpec 3.status:NamespaceStatus
        NamespaceSpec 1.finalizers:[]string
        NamespaceStatus 1.phase:string{Active,Terminating} 2.conditions:[]NamespaceCondition
        NamespaceCondition 1*type!:string 2*status!:string 4.lastTransitionTime:time 5.reason:string 6.message:string
        =Node 2.spec:NodeSpec 3.status:NodeStatus
        NodeSpec 1.podCIDR:string 7.podCIDRs:[]string 3.providerID:string 4.unschedulable:bool 5.taints:[]Taint 6.configSource:NodeConfigSource 2.externalID:string
        NodeStatus 1.capacity:map:quantity 2.allocatable:map:quantity 3.phase:string{Pending,Running,Terminated} 4.conditions:[]NodeCondition 5.addresses:[]NodeAddress 6.daemonEndpoints:NodeDaemonEndpoints 7.nodeInfo:NodeSystemInfo 8.images:[]ContainerImage 9.volumesInUse:[]string 10.volumesAttached:[]AttachedVolume 11.config:NodeConfigStatus 12.runtimeHandlers:[]NodeRuntimeHandler 13.features:NodeFeatures
        Taint 1*key!:string 2.value:string 3*effect!:string{NoExecute,NoSchedule,PreferNoSchedule} 4.timeAdded:time
        NodeConfigSource 2.configMap:ConfigMapNodeConfigSource
        NodeCondition 1*type!:string 2*status!:string 3.lastHeartbeatTime:time 4.lastTransitionTime:time 5.reason:string 6.message:string
        NodeAddress 1*type!:string 2*address!:string
        NodeDaemonEndpoints 1.kubeletEndpoint:DaemonEndpoint
        NodeSystemInfo 1*machineID!:string 2*systemUUID!:string 3*bootID!:string 4*kernelVersion!:string 5*osImage!:string 6*containerRuntimeVersion!:string 7*kubeletVersion!:string 8*kubeProxyVersion!:string 9*operatingSystem!:string 10*architecture!:string 11.swap:NodeSwapStatus
        ContainerImage 1.names:[]string 2.sizeBytes:int64
        AttachedVolume 1*name!:string 2*devicePath!:string
        NodeConfigStatus 1.assigned:NodeConfigSource 2.active:NodeConfigSource 3.lastKnownGood:NodeConfigSource 4.error:string
        NodeRuntimeHandler 1*name:string 2.features:NodeRuntimeHandlerFeatures
        NodeFeatures 1*supplementalGroupsPolicy:bool
        ConfigMapNodeConfigSource 1*namespace!:string 2*name!:string 3.uid:string 4.resourceVersion:string 5*kubeletConfigKey!:string
        DaemonEndpoint 1*Port!:int32
        NodeSwapStatus 1*capacity:int64
        NodeRuntimeHandlerFeatures 1*recursiveReadOnlyMounts:bool 2*userNamespaces:bool
        =Service 2.spec:ServiceSpec 3.status:ServiceStatus
        ServiceSpec 1.ports:[]ServicePort 2.selector:map:string 3.clusterIP:string 18.clusterIPs:[]string 4.type:string{ClusterIP,ExternalName,LoadBalancer,NodePort} 5.externalIPs:[]string 7.sessionAffinity:string{ClientIP,None} 8.loadBalancerIP:string 9.loadBalancerSourceRanges:[]string 10.externalName:string 11.externalTrafficPolicy:string{Cluster,Local} 12.healthCheckNodePort:int32 13.publishNotReadyAddresses:bool 14.sessionAffinityConfig:SessionAffinityConfig 19.ipFamilies:[]string{,IPv4,IPv6} 17*ipFamilyPolicy:string{PreferDualStack,RequireDualStack,SingleStack} 20*allocateLoadBalancerNodePorts:bool 21*loadBalancerClass:string 22*internalTrafficPolicy:string{Cluster,Local} 23*trafficDistribution:string
        ServiceStatus 1.loadBalancer:LoadBalancerStatus 2.conditions:[]Condition
        ServicePort 1.name:string 2.protocol:string{SCTP,TCP,UDP} 6*appProtocol:string 3*port!:int32 4.targetPort:intstr 5.nodePort:int32
        SessionAffinityConfig 1.clientIP:ClientIPConfig
        LoadBalancerStatus 1.ingress:[]LoadBalancerIngress
        ClientIPConfig 1*timeoutSeconds:int32
        LoadBalancerIngress 1.ip:string 2.hostname:string 3*ipMode:string 4.ports:[]PortStatus
        PortStatus 1*port!:int32 2*protocol!:string{SCTP,TCP,UDP} 3*error:string
        =Endpoints 2.subsets:[]EndpointSubset
        EndpointSubset 1.addresses:[]EndpointAddress 2.notReadyAddresses:[]EndpointAddress 3.ports:[]EndpointPort
        EndpointAddress 1*ip!:string 3.hostname:string 4*nodeName:string 2.targetRef:ObjectReference
        EndpointPort 1.name:string 2*port!:int32 3.protocol:string{SCTP,TCP,UDP} 4*appProtocol:string
        =Event 2.involvedObject!:ObjectReference 3.reason:string 4.message:string 5.source:EventSource 6.firstTimestamp:time 7.lastTimestamp:time 8.count:int32 9.type:string 10.eventTime:micro 11.series:EventSeries 12.action:string 13.related:ObjectReference 14*reportingComponent:string 15*reportingInstance:string
        EventSource 1.component:string 2.host:string
        EventSeries 1.count:int32 2.lastObservedTime:micro
        =PersistentVolumeClaim 2.spec:PersistentVolumeClaimSpec 3.status:PersistentVolumeClaimStatus
        PersistentVolumeClaimSpec 1.accessModes:[]string{ReadOnlyMany,ReadWriteMany,ReadWriteOnce,ReadWriteOncePod} 4.selector:LabelSelector 2.resources:VolumeResourceRequirements 3.volumeName:string 5*storageClassName:string 6*volumeMode:string{Block,Filesystem} 7.dataSource:TypedLocalObjectReference 8.dataSourceRef:TypedObjectReference 9*volumeAttributesClassName:string
        PersistentVolumeClaimStatus 1.phase:string{Bound,Lost,Pending} 2.accessModes:[]string{ReadOnlyMany,ReadWriteMany,ReadWriteOnce,ReadWriteOncePod} 3.capacity:map:quantity 4.conditions:[]PersistentVolumeClaimCondition 5.allocatedResources:map:quantity 7.allocatedResourceStatuses:map:string{ControllerResizeInProgress,ControllerResizeInfeasible,NodeResizeInProgress,NodeResizeInfeasible,NodeResizePending} 8*currentVolumeAttributesClassName:string 9.modifyVolumeStatus:ModifyVolumeStatus
        VolumeResourceRequirements 1.limits:map:quantity 2.requests:map:quantity
        TypedLocalObjectReference 1*apiGroup:string 2*kind!:string 3*name!:string
        TypedObjectReference 1*apiGroup:string 2*kind!:string 3*name!:string 4*namespace:string
        PersistentVolumeClaimCondition 1*type!:string 2*status!:string 3.lastProbeTime:time 4.lastTransitionTime:time 5.reason:string 6.message:string
        ModifyVolumeStatus 1.targetVolumeAttributesClassName:string 2*status!:string{InProgress,Infeasible,Pending}
        """;
}
