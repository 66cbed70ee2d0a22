namespace Plumb.Api.Schema;

/// <inheritdoc cref="CoreTypes"/>
internal static class GroupTypes
{
    public const string Apps = """
        =Deployment 2.spec:DeploymentSpec 3.status:DeploymentStatus
        DeploymentSpec 1*replicas:int32 2.selector!:LabelSelector 3.template!:PodTemplateSpec 4.strategy:DeploymentStrategy 5.minReadySeconds:int32 6*revisionHistoryLimit:int32 7.paused:bool 9*progressDeadlineSeconds:int32
        DeploymentStatus 1.observedGeneration:int64 2.replicas:int32 3.updatedReplicas:int32 7.readyReplicas:int32 4.availableReplicas:int32 5.unavailableReplicas:int32 9*terminatingReplicas:int32 6.conditions:[]DeploymentCondition 8*collisionCount:int32
        DeploymentStrategy 1.type:string{Recreate,RollingUpdate} 2.rollingUpdate:RollingUpdateDeployment
        DeploymentCondition 1*type!:string 2*status!:string 6.lastUpdateTime:time 7.lastTransitionTime:time 4.reason:string 5.message:string
        RollingUpdateDeployment 1.maxUnavailable:intstr 2.maxSurge:intstr
        =ReplicaSet 2.spec:ReplicaSetSpec 3.status:ReplicaSetStatus
        ReplicaSetSpec 1*replicas:int32 4.minReadySeconds:int32 2.selector!:LabelSelector 3.template:PodTemplateSpec
        ReplicaSetStatus 1*replicas!:int32 2.fullyLabeledReplicas:int32 4.readyReplicas:int32 5.availableReplicas:int32 7*terminatingReplicas:int32 3.observedGeneration:int64 6.conditions:[]ReplicaSetCondition
        ReplicaSetCondition 1*type!:string 2*status!:string 3.lastTransitionTime:time 4.reason:string 5.message:string
        =DaemonSet 2.spec:DaemonSetSpec 3.status:DaemonSetStatus
        DaemonSetSpec 1.selector!:LabelSelector 2.template!:PodTemplateSpec 3.updateStrategy:DaemonSetUpdateStrategy 4.minReadySeconds:int32 6*revisionHistoryLimit:int32
        DaemonSetStatus 1*currentNumberScheduled!:int32 2*numberMisscheduled!:int32 3*desiredNumberScheduled!:int32 4*numberReady!:int32 5.observedGeneration:int64 6.updatedNumberScheduled:int32 7.numberAvailable:int32 8.numberUnavailable:int32 9*collisionCount:int32 10.conditions:[]DaemonSetCondition
        DaemonSetUpdateStrategy 1.type:string{OnDelete,RollingUpdate} 2.rollingUpdate:RollingUpdateDaemonSet
        DaemonSetCondition 1*type!:string 2*status!:string 3.lastTransitionTime:time 4.reason:string 5.message:string
        RollingUpdateDaemonSet 1.maxUnavailable:intstr 2.maxSurge:intstr
        =StatefulSet 2.spec:StatefulSetSpec 3.status:StatefulSetStatus
        StatefulSetSpec 1*replicas:int32 2.selector!:LabelSelector 3.template!:PodTemplateSpec 4.volumeClaimTemplates:[]PersistentVolumeClaim 5*serviceName:string 6.podManagementPolicy:string{OrderedReady,Parallel} 7.updateStrategy:StatefulSetUpdateStrategy 8*revisionHistoryLimit:int32 9.minReadySeconds:int32 10.persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy 11.ordinals:StatefulSetOrdinals
        StatefulSetStatus 1.observedGeneration:int64 2*replicas!:int32 3.readyReplicas:int32 4.currentReplicas:int32 5.updatedReplicas:int32 6.currentRevision:string 7.updateRevision:string 9*collisionCount:int32 10.conditions:[]StatefulSetCondition 11*availableReplicas:int32
        StatefulSetUpdateStrategy 1.type:string{OnDelete,RollingUpdate} 2.rollingUpdate:RollingUpdateStatefulSetStrategy
        StatefulSetPersistentVolumeClaimRetentionPolicy 1.whenDeleted:string 2.whenScaled:string
        StatefulSetOrdinals 1*start:int32
        StatefulSetCondition 1*type!:string 2*status!:string 3.lastTransitionTime:time 4.reason:string 5.message:string
        RollingUpdateStatefulSetStrategy 1*partition:int32 2.maxUnavailable:intstr
        =ControllerRevision 2.data:RawExtension 3*revision!:int64
        ~RawExtension
        """;

    public const string Batch = """
        =Job 2.spec:JobSpec 3.status:JobStatus
        JobSpec 1*parallelism:int32 2*completions:int32 3*activeDeadlineSeconds:int64 11.podFailurePolicy:PodFailurePolicy 16.successPolicy:SuccessPolicy 7*backoffLimit:int32 12*backoffLimitPerIndex:int32 13*maxFailedIndexes:int32 4.selector:LabelSelector 5*manualSelector:bool 6.template!:PodTemplateSpec 8*ttlSecondsAfterFinished:int32 9*completionMode:string{Indexed,NonIndexed} 10*suspend:bool 14*podReplacementPolicy:string{Failed,TerminatingOrFailed} 15*managedBy:string
        JobStatus 1.conditions:[]JobCondition 2.startTime:time 3.completionTime:time 4.active:int32 5.succeeded:int32 6.failed:int32 11*terminating:int32 7.completedIndexes:string 10*failedIndexes:string 8.uncountedTerminatedPods:UncountedTerminatedPods 9*ready:int32
        PodFailurePolicy 1.rules!:[]PodFailurePolicyRule
        SuccessPolicy 1.rules!:[]SuccessPolicyRule
        JobCondition 1*type!:string 2*status!:string 3.lastProbeTime:time 4.lastTransitionTime:time 5.reason:string 6.message:string
        UncountedTerminatedPods 1.succeeded:[]string 2.failed:[]string
        PodFailurePolicyRule 1*action!:string{Count,FailIndex,FailJob,Ignore} 2.onExitCodes:PodFailurePolicyOnExitCodesRequirement 3.onPodConditions:[]PodFailurePolicyOnPodConditionsPattern
        SuccessPolicyRule 1*succeededIndexes:string 2*succeededCount:int32
        PodFailurePolicyOnExitCodesRequirement 1*containerName:string 2*operator!:string{In,NotIn} 3.values!:[]int32
        PodFailurePolicyOnPodConditionsPattern 1*type!:string 2*status!:string
        =CronJob 2.spec:CronJobSpec 3.status:CronJobStatus
        CronJobSpec 1*schedule!:string 8*timeZone:string 2*startingDeadlineSeconds:int64 3.concurrencyPolicy:string{Allow,Forbid,Replace} 4*suspend:bool 5.jobTemplate!:JobTemplateSpec 6*successfulJobsHistoryLimit:int32 7*failedJobsHistoryLimit:int32
        CronJobStatus 1.active:[]ObjectReference 4.lastScheduleTime:time 5.lastSuccessfulTime:time
        JobTemplateSpec 1.metadata:ObjectMeta 2.spec:JobSpec
        """;

    public const string Networking = """
        =NetworkPolicy 2.spec:NetworkPolicySpec
        NetworkPolicySpec 1.podSelector:LabelSelector 2.ingress:[]NetworkPolicyIngressRule 3.egress:[]NetworkPolicyEgressRule 4.policyTypes:[]string{Egress,Ingress}
        NetworkPolicyIngressRule 1.ports:[]NetworkPolicyPort 2.from:[]NetworkPolicyPeer
        NetworkPolicyEgressRule 1.ports:[]NetworkPolicyPort 2.to:[]NetworkPolicyPeer
        NetworkPolicyPort 1*protocol:string{SCTP,TCP,UDP} 2.port:intstr 3*endPort:int32
        NetworkPolicyPeer 1.podSelector:LabelSelector 2.namespaceSelector:LabelSelector 3.ipBlock:IPBlock
        IPBlock 1*cidr!:string 2.except:[]string
        =Ingress 2.spec:IngressSpec 3.status:IngressStatus
        IngressSpec 4*ingressClassName:string 1.defaultBackend:IngressBackend 2.tls:[]IngressTLS 3.rules:[]IngressRule
        IngressStatus 1.loadBalancer:IngressLoadBalancerStatus
        IngressBackend 4.service:IngressServiceBackend 3.resource:TypedLocalObjectReference
        IngressTLS 1.hosts:[]string 2.secretName:string
        IngressRule 1.host:string 2/1.http:HTTPIngressRuleValue
        IngressLoadBalancerStatus 1.ingress:[]IngressLoadBalancerIngress
        IngressServiceBackend 1*name!:string 2.port:ServiceBackendPort
        HTTPIngressRuleValue 1.paths!:[]HTTPIngressPath
        IngressLoadBalancerIngress 1.ip:string 2.hostname:string 4.ports:[]IngressPortStatus
        ServiceBackendPort 1.name:string 2.number:int32
        HTTPIngressPath 1.path:string 3*pathType!:string 2.backend!:IngressBackend
        IngressPortStatus 1*port!:int32 2*protocol!:string{SCTP,TCP,UDP} 3*error:string
        =IngressClass 2.spec:IngressClassSpec
        IngressClassSpec 1.controller:string 2.parameters:IngressClassParametersReference
        IngressClassParametersReference 1*apiGroup:string 2*kind!:string 3*name!:string 4*scope:string 5*namespace:string
        =IPAddress 2.spec:IPAddressSpec
        IPAddressSpec 1.parentRef:ParentReference
        ParentReference 1.group:string 2.resource:string 3.namespace:string 4.name:string
        =ServiceCIDR 2.spec:ServiceCIDRSpec 3.status:ServiceCIDRStatus
        ServiceCIDRSpec 1.cidrs:[]string
        ServiceCIDRStatus 1.conditions:[]Condition
        """;

    public const string Discovery = """
        =EndpointSlice 4*addressType!:string 2.endpoints!:[]Endpoint 3.ports:[]EndpointPort
        Endpoint 1.addresses!:[]string 2.conditions:EndpointConditions 3*hostname:string 4.targetRef:ObjectReference 5.deprecatedTopology:map:string 6*nodeName:string 7*zone:string 8.hints:EndpointHints
        EndpointPort 1*name:string 2*protocol:string{SCTP,TCP,UDP} 3*port:int32 4*appProtocol:string
        EndpointConditions 1*ready:bool 2*serving:bool 3*terminating:bool
        EndpointHints 1.forZones:[]ForZone 2.forNodes:[]ForNode
        ForZone 1*name!:string
        ForNode 1*name!:string
        """;

    public const string Coordination = """
        =Lease 2.spec:LeaseSpec
        LeaseSpec 1*holderIdentity:string 2*leaseDurationSeconds:int32 3.acquireTime:micro 4.renewTime:micro 5*leaseTransitions:int32 6*strategy:string 7*preferredHolder:string
        """;

    public const string Events = """
        =Event 2.eventTime!:micro 3.series:EventSeries 4.reportingController:string 5.reportingInstance:string 6.action:string 7.reason:string 8.regarding:ObjectReference 9.related:ObjectReference 10.note:string 11.type:string 12.deprecatedSource:EventSource 13.deprecatedFirstTimestamp:time 14.deprecatedLastTimestamp:time 15.deprecatedCount:int32
        EventSeries 1*count!:int32 2.lastObservedTime!:micro
        """;

    public const string Policy = """
        =PodDisruptionBudget 2.spec:PodDisruptionBudgetSpec 3.status:PodDisruptionBudgetStatus
        PodDisruptionBudgetSpec 1.minAvailable:intstr 2.selector:LabelSelector 3.maxUnavailable:intstr 4*unhealthyPodEvictionPolicy:string{AlwaysAllow,IfHealthyBudget}
        PodDisruptionBudgetStatus 1.observedGeneration:int64 2.disruptedPods:map:time 3*disruptionsAllowed!:int32 4*currentHealthy!:int32 5*desiredHealthy!:int32 6*expectedPods!:int32 7.conditions:[]Condition
        =Eviction 2.deleteOptions:DeleteOptions
        """;

    public const string Rbac = """
        =Role 2.rules:[]PolicyRule
        PolicyRule 1.verbs!:[]string 2.apiGroups:[]string 3.resources:[]string 4.resourceNames:[]string 5.nonResourceURLs:[]string
        =ClusterRole 2.rules:[]PolicyRule 3.aggregationRule:AggregationRule
        AggregationRule 1.clusterRoleSelectors:[]LabelSelector
        =RoleBinding 2.subjects:[]Subject 3.roleRef!:RoleRef
        Subject 1*kind!:string 2.apiGroup:string 3*name!:string 4.namespace:string
        RoleRef 1*apiGroup!:string 2*kind!:string 3*name!:string
        =ClusterRoleBinding 2.subjects:[]Subject 3.roleRef!:RoleRef
        """;

    public const string Scheduling = """
        =PriorityClass 2*value!:int32 3.globalDefault:bool 4.description:string 5*preemptionPolicy:string{Never,PreemptLowerPriority}
        """;

    public const string Autoscaling = """
        =HorizontalPodAutoscaler 2.spec:HorizontalPodAutoscalerSpec 3.status:HorizontalPodAutoscalerStatus
        HorizontalPodAutoscalerSpec 1.scaleTargetRef!:CrossVersionObjectReference 2*minReplicas:int32 3*maxReplicas!:int32 4.metrics:[]MetricSpec 5.behavior:HorizontalPodAutoscalerBehavior
        HorizontalPodAutoscalerStatus 1*observedGeneration:int64 2.lastScaleTime:time 3.currentReplicas:int32 4*desiredReplicas!:int32 5.currentMetrics:[]MetricStatus 6.conditions:[]HorizontalPodAutoscalerCondition
        CrossVersionObjectReference 1*kind!:string 2*name!:string 3.apiVersion:string
        MetricSpec 1*type!:string 2.object:ObjectMetricSource 3.pods:PodsMetricSource 4.resource:ResourceMetricSource 7.containerResource:ContainerResourceMetricSource 5.external:ExternalMetricSource
        HorizontalPodAutoscalerBehavior 1.scaleUp:HPAScalingRules 2.scaleDown:HPAScalingRules
        MetricStatus 1*type!:string 2.object:ObjectMetricStatus 3.pods:PodsMetricStatus 4.resource:ResourceMetricStatus 7.containerResource:ContainerResourceMetricStatus 5.external:ExternalMetricStatus
        HorizontalPodAutoscalerCondition 1*type!:string 2*status!:string 3.lastTransitionTime:time 4.reason:string 5.message:string
        ObjectMetricSource 1.describedObject!:CrossVersionObjectReference 2.target!:MetricTarget 3.metric!:MetricIdentifier
        PodsMetricSource 1.metric!:MetricIdentifier 2.target!:MetricTarget
        ResourceMetricSource 1*name!:string 2.target!:MetricTarget
        ContainerResourceMetricSource 1*name!:string 2.target!:MetricTarget 3*container!:string
        ExternalMetricSource 1.metric!:MetricIdentifier 2.target!:MetricTarget
        HPAScalingRules 3*stabilizationWindowSeconds:int32 1*selectPolicy:string 2.policies:[]HPAScalingPolicy 4.tolerance:quantity
        ObjectMetricStatus 1.metric!:MetricIdentifier 2.current!:MetricValueStatus 3.describedObject!:CrossVersionObjectReference
        PodsMetricStatus 1.metric!:MetricIdentifier 2.current!:MetricValueStatus
        ResourceMetricStatus 1*name!:string 2.current!:MetricValueStatus
        ContainerResourceMetricStatus 1*name!:string 2.current!:MetricValueStatus 3*container!:string
        ExternalMetricStatus 1.metric!:MetricIdentifier 2.current!:MetricValueStatus
        MetricTarget 1*type!:string 2.value:quantity 3.averageValue:quantity 4*averageUtilization:int32
        MetricIdentifier 1*name!:string 2.selector:LabelSelector
        HPAScalingPolicy 1*type!:string 2*value!:int32 3*periodSeconds!:int32
        MetricValueStatus 1.value:quantity 2.averageValue:quantity 3*averageUtilization:int32
        """;
}
