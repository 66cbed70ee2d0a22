namespace Plumb.Api.Schema;

/// <summary>
/// The fields of the API's types (Kubernetes 1.34), one type a line: its name as Go code has it, then `field:type`. Types: string, int32, int64, float64, bool,
/// time, micro (time with microseconds), quantity, intstr, bytes (base64), any; `[]` before a type is a list of it, `map:` before it a map from strings.
/// A line that begins with `=` is a kind: it has apiVersion, kind and metadata too.
/// </summary>
internal static class CoreTypes
{
    public const string Meta = """
        ObjectMeta name:string generateName:string namespace:string selfLink:string uid:string resourceVersion:string generation:int64 creationTimestamp:time deletionTimestamp:time deletionGracePeriodSeconds:int64 labels:map:string annotations:map:string ownerReferences:[]OwnerReference finalizers:[]string managedFields:[]ManagedFieldsEntry
        OwnerReference apiVersion:string kind:string name:string uid:string controller:bool blockOwnerDeletion:bool
        ManagedFieldsEntry manager:string operation:string apiVersion:string time:time fieldsType:string fieldsV1:any subresource:string
        LabelSelector matchLabels:map:string matchExpressions:[]LabelSelectorRequirement
        LabelSelectorRequirement key:string operator:string values:[]string
        Condition type:string status:string observedGeneration:int64 lastTransitionTime:time reason:string message:string
        LocalObjectReference name:string
        ObjectReference kind:string namespace:string name:string uid:string apiVersion:string resourceVersion:string fieldPath:string
        TypedLocalObjectReference apiGroup:string kind:string name:string
        """;

    public const string Core = """
        =ConfigMap immutable:bool data:map:string binaryData:map:bytes
        =Secret immutable:bool data:map:bytes stringData:map:string type:string
        =ServiceAccount secrets:[]ObjectReference imagePullSecrets:[]LocalObjectReference automountServiceAccountToken:bool
        =Namespace spec:NamespaceSpec status:NamespaceStatus
        NamespaceSpec finalizers:[]string
        NamespaceStatus phase:string conditions:[]NamespaceCondition
        NamespaceCondition type:string status:string lastTransitionTime:time reason:string message:string
        =Node spec:NodeSpec status:NodeStatus
        NodeSpec podCIDR:string podCIDRs:[]string providerID:string unschedulable:bool taints:[]Taint configSource:any externalID:string
        Taint key:string value:string effect:string timeAdded:time
        NodeStatus capacity:map:quantity allocatable:map:quantity phase:string conditions:[]NodeCondition addresses:[]NodeAddress daemonEndpoints:NodeDaemonEndpoints nodeInfo:NodeSystemInfo images:[]ContainerImage volumesInUse:[]string volumesAttached:[]any config:any runtimeHandlers:[]any features:any declaredFeatures:[]string
        NodeCondition type:string status:string lastHeartbeatTime:time lastTransitionTime:time reason:string message:string
        NodeAddress type:string address:string
        NodeDaemonEndpoints kubeletEndpoint:DaemonEndpoint
        DaemonEndpoint Port:int32
        NodeSystemInfo machineID:string systemUUID:string bootID:string kernelVersion:string osImage:string containerRuntimeVersion:string kubeletVersion:string kubeProxyVersion:string operatingSystem:string architecture:string swap:any
        ContainerImage names:[]string sizeBytes:int64
        =Service spec:ServiceSpec status:ServiceStatus
        ServiceSpec ports:[]ServicePort selector:map:string clusterIP:string clusterIPs:[]string type:string externalIPs:[]string sessionAffinity:string loadBalancerIP:string loadBalancerSourceRanges:[]string externalName:string externalTrafficPolicy:string healthCheckNodePort:int32 publishNotReadyAddresses:bool sessionAffinityConfig:SessionAffinityConfig ipFamilies:[]string ipFamilyPolicy:string allocateLoadBalancerNodePorts:bool loadBalancerClass:string internalTrafficPolicy:string trafficDistribution:string
        ServicePort name:string protocol:string appProtocol:string port:int32 targetPort:intstr nodePort:int32
        SessionAffinityConfig clientIP:ClientIPConfig
        ClientIPConfig timeoutSeconds:int32
        ServiceStatus loadBalancer:LoadBalancerStatus conditions:[]Condition
        LoadBalancerStatus ingress:[]LoadBalancerIngress
        LoadBalancerIngress ip:string hostname:string ipMode:string ports:[]PortStatus
        PortStatus port:int32 protocol:string error:string
        =Endpoints subsets:[]EndpointSubset
        EndpointSubset addresses:[]EndpointAddress notReadyAddresses:[]EndpointAddress ports:[]EndpointPort
        EndpointAddress ip:string hostname:string nodeName:string targetRef:ObjectReference
        EndpointPort name:string port:int32 protocol:string appProtocol:string
        =Event involvedObject:ObjectReference reason:string message:string source:EventSource firstTimestamp:time lastTimestamp:time count:int32 type:string eventTime:micro series:EventSeries action:string related:ObjectReference reportingComponent:string reportingInstance:string
        EventSource component:string host:string
        EventSeries count:int32 lastObservedTime:micro
        =PersistentVolumeClaim spec:PersistentVolumeClaimSpec status:any
        PersistentVolumeClaimSpec accessModes:[]string selector:LabelSelector resources:ResourceRequirements volumeName:string storageClassName:string volumeMode:string dataSource:any dataSourceRef:any volumeAttributesClassName:string
        """;

    public const string Pods = """
        =Pod spec:PodSpec status:PodStatus
        PodTemplateSpec metadata:ObjectMeta spec:PodSpec
        PodSpec volumes:[]Volume initContainers:[]Container containers:[]Container ephemeralContainers:[]EphemeralContainer restartPolicy:string terminationGracePeriodSeconds:int64 activeDeadlineSeconds:int64 dnsPolicy:string nodeSelector:map:string serviceAccountName:string serviceAccount:string automountServiceAccountToken:bool nodeName:string hostNetwork:bool hostPID:bool hostIPC:bool shareProcessNamespace:bool securityContext:PodSecurityContext imagePullSecrets:[]LocalObjectReference hostname:string subdomain:string affinity:Affinity schedulerName:string tolerations:[]Toleration hostAliases:[]HostAlias priorityClassName:string priority:int32 dnsConfig:PodDNSConfig readinessGates:[]PodReadinessGate runtimeClassName:string enableServiceLinks:bool preemptionPolicy:string overhead:map:quantity topologySpreadConstraints:[]TopologySpreadConstraint setHostnameAsFQDN:bool os:PodOS hostUsers:bool schedulingGates:[]PodSchedulingGate resourceClaims:[]any resources:ResourceRequirements hostnameOverride:string
        Container name:string image:string command:[]string args:[]string workingDir:string ports:[]ContainerPort envFrom:[]EnvFromSource env:[]EnvVar resources:ResourceRequirements resizePolicy:[]any restartPolicy:string restartPolicyRules:[]any volumeMounts:[]VolumeMount volumeDevices:[]VolumeDevice livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle terminationMessagePath:string terminationMessagePolicy:string imagePullPolicy:string securityContext:SecurityContext stdin:bool stdinOnce:bool tty:bool
        EphemeralContainer name:string image:string command:[]string args:[]string workingDir:string ports:[]ContainerPort envFrom:[]EnvFromSource env:[]EnvVar resources:ResourceRequirements resizePolicy:[]any restartPolicy:string restartPolicyRules:[]any volumeMounts:[]VolumeMount volumeDevices:[]VolumeDevice livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle terminationMessagePath:string terminationMessagePolicy:string imagePullPolicy:string securityContext:SecurityContext stdin:bool stdinOnce:bool tty:bool targetContainerName:string
        ContainerPort name:string hostPort:int32 containerPort:int32 protocol:string hostIP:string
        EnvFromSource prefix:string configMapRef:OptionalReference secretRef:OptionalReference
        OptionalReference name:string optional:bool
        EnvVar name:string value:string valueFrom:EnvVarSource
        EnvVarSource fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector configMapKeyRef:KeySelector secretKeyRef:KeySelector fileKeyRef:any
        ObjectFieldSelector apiVersion:string fieldPath:string
        ResourceFieldSelector containerName:string resource:string divisor:quantity
        KeySelector name:string key:string optional:bool
        ResourceRequirements limits:map:quantity requests:map:quantity claims:[]any
        VolumeMount name:string readOnly:bool recursiveReadOnly:string mountPath:string subPath:string mountPropagation:string subPathExpr:string
        VolumeDevice name:string devicePath:string
        Probe exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction initialDelaySeconds:int32 timeoutSeconds:int32 periodSeconds:int32 successThreshold:int32 failureThreshold:int32 terminationGracePeriodSeconds:int64
        ExecAction command:[]string
        HTTPGetAction path:string port:intstr host:string scheme:string httpHeaders:[]HTTPHeader
        HTTPHeader name:string value:string
        TCPSocketAction port:intstr host:string
        GRPCAction port:int32 service:string
        Lifecycle postStart:LifecycleHandler preStop:LifecycleHandler stopSignal:string
        LifecycleHandler exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction
        SleepAction seconds:int64
        SecurityContext capabilities:Capabilities privileged:bool seLinuxOptions:any windowsOptions:any runAsUser:int64 runAsGroup:int64 runAsNonRoot:bool readOnlyRootFilesystem:bool allowPrivilegeEscalation:bool procMount:string seccompProfile:SeccompProfile appArmorProfile:any
        Capabilities add:[]string drop:[]string
        SeccompProfile type:string localhostProfile:string
        PodSecurityContext seLinuxOptions:any windowsOptions:any runAsUser:int64 runAsGroup:int64 runAsNonRoot:bool supplementalGroups:[]int64 supplementalGroupsPolicy:string fsGroup:int64 sysctls:[]Sysctl fsGroupChangePolicy:string seccompProfile:SeccompProfile appArmorProfile:any seLinuxChangePolicy:string
        Sysctl name:string value:string
        Affinity nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAffinity
        NodeAffinity requiredDuringSchedulingIgnoredDuringExecution:NodeSelector preferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm
        NodeSelector nodeSelectorTerms:[]NodeSelectorTerm
        NodeSelectorTerm matchExpressions:[]NodeSelectorRequirement matchFields:[]NodeSelectorRequirement
        NodeSelectorRequirement key:string operator:string values:[]string
        PreferredSchedulingTerm weight:int32 preference:NodeSelectorTerm
        PodAffinity requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
        WeightedPodAffinityTerm weight:int32 podAffinityTerm:PodAffinityTerm
        PodAffinityTerm labelSelector:LabelSelector namespaces:[]string topologyKey:string namespaceSelector:LabelSelector matchLabelKeys:[]string mismatchLabelKeys:[]string
        Toleration key:string operator:string value:string effect:string tolerationSeconds:int64
        HostAlias ip:string hostnames:[]string
        PodDNSConfig nameservers:[]string searches:[]string options:[]PodDNSConfigOption
        PodDNSConfigOption name:string value:string
        PodReadinessGate conditionType:string
        PodOS name:string
        PodSchedulingGate name:string
        TopologySpreadConstraint maxSkew:int32 topologyKey:string whenUnsatisfiable:string labelSelector:LabelSelector minDomains:int32 nodeAffinityPolicy:string nodeTaintsPolicy:string matchLabelKeys:[]string
        Volume name:string hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource secret:SecretVolumeSource configMap:ConfigMapVolumeSource projected:ProjectedVolumeSource downwardAPI:DownwardAPIVolumeSource persistentVolumeClaim:any nfs:any csi:any ephemeral:any image:any iscsi:any glusterfs:any rbd:any gcePersistentDisk:any awsElasticBlockStore:any gitRepo:any flexVolume:any cinder:any cephfs:any flocker:any fc:any azureFile:any vsphereVolume:any quobyte:any azureDisk:any photonPersistentDisk:any portworxVolume:any scaleIO:any storageos:any
        HostPathVolumeSource path:string type:string
        EmptyDirVolumeSource medium:string sizeLimit:quantity
        SecretVolumeSource secretName:string items:[]KeyToPath defaultMode:int32 optional:bool
        ConfigMapVolumeSource name:string items:[]KeyToPath defaultMode:int32 optional:bool
        KeyToPath key:string path:string mode:int32
        ProjectedVolumeSource sources:[]any defaultMode:int32
        DownwardAPIVolumeSource items:[]DownwardAPIVolumeFile defaultMode:int32
        DownwardAPIVolumeFile path:string fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector mode:int32
        PodStatus observedGeneration:int64 phase:string conditions:[]PodCondition message:string reason:string nominatedNodeName:string hostIP:string hostIPs:[]HostIP podIP:string podIPs:[]PodIP startTime:time initContainerStatuses:[]ContainerStatus containerStatuses:[]ContainerStatus qosClass:string ephemeralContainerStatuses:[]ContainerStatus resize:string resourceClaimStatuses:[]any extendedResourceClaimStatus:any
        PodCondition type:string observedGeneration:int64 status:string lastProbeTime:time lastTransitionTime:time reason:string message:string
        HostIP ip:string
        PodIP ip:string
        ContainerStatus name:string state:ContainerState lastState:ContainerState ready:bool restartCount:int32 image:string imageID:string containerID:string started:bool allocatedResources:map:quantity resources:ResourceRequirements volumeMounts:[]any user:any allocatedResourcesStatus:[]any stopSignal:string
        ContainerState waiting:ContainerStateWaiting running:ContainerStateRunning terminated:ContainerStateTerminated
        ContainerStateWaiting reason:string message:string
        ContainerStateRunning startedAt:time
        ContainerStateTerminated exitCode:int32 signal:int32 reason:string message:string startedAt:time finishedAt:time containerID:string
        """;
}
