namespace Plumb.Api.Schema;

/// <summary>
/// The fields of the API's types (Kubernetes 1.34), one type a line: its name as Go code has it, then `field:type`; `!` after a field: it must be there. Types: string,
/// int32, int64, float64, bool, time, micro (time with microseconds), quantity, intstr, bytes (base64), or another line's; `[]` before a type is a list of it, `map:`
/// before it a map from strings, `{a,b}` after it the values that it may have. A line that begins with `=` is a kind: it has apiVersion, kind and metadata too. One that
/// begins with `~` may hold anything.
/// </summary>
internal static class CoreTypes
{
    public const string Meta = """
        DeleteOptions apiVersion:string kind:string gracePeriodSeconds:int64 preconditions:Preconditions orphanDependents:bool propagationPolicy:string dryRun:[]string ignoreStoreReadErrorWithClusterBreakingPotential:bool
        Preconditions uid:string resourceVersion:string
        Condition type!:string status!:string observedGeneration:int64 lastTransitionTime!:time reason!:string message!:string
        LabelSelector matchLabels:map:string matchExpressions:[]LabelSelectorRequirement
        LabelSelectorRequirement key!:string operator!:string values:[]string
        ObjectMeta name:string generateName:string namespace:string selfLink:string uid:string resourceVersion:string generation:int64 creationTimestamp:time deletionTimestamp:time deletionGracePeriodSeconds:int64 labels:map:string annotations:map:string ownerReferences:[]OwnerReference finalizers:[]string managedFields:[]ManagedFieldsEntry
        OwnerReference apiVersion!:string kind!:string name!:string uid!:string controller:bool blockOwnerDeletion:bool
        ManagedFieldsEntry manager:string operation:string apiVersion:string time:time fieldsType:string fieldsV1:FieldsV1 subresource:string
        FieldSelectorRequirement key!:string operator!:string values:[]string
        ~FieldsV1
        """;

    public const string Core = """
        =ConfigMap immutable:bool data:map:string binaryData:map:bytes
        =Secret immutable:bool data:map:bytes stringData:map:string type:string
        =ServiceAccount secrets:[]ObjectReference imagePullSecrets:[]LocalObjectReference automountServiceAccountToken:bool
        ObjectReference kind:string namespace:string name:string uid:string apiVersion:string resourceVersion:string fieldPath:string
        LocalObjectReference name:string
        =Namespace spec:NamespaceSpec status:NamespaceStatus
        NamespaceSpec finalizers:[]string
        NamespaceStatus phase:string{Active,Terminating} conditions:[]NamespaceCondition
        NamespaceCondition type!:string status!:string lastTransitionTime:time reason:string message:string
        =Node spec:NodeSpec status:NodeStatus
        NodeSpec podCIDR:string podCIDRs:[]string providerID:string unschedulable:bool taints:[]Taint configSource:NodeConfigSource externalID:string
        NodeStatus capacity:map:quantity allocatable:map:quantity phase:string{Pending,Running,Terminated} conditions:[]NodeCondition addresses:[]NodeAddress daemonEndpoints:NodeDaemonEndpoints nodeInfo:NodeSystemInfo images:[]ContainerImage volumesInUse:[]string volumesAttached:[]AttachedVolume config:NodeConfigStatus runtimeHandlers:[]NodeRuntimeHandler features:NodeFeatures
        Taint key!:string value:string effect!:string{NoExecute,NoSchedule,PreferNoSchedule} timeAdded:time
        NodeConfigSource configMap:ConfigMapNodeConfigSource
        NodeCondition type!:string status!:string lastHeartbeatTime:time lastTransitionTime:time reason:string message:string
        NodeAddress type!:string address!:string
        NodeDaemonEndpoints kubeletEndpoint:DaemonEndpoint
        NodeSystemInfo machineID!:string systemUUID!:string bootID!:string kernelVersion!:string osImage!:string containerRuntimeVersion!:string kubeletVersion!:string kubeProxyVersion!:string operatingSystem!:string architecture!:string swap:NodeSwapStatus
        ContainerImage names:[]string sizeBytes:int64
        AttachedVolume name!:string devicePath!:string
        NodeConfigStatus assigned:NodeConfigSource active:NodeConfigSource lastKnownGood:NodeConfigSource error:string
        NodeRuntimeHandler name:string features:NodeRuntimeHandlerFeatures
        NodeFeatures supplementalGroupsPolicy:bool
        ConfigMapNodeConfigSource namespace!:string name!:string uid:string resourceVersion:string kubeletConfigKey!:string
        DaemonEndpoint Port!:int32
        NodeSwapStatus capacity:int64
        NodeRuntimeHandlerFeatures recursiveReadOnlyMounts:bool userNamespaces:bool
        =Service spec:ServiceSpec status:ServiceStatus
        ServiceSpec ports:[]ServicePort selector:map:string clusterIP:string clusterIPs:[]string type:string{ClusterIP,ExternalName,LoadBalancer,NodePort} externalIPs:[]string sessionAffinity:string{ClientIP,None} loadBalancerIP:string loadBalancerSourceRanges:[]string externalName:string externalTrafficPolicy:string{Cluster,Local} healthCheckNodePort:int32 publishNotReadyAddresses:bool sessionAffinityConfig:SessionAffinityConfig ipFamilies:[]string{,IPv4,IPv6} ipFamilyPolicy:string{PreferDualStack,RequireDualStack,SingleStack} allocateLoadBalancerNodePorts:bool loadBalancerClass:string internalTrafficPolicy:string{Cluster,Local} trafficDistribution:string
        ServiceStatus loadBalancer:LoadBalancerStatus conditions:[]Condition
        ServicePort name:string protocol:string{SCTP,TCP,UDP} appProtocol:string port!:int32 targetPort:intstr nodePort:int32
        SessionAffinityConfig clientIP:ClientIPConfig
        LoadBalancerStatus ingress:[]LoadBalancerIngress
        ClientIPConfig timeoutSeconds:int32
        LoadBalancerIngress ip:string hostname:string ipMode:string ports:[]PortStatus
        PortStatus port!:int32 protocol!:string{SCTP,TCP,UDP} error:string
        =Endpoints subsets:[]EndpointSubset
        EndpointSubset addresses:[]EndpointAddress notReadyAddresses:[]EndpointAddress ports:[]EndpointPort
        EndpointAddress ip!:string hostname:string nodeName:string targetRef:ObjectReference
        EndpointPort name:string port!:int32 protocol:string{SCTP,TCP,UDP} appProtocol:string
        =Event involvedObject!:ObjectReference reason:string message:string source:EventSource firstTimestamp:time lastTimestamp:time count:int32 type:string eventTime:micro series:EventSeries action:string related:ObjectReference reportingComponent:string reportingInstance:string
        EventSource component:string host:string
        EventSeries count:int32 lastObservedTime:micro
        =PersistentVolumeClaim spec:PersistentVolumeClaimSpec status:PersistentVolumeClaimStatus
        PersistentVolumeClaimSpec accessModes:[]string{ReadOnlyMany,ReadWriteMany,ReadWriteOnce,ReadWriteOncePod} selector:LabelSelector resources:VolumeResourceRequirements volumeName:string storageClassName:string volumeMode:string{Block,Filesystem} dataSource:TypedLocalObjectReference dataSourceRef:TypedObjectReference volumeAttributesClassName:string
        PersistentVolumeClaimStatus phase:string{Bound,Lost,Pending} accessModes:[]string{ReadOnlyMany,ReadWriteMany,ReadWriteOnce,ReadWriteOncePod} capacity:map:quantity conditions:[]PersistentVolumeClaimCondition allocatedResources:map:quantity allocatedResourceStatuses:map:string{ControllerResizeInProgress,ControllerResizeInfeasible,NodeResizeInProgress,NodeResizeInfeasible,NodeResizePending} currentVolumeAttributesClassName:string modifyVolumeStatus:ModifyVolumeStatus
        VolumeResourceRequirements limits:map:quantity requests:map:quantity
        TypedLocalObjectReference apiGroup:string kind!:string name!:string
        TypedObjectReference apiGroup:string kind!:string name!:string namespace:string
        PersistentVolumeClaimCondition type!:string status!:string lastProbeTime:time lastTransitionTime:time reason:string message:string
        ModifyVolumeStatus targetVolumeAttributesClassName:string status!:string{InProgress,Infeasible,Pending}
        """;
}
