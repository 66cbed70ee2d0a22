namespace Plumb.Api.Schema;

/// <inheritdoc cref="CoreTypes"/>
internal static class PodTypes
{
    public const string Text = """
        =Pod 2.spec:PodSpec 3.status:PodStatus
        PodSpec 1.volumes:[]Volume 20.initContainers:[]Container 2.containers!:[]Container 34.ephemeralContainers:[]EphemeralContainer 3.restartPolicy:string{Always,Never,OnFailure} 4*terminationGracePeriodSeconds:int64 5*activeDeadlineSeconds:int64 6.dnsPolicy:string{ClusterFirst,ClusterFirstWithHostNet,Default,None} 7.nodeSelector:map:string 8.serviceAccountName:string 9.serviceAccount:string 21*automountServiceAccountToken:bool 10.nodeName:string 11.hostNetwork:bool 12.hostPID:bool 13.hostIPC:bool 27*shareProcessNamespace:bool 14.securityContext:PodSecurityContext 15.imagePullSecrets:[]LocalObjectReference 16.hostname:string 17.subdomain:string 18.affinity:Affinity 19.schedulerName:string 22.tolerations:[]Toleration 23.hostAliases:[]HostAlias 24.priorityClassName:string 25*priority:int32 26.dnsConfig:PodDNSConfig 28.readinessGates:[]PodReadinessGate 29*runtimeClassName:string 30*enableServiceLinks:bool 31*preemptionPolicy:string{Never,PreemptLowerPriority} 32.overhead:map:quantity 33.topologySpreadConstraints:[]TopologySpreadConstraint 35*setHostnameAsFQDN:bool 36.os:PodOS 37*hostUsers:bool 38.schedulingGates:[]PodSchedulingGate 39.resourceClaims:[]PodResourceClaim 40.resources:ResourceRequirements 41*hostnameOverride:string
        PodStatus 17.observedGeneration:int64 1.phase:string{Failed,Pending,Running,Succeeded,Unknown} 2.conditions:[]PodCondition 3.message:string 4.reason:string 11.nominatedNodeName:string 5.hostIP:string 16.hostIPs:[]HostIP 6.podIP:string 12.podIPs:[]PodIP 7.startTime:time 10.initContainerStatuses:[]ContainerStatus 8.containerStatuses:[]ContainerStatus 9.qosClass:string{BestEffort,Burstable,Guaranteed} 13.ephemeralContainerStatuses:[]ContainerStatus 14.resize:string 15.resourceClaimStatuses:[]PodResourceClaimStatus 18.extendedResourceClaimStatus:PodExtendedResourceClaimStatus
        Volume 1*name!:string 2/1.hostPath:HostPathVolumeSource 2/2.emptyDir:EmptyDirVolumeSource 2/3.gcePersistentDisk:GCEPersistentDiskVolumeSource 2/4.awsElasticBlockStore:AWSElasticBlockStoreVolumeSource 2/5.gitRepo:GitRepoVolumeSource 2/6.secret:SecretVolumeSource 2/7.nfs:NFSVolumeSource 2/8.iscsi:ISCSIVolumeSource 2/9.glusterfs:GlusterfsVolumeSource 2/10.persistentVolumeClaim:PersistentVolumeClaimVolumeSource 2/11.rbd:RBDVolumeSource 2/12.flexVolume:FlexVolumeSource 2/13.cinder:CinderVolumeSource 2/14.cephfs:CephFSVolumeSource 2/15.flocker:FlockerVolumeSource 2/16.downwardAPI:DownwardAPIVolumeSource 2/17.fc:FCVolumeSource 2/18.azureFile:AzureFileVolumeSource 2/19.configMap:ConfigMapVolumeSource 2/20.vsphereVolume:VsphereVirtualDiskVolumeSource 2/21.quobyte:QuobyteVolumeSource 2/22.azureDisk:AzureDiskVolumeSource 2/23.photonPersistentDisk:PhotonPersistentDiskVolumeSource 2/26.projected:ProjectedVolumeSource 2/24.portworxVolume:PortworxVolumeSource 2/25.scaleIO:ScaleIOVolumeSource 2/27.storageos:StorageOSVolumeSource 2/28.csi:CSIVolumeSource 2/29.ephemeral:EphemeralVolumeSource 2/30.image:ImageVolumeSource
        Container 1*name!:string 2.image:string 3.command:[]string 4.args:[]string 5.workingDir:string 6.ports:[]ContainerPort 19.envFrom:[]EnvFromSource 7.env:[]EnvVar 8.resources:ResourceRequirements 23.resizePolicy:[]ContainerResizePolicy 24*restartPolicy:string 25.restartPolicyRules:[]ContainerRestartRule 9.volumeMounts:[]VolumeMount 21.volumeDevices:[]VolumeDevice 10.livenessProbe:Probe 11.readinessProbe:Probe 22.startupProbe:Probe 12.lifecycle:Lifecycle 13.terminationMessagePath:string 20.terminationMessagePolicy:string{FallbackToLogsOnError,File} 14.imagePullPolicy:string{Always,IfNotPresent,Never} 15.securityContext:SecurityContext 16.stdin:bool 17.stdinOnce:bool 18.tty:bool
        EphemeralContainer 1/1*name!:string 1/2.image:string 1/3.command:[]string 1/4.args:[]string 1/5.workingDir:string 1/6.ports:[]ContainerPort 1/19.envFrom:[]EnvFromSource 1/7.env:[]EnvVar 1/8.resources:ResourceRequirements 1/23.resizePolicy:[]ContainerResizePolicy 1/24*restartPolicy:string 1/25.restartPolicyRules:[]ContainerRestartRule 1/9.volumeMounts:[]VolumeMount 1/21.volumeDevices:[]VolumeDevice 1/10.livenessProbe:Probe 1/11.readinessProbe:Probe 1/22.startupProbe:Probe 1/12.lifecycle:Lifecycle 1/13.terminationMessagePath:string 1/20.terminationMessagePolicy:string{FallbackToLogsOnError,File} 1/14.imagePullPolicy:string{Always,IfNotPresent,Never} 1/15.securityContext:SecurityContext 1/16.stdin:bool 1/17.stdinOnce:bool 1/18.tty:bool 2.targetContainerName:string
        PodSecurityContext 1.seLinuxOptions:SELinuxOptions 8.windowsOptions:WindowsSecurityContextOptions 2*runAsUser:int64 6*runAsGroup:int64 3*runAsNonRoot:bool 4.supplementalGroups:[]int64 12*supplementalGroupsPolicy:string{Merge,Strict} 5*fsGroup:int64 7.sysctls:[]Sysctl 9*fsGroupChangePolicy:string{Always,OnRootMismatch} 10.seccompProfile:SeccompProfile 11.appArmorProfile:AppArmorProfile 13*seLinuxChangePolicy:string
        Affinity 1.nodeAffinity:NodeAffinity 2.podAffinity:PodAffinity 3.podAntiAffinity:PodAntiAffinity
        Toleration 1.key:string 2.operator:string{Equal,Exists} 3.value:string 4.effect:string{NoExecute,NoSchedule,PreferNoSchedule} 5*tolerationSeconds:int64
        HostAlias 1*ip!:string 2.hostnames:[]string
        PodDNSConfig 1.nameservers:[]string 2.searches:[]string 3.options:[]PodDNSConfigOption
        PodReadinessGate 1*conditionType!:string
        TopologySpreadConstraint 1*maxSkew!:int32 2*topologyKey!:string 3*whenUnsatisfiable!:string{DoNotSchedule,ScheduleAnyway} 4.labelSelector:LabelSelector 5*minDomains:int32 6*nodeAffinityPolicy:string{Honor,Ignore} 7*nodeTaintsPolicy:string{Honor,Ignore} 8.matchLabelKeys:[]string
        PodOS 1*name!:string
        PodSchedulingGate 1*name!:string
        PodResourceClaim 1*name!:string 3*resourceClaimName:string 4*resourceClaimTemplateName:string
        ResourceRequirements 1.limits:map:quantity 2.requests:map:quantity 3.claims:[]ResourceClaim
        PodCondition 1*type!:string 7.observedGeneration:int64 2*status!:string 3.lastProbeTime:time 4.lastTransitionTime:time 5.reason:string 6.message:string
        HostIP 1*ip!:string
        PodIP 1*ip!:string
        ContainerStatus 1*name!:string 2.state:ContainerState 3.lastState:ContainerState 4*ready!:bool 5*restartCount!:int32 6*image!:string 7*imageID!:string 8.containerID:string 9*started:bool 10.allocatedResources:map:quantity 11.resources:ResourceRequirements 12.volumeMounts:[]VolumeMountStatus 13.user:ContainerUser 14.allocatedResourcesStatus:[]ResourceStatus 15*stopSignal:string{SIGABRT,SIGALRM,SIGBUS,SIGCHLD,SIGCLD,SIGCONT,SIGFPE,SIGHUP,SIGILL,SIGINT,SIGIO,SIGIOT,SIGKILL,SIGPIPE,SIGPOLL,SIGPROF,SIGPWR,SIGQUIT,SIGRTMAX,SIGRTMAX-1,SIGRTMAX-10,SIGRTMAX-11,SIGRTMAX-12,SIGRTMAX-13,SIGRTMAX-14,SIGRTMAX-2,SIGRTMAX-3,SIGRTMAX-4,SIGRTMAX-5,SIGRTMAX-6,SIGRTMAX-7,SIGRTMAX-8,SIGRTMAX-9,SIGRTMIN,SIGRTMIN+1,SIGRTMIN+10,SIGRTMIN+11,SIGRTMIN+12,SIGRTMIN+13,SIGRTMIN+14,SIGRTMIN+15,SIGRTMIN+2,SIGRTMIN+3,SIGRTMIN+4,SIGRTMIN+5,SIGRTMIN+6,SIGRTMIN+7,SIGRTMIN+8,SIGRTMIN+9,SIGSEGV,SIGSTKFLT,SIGSTOP,SIGSYS,SIGTERM,SIGTRAP,SIGTSTP,SIGTTIN,SIGTTOU,SIGURG,SIGUSR1,SIGUSR2,SIGVTALRM,SIGWINCH,SIGXCPU,SIGXFSZ}
        PodResourceClaimStatus 1*name!:string 2*resourceClaimName:string
        PodExtendedResourceClaimStatus 1.requestMappings!:[]ContainerExtendedResourceRequest 2*resourceClaimName!:string
        HostPathVolumeSource 1*path!:string 2*type:string{,BlockDevice,CharDevice,Directory,DirectoryOrCreate,File,FileOrCreate,Socket}
        EmptyDirVolumeSource 1.medium:string 2.sizeLimit:quantity
        GCEPersistentDiskVolumeSource 1*pdName!:string 2.fsType:string 3.partition:int32 4.readOnly:bool
        AWSElasticBlockStoreVolumeSource 1*volumeID!:string 2.fsType:string 3.partition:int32 4.readOnly:bool
        GitRepoVolumeSource 1*repository!:string 2.revision:string 3.directory:string
        SecretVolumeSource 1.secretName:string 2.items:[]KeyToPath 3*defaultMode:int32 4*optional:bool
        NFSVolumeSource 1*server!:string 2*path!:string 3.readOnly:bool
        ISCSIVolumeSource 1*targetPortal!:string 2*iqn!:string 3*lun!:int32 4.iscsiInterface:string 5.fsType:string 6.readOnly:bool 7.portals:[]string 8.chapAuthDiscovery:bool 11.chapAuthSession:bool 10.secretRef:LocalObjectReference 12*initiatorName:string
        GlusterfsVolumeSource 1*endpoints!:string 2*path!:string 3.readOnly:bool
        PersistentVolumeClaimVolumeSource 1*claimName!:string 2.readOnly:bool
        RBDVolumeSource 1.monitors!:[]string 2*image!:string 3.fsType:string 4.pool:string 5.user:string 6.keyring:string 7.secretRef:LocalObjectReference 8.readOnly:bool
        FlexVolumeSource 1*driver!:string 2.fsType:string 3.secretRef:LocalObjectReference 4.readOnly:bool 5.options:map:string
        CinderVolumeSource 1*volumeID!:string 2.fsType:string 3.readOnly:bool 4.secretRef:LocalObjectReference
        CephFSVolumeSource 1.monitors!:[]string 2.path:string 3.user:string 4.secretFile:string 5.secretRef:LocalObjectReference 6.readOnly:bool
        FlockerVolumeSource 1.datasetName:string 2.datasetUUID:string
        DownwardAPIVolumeSource 1.items:[]DownwardAPIVolumeFile 2*defaultMode:int32
        FCVolumeSource 1.targetWWNs:[]string 2*lun:int32 3.fsType:string 4.readOnly:bool 5.wwids:[]string
        AzureFileVolumeSource 1*secretName!:string 2*shareName!:string 3.readOnly:bool
        ConfigMapVolumeSource 1/1.name:string 2.items:[]KeyToPath 3*defaultMode:int32 4*optional:bool
        VsphereVirtualDiskVolumeSource 1*volumePath!:string 2.fsType:string 3.storagePolicyName:string 4.storagePolicyID:string
        QuobyteVolumeSource 1*registry!:string 2*volume!:string 3.readOnly:bool 4.user:string 5.group:string 6.tenant:string
        AzureDiskVolumeSource 1*diskName!:string 2*diskURI!:string 3*cachingMode:string{None,ReadOnly,ReadWrite} 4*fsType:string 5*readOnly:bool 6*kind:string{Dedicated,Managed,Shared}
        PhotonPersistentDiskVolumeSource 1*pdID!:string 2.fsType:string
        ProjectedVolumeSource 1.sources:[]VolumeProjection 2*defaultMode:int32
        PortworxVolumeSource 1*volumeID!:string 2.fsType:string 3.readOnly:bool
        ScaleIOVolumeSource 1*gateway!:string 2*system!:string 3.secretRef!:LocalObjectReference 4.sslEnabled:bool 5.protectionDomain:string 6.storagePool:string 7.storageMode:string 8.volumeName:string 9.fsType:string 10.readOnly:bool
        StorageOSVolumeSource 1.volumeName:string 2.volumeNamespace:string 3.fsType:string 4.readOnly:bool 5.secretRef:LocalObjectReference
        CSIVolumeSource 1*driver!:string 2*readOnly:bool 3*fsType:string 4.volumeAttributes:map:string 5.nodePublishSecretRef:LocalObjectReference
        EphemeralVolumeSource 1.volumeClaimTemplate:PersistentVolumeClaimTemplate
        ImageVolumeSource 1.reference:string 2.pullPolicy:string{Always,IfNotPresent,Never}
        ContainerPort 1.name:string 2.hostPort:int32 3*containerPort!:int32 4.protocol:string{SCTP,TCP,UDP} 5.hostIP:string
        EnvFromSource 1.prefix:string 2.configMapRef:ConfigMapEnvSource 3.secretRef:SecretEnvSource
        EnvVar 1*name!:string 2.value:string 3.valueFrom:EnvVarSource
        ContainerResizePolicy 1*resourceName!:string 2*restartPolicy!:string
        ContainerRestartRule 1.action:string 2.exitCodes:ContainerRestartRuleOnExitCodes
        VolumeMount 1*name!:string 2.readOnly:bool 7*recursiveReadOnly:string 3*mountPath!:string 4.subPath:string 5*mountPropagation:string{Bidirectional,HostToContainer,None} 6.subPathExpr:string
        VolumeDevice 1*name!:string 2*devicePath!:string
        Probe 1/1.exec:ExecAction 1/2.httpGet:HTTPGetAction 1/3.tcpSocket:TCPSocketAction 1/4.grpc:GRPCAction 2.initialDelaySeconds:int32 3.timeoutSeconds:int32 4.periodSeconds:int32 5.successThreshold:int32 6.failureThreshold:int32 7*terminationGracePeriodSeconds:int64
        Lifecycle 1.postStart:LifecycleHandler 2.preStop:LifecycleHandler 3*stopSignal:string{SIGABRT,SIGALRM,SIGBUS,SIGCHLD,SIGCLD,SIGCONT,SIGFPE,SIGHUP,SIGILL,SIGINT,SIGIO,SIGIOT,SIGKILL,SIGPIPE,SIGPOLL,SIGPROF,SIGPWR,SIGQUIT,SIGRTMAX,SIGRTMAX-1,SIGRTMAX-10,SIGRTMAX-11,SIGRTMAX-12,SIGRTMAX-13,SIGRTMAX-14,SIGRTMAX-2,SIGRTMAX-3,SIGRTMAX-4,SIGRTMAX-5,SIGRTMAX-6,SIGRTMAX-7,SIGRTMAX-8,SIGRTMAX-9,SIGRTMIN,SIGRTMIN+1,SIGRTMIN+10,SIGRTMIN+11,SIGRTMIN+12,SIGRTMIN+13,SIGRTMIN+14,SIGRTMIN+15,SIGRTMIN+2,SIGRTMIN+3,SIGRTMIN+4,SIGRTMIN+5,SIGRTMIN+6,SIGRTMIN+7,SIGRTMIN+8,SIGRTMIN+9,SIGSEGV,SIGSTKFLT,SIGSTOP,SIGSYS,SIGTERM,SIGTRAP,SIGTSTP,SIGTTIN,SIGTTOU,SIGURG,SIGUSR1,SIGUSR2,SIGVTALRM,SIGWINCH,SIGXCPU,SIGXFSZ}
        SecurityContext 1.capabilities:Capabilities 2*privileged:bool 3.seLinuxOptions:SELinuxOptions 10.windowsOptions:WindowsSecurityContextOptions 4*runAsUser:int64 8*runAsGroup:int64 5*runAsNonRoot:bool 6*readOnlyRootFilesystem:bool 7*allowPrivilegeEscalation:bool 9*procMount:string{Default,Unmasked} 11.seccompProfile:SeccompProfile 12.appArmorProfile:AppArmorProfile
        SELinuxOptions 1.user:string 2.role:string 3.type:string 4.level:string
        WindowsSecurityContextOptions 1*gmsaCredentialSpecName:string 2*gmsaCredentialSpec:string 3*runAsUserName:string 4*hostProcess:bool
        Sysctl 1*name!:string 2*value!:string
        SeccompProfile 1*type!:string{Localhost,RuntimeDefault,Unconfined} 2*localhostProfile:string
        AppArmorProfile 1*type!:string{Localhost,RuntimeDefault,Unconfined} 2*localhostProfile:string
        NodeAffinity 1.requiredDuringSchedulingIgnoredDuringExecution:NodeSelector 2.preferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm
        PodAffinity 1.requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm 2.preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
        PodAntiAffinity 1.requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm 2.preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
        PodDNSConfigOption 1.name:string 2*value:string
        ResourceClaim 1*name!:string 2.request:string
        ContainerState 1.waiting:ContainerStateWaiting 2.running:ContainerStateRunning 3.terminated:ContainerStateTerminated
        VolumeMountStatus 1*name!:string 2*mountPath!:string 3.readOnly:bool 4*recursiveReadOnly:string
        ContainerUser 1.linux:LinuxContainerUser
        ResourceStatus 1*name!:string 2.resources:[]ResourceHealth
        ContainerExtendedResourceRequest 1*containerName!:string 2*resourceName!:string 3*requestName!:string
        KeyToPath 1*key!:string 2*path!:string 3*mode:int32
        DownwardAPIVolumeFile 1*path!:string 2.fieldRef:ObjectFieldSelector 3.resourceFieldRef:ResourceFieldSelector 4*mode:int32
        VolumeProjection 1.secret:SecretProjection 2.downwardAPI:DownwardAPIProjection 3.configMap:ConfigMapProjection 4.serviceAccountToken:ServiceAccountTokenProjection 5.clusterTrustBundle:ClusterTrustBundleProjection 6.podCertificate:PodCertificateProjection
        PersistentVolumeClaimTemplate 1.metadata:ObjectMeta 2.spec!:PersistentVolumeClaimSpec
        ConfigMapEnvSource 1/1.name:string 2*optional:bool
        SecretEnvSource 1/1.name:string 2*optional:bool
        EnvVarSource 1.fieldRef:ObjectFieldSelector 2.resourceFieldRef:ResourceFieldSelector 3.configMapKeyRef:ConfigMapKeySelector 4.secretKeyRef:SecretKeySelector 5.fileKeyRef:FileKeySelector
        ContainerRestartRuleOnExitCodes 1.operator:string 2.values:[]int32
        ExecAction 1.command:[]string
        HTTPGetAction 1.path:string 2.port!:intstr 3.host:string 4.scheme:string{HTTP,HTTPS} 5.httpHeaders:[]HTTPHeader
        TCPSocketAction 1.port!:intstr 2.host:string
        GRPCAction 1*port!:int32 2*service:string
        LifecycleHandler 1.exec:ExecAction 2.httpGet:HTTPGetAction 3.tcpSocket:TCPSocketAction 4.sleep:SleepAction
        Capabilities 1.add:[]string 2.drop:[]string
        NodeSelector 1.nodeSelectorTerms!:[]NodeSelectorTerm
        PreferredSchedulingTerm 1*weight!:int32 2.preference!:NodeSelectorTerm
        PodAffinityTerm 1.labelSelector:LabelSelector 2.namespaces:[]string 3*topologyKey!:string 4.namespaceSelector:LabelSelector 5.matchLabelKeys:[]string 6.mismatchLabelKeys:[]string
        WeightedPodAffinityTerm 1*weight!:int32 2.podAffinityTerm!:PodAffinityTerm
        ContainerStateWaiting 1.reason:string 2.message:string
        ContainerStateRunning 1.startedAt:time
        ContainerStateTerminated 1*exitCode!:int32 2.signal:int32 3.reason:string 4.message:string 5.startedAt:time 6.finishedAt:time 7.containerID:string
        LinuxContainerUser 1*uid!:int64 2*gid!:int64 3.supplementalGroups:[]int64
        ResourceHealth 1*resourceID!:string 2.health:string
        ObjectFieldSelector 1.apiVersion:string 2*fieldPath!:string
        ResourceFieldSelector 1.containerName:string 2*resource!:string 3.divisor:quantity
        SecretProjection 1/1.name:string 2.items:[]KeyToPath 4*optional:bool
        DownwardAPIProjection 1.items:[]DownwardAPIVolumeFile
        ConfigMapProjection 1/1.name:string 2.items:[]KeyToPath 4*optional:bool
        ServiceAccountTokenProjection 1.audience:string 2*expirationSeconds:int64 3*path!:string
        ClusterTrustBundleProjection 1*name:string 2*signerName:string 3.labelSelector:LabelSelector 5*optional:bool 4*path!:string
        PodCertificateProjection 1.signerName:string 2.keyType:string 3*maxExpirationSeconds:int32 4.credentialBundlePath:string 5.keyPath:string 6.certificateChainPath:string
        ConfigMapKeySelector 1/1.name:string 2*key!:string 3*optional:bool
        SecretKeySelector 1/1.name:string 2*key!:string 3*optional:bool
        FileKeySelector 1*volumeName!:string 2*path!:string 3*key!:string 4*optional:bool
        HTTPHeader 1*name!:string 2*value!:string
        SleepAction 1*seconds!:int64
        NodeSelectorTerm 1.matchExpressions:[]NodeSelectorRequirement 2.matchFields:[]NodeSelectorRequirement
        NodeSelectorRequirement 1*key!:string 2*operator!:string{DoesNotExist,Exists,Gt,In,Lt,NotIn} 3.values:[]string
        =Binding 2.target!:ObjectReference
        =PodTemplate 2.template:PodTemplateSpec
        PodTemplateSpec 1.metadata:ObjectMeta 2.spec:PodSpec
        =ReplicationController 2.spec:ReplicationControllerSpec 3.status:ReplicationControllerStatus
        ReplicationControllerSpec 1*replicas:int32 4.minReadySeconds:int32 2.selector:map:string 3.template:PodTemplateSpec
        ReplicationControllerStatus 1*replicas!:int32 2.fullyLabeledReplicas:int32 4.readyReplicas:int32 5.availableReplicas:int32 3.observedGeneration:int64 6.conditions:[]ReplicationControllerCondition
        ReplicationControllerCondition 1*type!:string 2*status!:string 3.lastTransitionTime:time 4.reason:string 5.message:string
        =ResourceQuota 2.spec:ResourceQuotaSpec 3.status:ResourceQuotaStatus
        ResourceQuotaSpec 1.hard:map:quantity 2.scopes:[]string{BestEffort,CrossNamespacePodAffinity,NotBestEffort,NotTerminating,PriorityClass,Terminating,VolumeAttributesClass} 3.scopeSelector:ScopeSelector
        ResourceQuotaStatus 1.hard:map:quantity 2.used:map:quantity
        ScopeSelector 1.matchExpressions:[]ScopedResourceSelectorRequirement
        ScopedResourceSelectorRequirement 1*scopeName!:string{BestEffort,CrossNamespacePodAffinity,NotBestEffort,NotTerminating,PriorityClass,Terminating,VolumeAttributesClass} 2*operator!:string{DoesNotExist,Exists,In,NotIn} 3.values:[]string
        =LimitRange 2.spec:LimitRangeSpec
        LimitRangeSpec 1.limits!:[]LimitRangeItem
        LimitRangeItem 1*type!:string 2.max:map:quantity 3.min:map:quantity 4.default:map:quantity 5.defaultRequest:map:quantity 6.maxLimitRequestRatio:map:quantity
        =PersistentVolume 2.spec:PersistentVolumeSpec 3.status:PersistentVolumeStatus
        PersistentVolumeSpec 1.capacity:map:quantity 2/1.gcePersistentDisk:GCEPersistentDiskVolumeSource 2/2.awsElasticBlockStore:AWSElasticBlockStoreVolumeSource 2/3.hostPath:HostPathVolumeSource 2/4.glusterfs:GlusterfsPersistentVolumeSource 2/5.nfs:NFSVolumeSource 2/6.rbd:RBDPersistentVolumeSource 2/7.iscsi:ISCSIPersistentVolumeSource 2/8.cinder:CinderPersistentVolumeSource 2/9.cephfs:CephFSPersistentVolumeSource 2/10.fc:FCVolumeSource 2/11.flocker:FlockerVolumeSource 2/12.flexVolume:FlexPersistentVolumeSource 2/13.azureFile:AzureFilePersistentVolumeSource 2/14.vsphereVolume:VsphereVirtualDiskVolumeSource 2/15.quobyte:QuobyteVolumeSource 2/16.azureDisk:AzureDiskVolumeSource 2/17.photonPersistentDisk:PhotonPersistentDiskVolumeSource 2/18.portworxVolume:PortworxVolumeSource 2/19.scaleIO:ScaleIOPersistentVolumeSource 2/20.local:LocalVolumeSource 2/21.storageos:StorageOSPersistentVolumeSource 2/22.csi:CSIPersistentVolumeSource 3.accessModes:[]string 4.claimRef:ObjectReference 5.persistentVolumeReclaimPolicy:string 6.storageClassName:string 7.mountOptions:[]string 8*volumeMode:string 9.nodeAffinity:VolumeNodeAffinity 10*volumeAttributesClassName:string
        PersistentVolumeStatus 1.phase:string 2.message:string 3.reason:string 4.lastPhaseTransitionTime:time
        GlusterfsPersistentVolumeSource 1*endpoints!:string 2*path!:string 3.readOnly:bool 4*endpointsNamespace:string
        RBDPersistentVolumeSource 1.monitors!:[]string 2*image!:string 3.fsType:string 4.pool:string 5.user:string 6.keyring:string 7.secretRef:SecretReference 8.readOnly:bool
        ISCSIPersistentVolumeSource 1*targetPortal!:string 2*iqn!:string 3*lun!:int32 4.iscsiInterface:string 5.fsType:string 6.readOnly:bool 7.portals:[]string 8.chapAuthDiscovery:bool 11.chapAuthSession:bool 10.secretRef:SecretReference 12*initiatorName:string
        CinderPersistentVolumeSource 1*volumeID!:string 2.fsType:string 3.readOnly:bool 4.secretRef:SecretReference
        CephFSPersistentVolumeSource 1.monitors!:[]string 2.path:string 3.user:string 4.secretFile:string 5.secretRef:SecretReference 6.readOnly:bool
        FlexPersistentVolumeSource 1*driver!:string 2.fsType:string 3.secretRef:SecretReference 4.readOnly:bool 5.options:map:string
        AzureFilePersistentVolumeSource 1*secretName!:string 2*shareName!:string 3.readOnly:bool 4*secretNamespace:string
        ScaleIOPersistentVolumeSource 1*gateway!:string 2*system!:string 3.secretRef:SecretReference 4.sslEnabled:bool 5.protectionDomain:string 6.storagePool:string 7.storageMode:string 8.volumeName:string 9.fsType:string 10.readOnly:bool
        LocalVolumeSource 1*path!:string 2*fsType:string
        StorageOSPersistentVolumeSource 1.volumeName:string 2.volumeNamespace:string 3.fsType:string 4.readOnly:bool 5.secretRef:ObjectReference
        CSIPersistentVolumeSource 1*driver!:string 2*volumeHandle!:string 3.readOnly:bool 4.fsType:string 5.volumeAttributes:map:string 6.controllerPublishSecretRef:SecretReference 7.nodeStageSecretRef:SecretReference 8.nodePublishSecretRef:SecretReference 9.controllerExpandSecretRef:SecretReference 10.nodeExpandSecretRef:SecretReference
        VolumeNodeAffinity 1.required:NodeSelector
        SecretReference 1.name:string 2.namespace:string
        """;
}
