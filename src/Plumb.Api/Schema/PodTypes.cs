namespace Plumb.Api.Schema;

/// <inheritdoc cref="CoreTypes"/>
internal static class PodTypes
{
    public const string Text = """
        =Pod spec:PodSpec status:PodStatus
        PodSpec volumes:[]Volume initContainers:[]Container containers!:[]Container ephemeralContainers:[]EphemeralContainer restartPolicy:string{Always,Never,OnFailure} terminationGracePeriodSeconds:int64 activeDeadlineSeconds:int64 dnsPolicy:string{ClusterFirst,ClusterFirstWithHostNet,Default,None} nodeSelector:map:string serviceAccountName:string serviceAccount:string automountServiceAccountToken:bool nodeName:string hostNetwork:bool hostPID:bool hostIPC:bool shareProcessNamespace:bool securityContext:PodSecurityContext imagePullSecrets:[]LocalObjectReference hostname:string subdomain:string affinity:Affinity schedulerName:string tolerations:[]Toleration hostAliases:[]HostAlias priorityClassName:string priority:int32 dnsConfig:PodDNSConfig readinessGates:[]PodReadinessGate runtimeClassName:string enableServiceLinks:bool preemptionPolicy:string{Never,PreemptLowerPriority} overhead:map:quantity topologySpreadConstraints:[]TopologySpreadConstraint setHostnameAsFQDN:bool os:PodOS hostUsers:bool schedulingGates:[]PodSchedulingGate resourceClaims:[]PodResourceClaim resources:ResourceRequirements hostnameOverride:string
        PodStatus observedGeneration:int64 phase:string{Failed,Pending,Running,Succeeded,Unknown} conditions:[]PodCondition message:string reason:string nominatedNodeName:string hostIP:string hostIPs:[]HostIP podIP:string podIPs:[]PodIP startTime:time initContainerStatuses:[]ContainerStatus containerStatuses:[]ContainerStatus qosClass:string{BestEffort,Burstable,Guaranteed} ephemeralContainerStatuses:[]ContainerStatus resize:string resourceClaimStatuses:[]PodResourceClaimStatus extendedResourceClaimStatus:PodExtendedResourceClaimStatus
        Volume name!:string hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource gcePersistentDisk:GCEPersistentDiskVolumeSource awsElasticBlockStore:AWSElasticBlockStoreVolumeSource gitRepo:GitRepoVolumeSource secret:SecretVolumeSource nfs:NFSVolumeSource iscsi:ISCSIVolumeSource glusterfs:GlusterfsVolumeSource persistentVolumeClaim:PersistentVolumeClaimVolumeSource rbd:RBDVolumeSource flexVolume:FlexVolumeSource cinder:CinderVolumeSource cephfs:CephFSVolumeSource flocker:FlockerVolumeSource downwardAPI:DownwardAPIVolumeSource fc:FCVolumeSource azureFile:AzureFileVolumeSource configMap:ConfigMapVolumeSource vsphereVolume:VsphereVirtualDiskVolumeSource quobyte:QuobyteVolumeSource azureDisk:AzureDiskVolumeSource photonPersistentDisk:PhotonPersistentDiskVolumeSource projected:ProjectedVolumeSource portworxVolume:PortworxVolumeSource scaleIO:ScaleIOVolumeSource storageos:StorageOSVolumeSource csi:CSIVolumeSource ephemeral:EphemeralVolumeSource image:ImageVolumeSource
        Container name!:string image:string command:[]string args:[]string workingDir:string ports:[]ContainerPort envFrom:[]EnvFromSource env:[]EnvVar resources:ResourceRequirements resizePolicy:[]ContainerResizePolicy restartPolicy:string restartPolicyRules:[]ContainerRestartRule volumeMounts:[]VolumeMount volumeDevices:[]VolumeDevice livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle terminationMessagePath:string terminationMessagePolicy:string{FallbackToLogsOnError,File} imagePullPolicy:string{Always,IfNotPresent,Never} securityContext:SecurityContext stdin:bool stdinOnce:bool tty:bool
        EphemeralContainer name!:string image:string command:[]string args:[]string workingDir:string ports:[]ContainerPort envFrom:[]EnvFromSource env:[]EnvVar resources:ResourceRequirements resizePolicy:[]ContainerResizePolicy restartPolicy:string restartPolicyRules:[]ContainerRestartRule volumeMounts:[]VolumeMount volumeDevices:[]VolumeDevice livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle terminationMessagePath:string terminationMessagePolicy:string{FallbackToLogsOnError,File} imagePullPolicy:string{Always,IfNotPresent,Never} securityContext:SecurityContext stdin:bool stdinOnce:bool tty:bool targetContainerName:string
        PodSecurityContext seLinuxOptions:SELinuxOptions windowsOptions:WindowsSecurityContextOptions runAsUser:int64 runAsGroup:int64 runAsNonRoot:bool supplementalGroups:[]int64 supplementalGroupsPolicy:string{Merge,Strict} fsGroup:int64 sysctls:[]Sysctl fsGroupChangePolicy:string{Always,OnRootMismatch} seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile seLinuxChangePolicy:string
        Affinity nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity
        Toleration key:string operator:string{Equal,Exists} value:string effect:string{NoExecute,NoSchedule,PreferNoSchedule} tolerationSeconds:int64
        HostAlias ip!:string hostnames:[]string
        PodDNSConfig nameservers:[]string searches:[]string options:[]PodDNSConfigOption
        PodReadinessGate conditionType!:string
        TopologySpreadConstraint maxSkew!:int32 topologyKey!:string whenUnsatisfiable!:string{DoNotSchedule,ScheduleAnyway} labelSelector:LabelSelector minDomains:int32 nodeAffinityPolicy:string{Honor,Ignore} nodeTaintsPolicy:string{Honor,Ignore} matchLabelKeys:[]string
        PodOS name!:string
        PodSchedulingGate name!:string
        PodResourceClaim name!:string resourceClaimName:string resourceClaimTemplateName:string
        ResourceRequirements limits:map:quantity requests:map:quantity claims:[]ResourceClaim
        PodCondition type!:string observedGeneration:int64 status!:string lastProbeTime:time lastTransitionTime:time reason:string message:string
        HostIP ip!:string
        PodIP ip!:string
        ContainerStatus name!:string state:ContainerState lastState:ContainerState ready!:bool restartCount!:int32 image!:string imageID!:string containerID:string started:bool allocatedResources:map:quantity resources:ResourceRequirements volumeMounts:[]VolumeMountStatus user:ContainerUser allocatedResourcesStatus:[]ResourceStatus stopSignal:string{SIGABRT,SIGALRM,SIGBUS,SIGCHLD,SIGCLD,SIGCONT,SIGFPE,SIGHUP,SIGILL,SIGINT,SIGIO,SIGIOT,SIGKILL,SIGPIPE,SIGPOLL,SIGPROF,SIGPWR,SIGQUIT,SIGRTMAX,SIGRTMAX-1,SIGRTMAX-10,SIGRTMAX-11,SIGRTMAX-12,SIGRTMAX-13,SIGRTMAX-14,SIGRTMAX-2,SIGRTMAX-3,SIGRTMAX-4,SIGRTMAX-5,SIGRTMAX-6,SIGRTMAX-7,SIGRTMAX-8,SIGRTMAX-9,SIGRTMIN,SIGRTMIN+1,SIGRTMIN+10,SIGRTMIN+11,SIGRTMIN+12,SIGRTMIN+13,SIGRTMIN+14,SIGRTMIN+15,SIGRTMIN+2,SIGRTMIN+3,SIGRTMIN+4,SIGRTMIN+5,SIGRTMIN+6,SIGRTMIN+7,SIGRTMIN+8,SIGRTMIN+9,SIGSEGV,SIGSTKFLT,SIGSTOP,SIGSYS,SIGTERM,SIGTRAP,SIGTSTP,SIGTTIN,SIGTTOU,SIGURG,SIGUSR1,SIGUSR2,SIGVTALRM,SIGWINCH,SIGXCPU,SIGXFSZ}
        PodResourceClaimStatus name!:string resourceClaimName:string
        PodExtendedResourceClaimStatus requestMappings!:[]ContainerExtendedResourceRequest resourceClaimName!:string
        HostPathVolumeSource path!:string type:string{,BlockDevice,CharDevice,Directory,DirectoryOrCreate,File,FileOrCreate,Socket}
        EmptyDirVolumeSource medium:string sizeLimit:quantity
        GCEPersistentDiskVolumeSource pdName!:string fsType:string partition:int32 readOnly:bool
        AWSElasticBlockStoreVolumeSource volumeID!:string fsType:string partition:int32 readOnly:bool
        GitRepoVolumeSource repository!:string revision:string directory:string
        SecretVolumeSource secretName:string items:[]KeyToPath defaultMode:int32 optional:bool
        NFSVolumeSource server!:string path!:string readOnly:bool
        ISCSIVolumeSource targetPortal!:string iqn!:string lun!:int32 iscsiInterface:string fsType:string readOnly:bool portals:[]string chapAuthDiscovery:bool chapAuthSession:bool secretRef:LocalObjectReference initiatorName:string
        GlusterfsVolumeSource endpoints!:string path!:string readOnly:bool
        PersistentVolumeClaimVolumeSource claimName!:string readOnly:bool
        RBDVolumeSource monitors!:[]string image!:string fsType:string pool:string user:string keyring:string secretRef:LocalObjectReference readOnly:bool
        FlexVolumeSource driver!:string fsType:string secretRef:LocalObjectReference readOnly:bool options:map:string
        CinderVolumeSource volumeID!:string fsType:string readOnly:bool secretRef:LocalObjectReference
        CephFSVolumeSource monitors!:[]string path:string user:string secretFile:string secretRef:LocalObjectReference readOnly:bool
        FlockerVolumeSource datasetName:string datasetUUID:string
        DownwardAPIVolumeSource items:[]DownwardAPIVolumeFile defaultMode:int32
        FCVolumeSource targetWWNs:[]string lun:int32 fsType:string readOnly:bool wwids:[]string
        AzureFileVolumeSource secretName!:string shareName!:string readOnly:bool
        ConfigMapVolumeSource name:string items:[]KeyToPath defaultMode:int32 optional:bool
        VsphereVirtualDiskVolumeSource volumePath!:string fsType:string storagePolicyName:string storagePolicyID:string
        QuobyteVolumeSource registry!:string volume!:string readOnly:bool user:string group:string tenant:string
        AzureDiskVolumeSource diskName!:string diskURI!:string cachingMode:string{None,ReadOnly,ReadWrite} fsType:string readOnly:bool kind:string{Dedicated,Managed,Shared}
        PhotonPersistentDiskVolumeSource pdID!:string fsType:string
        ProjectedVolumeSource sources:[]VolumeProjection defaultMode:int32
        PortworxVolumeSource volumeID!:string fsType:string readOnly:bool
        ScaleIOVolumeSource gateway!:string system!:string secretRef!:LocalObjectReference sslEnabled:bool protectionDomain:string storagePool:string storageMode:string volumeName:string fsType:string readOnly:bool
        StorageOSVolumeSource volumeName:string volumeNamespace:string fsType:string readOnly:bool secretRef:LocalObjectReference
        CSIVolumeSource driver!:string readOnly:bool fsType:string volumeAttributes:map:string nodePublishSecretRef:LocalObjectReference
        EphemeralVolumeSource volumeClaimTemplate:PersistentVolumeClaimTemplate
        ImageVolumeSource reference:string pullPolicy:string{Always,IfNotPresent,Never}
        ContainerPort name:string hostPort:int32 containerPort!:int32 protocol:string{SCTP,TCP,UDP} hostIP:string
        EnvFromSource prefix:string configMapRef:ConfigMapEnvSource secretRef:SecretEnvSource
        EnvVar name!:string value:string valueFrom:EnvVarSource
        ContainerResizePolicy resourceName!:string restartPolicy!:string
        ContainerRestartRule action:string exitCodes:ContainerRestartRuleOnExitCodes
        VolumeMount name!:string readOnly:bool recursiveReadOnly:string mountPath!:string subPath:string mountPropagation:string{Bidirectional,HostToContainer,None} subPathExpr:string
        VolumeDevice name!:string devicePath!:string
        Probe exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction initialDelaySeconds:int32 timeoutSeconds:int32 periodSeconds:int32 successThreshold:int32 failureThreshold:int32 terminationGracePeriodSeconds:int64
        Lifecycle postStart:LifecycleHandler preStop:LifecycleHandler stopSignal:string{SIGABRT,SIGALRM,SIGBUS,SIGCHLD,SIGCLD,SIGCONT,SIGFPE,SIGHUP,SIGILL,SIGINT,SIGIO,SIGIOT,SIGKILL,SIGPIPE,SIGPOLL,SIGPROF,SIGPWR,SIGQUIT,SIGRTMAX,SIGRTMAX-1,SIGRTMAX-10,SIGRTMAX-11,SIGRTMAX-12,SIGRTMAX-13,SIGRTMAX-14,SIGRTMAX-2,SIGRTMAX-3,SIGRTMAX-4,SIGRTMAX-5,SIGRTMAX-6,SIGRTMAX-7,SIGRTMAX-8,SIGRTMAX-9,SIGRTMIN,SIGRTMIN+1,SIGRTMIN+10,SIGRTMIN+11,SIGRTMIN+12,SIGRTMIN+13,SIGRTMIN+14,SIGRTMIN+15,SIGRTMIN+2,SIGRTMIN+3,SIGRTMIN+4,SIGRTMIN+5,SIGRTMIN+6,SIGRTMIN+7,SIGRTMIN+8,SIGRTMIN+9,SIGSEGV,SIGSTKFLT,SIGSTOP,SIGSYS,SIGTERM,SIGTRAP,SIGTSTP,SIGTTIN,SIGTTOU,SIGURG,SIGUSR1,SIGUSR2,SIGVTALRM,SIGWINCH,SIGXCPU,SIGXFSZ}
        SecurityContext capabilities:Capabilities privileged:bool seLinuxOptions:SELinuxOptions windowsOptions:WindowsSecurityContextOptions runAsUser:int64 runAsGroup:int64 runAsNonRoot:bool readOnlyRootFilesystem:bool allowPrivilegeEscalation:bool procMount:string{Default,Unmasked} seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile
        SELinuxOptions user:string role:string type:string level:string
        WindowsSecurityContextOptions gmsaCredentialSpecName:string gmsaCredentialSpec:string runAsUserName:string hostProcess:bool
        Sysctl name!:string value!:string
        SeccompProfile type!:string{Localhost,RuntimeDefault,Unconfined} localhostProfile:string
        AppArmorProfile type!:string{Localhost,RuntimeDefault,Unconfined} localhostProfile:string
        NodeAffinity requiredDuringSchedulingIgnoredDuringExecution:NodeSelector preferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm
        PodAffinity requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
        PodAntiAffinity requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
        PodDNSConfigOption name:string value:string
        ResourceClaim name!:string request:string
        ContainerState waiting:ContainerStateWaiting running:ContainerStateRunning terminated:ContainerStateTerminated
        VolumeMountStatus name!:string mountPath!:string readOnly:bool recursiveReadOnly:string
        ContainerUser linux:LinuxContainerUser
        ResourceStatus name!:string resources:[]ResourceHealth
        ContainerExtendedResourceRequest containerName!:string resourceName!:string requestName!:string
        KeyToPath key!:string path!:string mode:int32
        DownwardAPIVolumeFile path!:string fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector mode:int32
        VolumeProjection secret:SecretProjection downwardAPI:DownwardAPIProjection configMap:ConfigMapProjection serviceAccountToken:ServiceAccountTokenProjection clusterTrustBundle:ClusterTrustBundleProjection podCertificate:PodCertificateProjection
        PersistentVolumeClaimTemplate metadata:ObjectMeta spec!:PersistentVolumeClaimSpec
        ConfigMapEnvSource name:string optional:bool
        SecretEnvSource name:string optional:bool
        EnvVarSource fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector configMapKeyRef:ConfigMapKeySelector secretKeyRef:SecretKeySelector fileKeyRef:FileKeySelector
        ContainerRestartRuleOnExitCodes operator:string values:[]int32
        ExecAction command:[]string
        HTTPGetAction path:string port!:intstr host:string scheme:string{HTTP,HTTPS} httpHeaders:[]HTTPHeader
        TCPSocketAction port!:intstr host:string
        GRPCAction port!:int32 service:string
        LifecycleHandler exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction
        Capabilities add:[]string drop:[]string
        NodeSelector nodeSelectorTerms!:[]NodeSelectorTerm
        PreferredSchedulingTerm weight!:int32 preference!:NodeSelectorTerm
        PodAffinityTerm labelSelector:LabelSelector namespaces:[]string topologyKey!:string namespaceSelector:LabelSelector matchLabelKeys:[]string mismatchLabelKeys:[]string
        WeightedPodAffinityTerm weight!:int32 podAffinityTerm!:PodAffinityTerm
        ContainerStateWaiting reason:string message:string
        ContainerStateRunning startedAt:time
        ContainerStateTerminated exitCode!:int32 signal:int32 reason:string message:string startedAt:time finishedAt:time containerID:string
        LinuxContainerUser uid!:int64 gid!:int64 supplementalGroups:[]int64
        ResourceHealth resourceID!:string health:string
        ObjectFieldSelector apiVersion:string fieldPath!:string
        ResourceFieldSelector containerName:string resource!:string divisor:quantity
        SecretProjection name:string items:[]KeyToPath optional:bool
        DownwardAPIProjection items:[]DownwardAPIVolumeFile
        ConfigMapProjection name:string items:[]KeyToPath optional:bool
        ServiceAccountTokenProjection audience:string expirationSeconds:int64 path!:string
        ClusterTrustBundleProjection name:string signerName:string labelSelector:LabelSelector optional:bool path!:string
        PodCertificateProjection signerName:string keyType:string maxExpirationSeconds:int32 credentialBundlePath:string keyPath:string certificateChainPath:string
        ConfigMapKeySelector name:string key!:string optional:bool
        SecretKeySelector name:string key!:string optional:bool
        FileKeySelector volumeName!:string path!:string key!:string optional:bool
        HTTPHeader name!:string value!:string
        SleepAction seconds!:int64
        NodeSelectorTerm matchExpressions:[]NodeSelectorRequirement matchFields:[]NodeSelectorRequirement
        NodeSelectorRequirement key!:string operator!:string{DoesNotExist,Exists,Gt,In,Lt,NotIn} values:[]string
        =Binding target!:ObjectReference
        PodTemplateSpec metadata:ObjectMeta spec:PodSpec
        =ReplicationController spec:ReplicationControllerSpec status:ReplicationControllerStatus
        ReplicationControllerSpec replicas:int32 minReadySeconds:int32 selector:map:string template:PodTemplateSpec
        ReplicationControllerStatus replicas!:int32 fullyLabeledReplicas:int32 readyReplicas:int32 availableReplicas:int32 observedGeneration:int64 conditions:[]ReplicationControllerCondition
        ReplicationControllerCondition type!:string status!:string lastTransitionTime:time reason:string message:string
        =ResourceQuota spec:ResourceQuotaSpec status:ResourceQuotaStatus
        ResourceQuotaSpec hard:map:quantity scopes:[]string{BestEffort,CrossNamespacePodAffinity,NotBestEffort,NotTerminating,PriorityClass,Terminating,VolumeAttributesClass} scopeSelector:ScopeSelector
        ResourceQuotaStatus hard:map:quantity used:map:quantity
        ScopeSelector matchExpressions:[]ScopedResourceSelectorRequirement
        ScopedResourceSelectorRequirement scopeName!:string{BestEffort,CrossNamespacePodAffinity,NotBestEffort,NotTerminating,PriorityClass,Terminating,VolumeAttributesClass} operator!:string{DoesNotExist,Exists,In,NotIn} values:[]string
        =LimitRange spec:LimitRangeSpec
        LimitRangeSpec limits!:[]LimitRangeItem
        LimitRangeItem type!:string max:map:quantity min:map:quantity default:map:quantity defaultRequest:map:quantity maxLimitRequestRatio:map:quantity
        """;
}
