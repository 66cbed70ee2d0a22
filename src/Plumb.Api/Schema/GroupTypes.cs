namespace Plumb.Api.Schema;

/// <inheritdoc cref="CoreTypes"/>
internal static class GroupTypes
{
    public const string Apps = """
        =Deployment spec:DeploymentSpec status:DeploymentStatus
        DeploymentSpec replicas:int32 selector!:LabelSelector template!:PodTemplateSpec strategy:DeploymentStrategy minReadySeconds:int32 revisionHistoryLimit:int32 paused:bool progressDeadlineSeconds:int32
        DeploymentStatus observedGeneration:int64 replicas:int32 updatedReplicas:int32 readyReplicas:int32 availableReplicas:int32 unavailableReplicas:int32 terminatingReplicas:int32 conditions:[]DeploymentCondition collisionCount:int32
        DeploymentStrategy type:string{Recreate,RollingUpdate} rollingUpdate:RollingUpdateDeployment
        DeploymentCondition type!:string status!:string lastUpdateTime:time lastTransitionTime:time reason:string message:string
        RollingUpdateDeployment maxUnavailable:intstr maxSurge:intstr
        =ReplicaSet spec:ReplicaSetSpec status:ReplicaSetStatus
        ReplicaSetSpec replicas:int32 minReadySeconds:int32 selector!:LabelSelector template:PodTemplateSpec
        ReplicaSetStatus replicas!:int32 fullyLabeledReplicas:int32 readyReplicas:int32 availableReplicas:int32 terminatingReplicas:int32 observedGeneration:int64 conditions:[]ReplicaSetCondition
        ReplicaSetCondition type!:string status!:string lastTransitionTime:time reason:string message:string
        =DaemonSet spec:DaemonSetSpec status:DaemonSetStatus
        DaemonSetSpec selector!:LabelSelector template!:PodTemplateSpec updateStrategy:DaemonSetUpdateStrategy minReadySeconds:int32 revisionHistoryLimit:int32
        DaemonSetStatus currentNumberScheduled!:int32 numberMisscheduled!:int32 desiredNumberScheduled!:int32 numberReady!:int32 observedGeneration:int64 updatedNumberScheduled:int32 numberAvailable:int32 numberUnavailable:int32 collisionCount:int32 conditions:[]DaemonSetCondition
        DaemonSetUpdateStrategy type:string{OnDelete,RollingUpdate} rollingUpdate:RollingUpdateDaemonSet
        DaemonSetCondition type!:string status!:string lastTransitionTime:time reason:string message:string
        RollingUpdateDaemonSet maxUnavailable:intstr maxSurge:intstr
        =StatefulSet spec:StatefulSetSpec status:StatefulSetStatus
        StatefulSetSpec replicas:int32 selector!:LabelSelector template!:PodTemplateSpec volumeClaimTemplates:[]PersistentVolumeClaim serviceName:string podManagementPolicy:string{OrderedReady,Parallel} updateStrategy:StatefulSetUpdateStrategy revisionHistoryLimit:int32 minReadySeconds:int32 persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy ordinals:StatefulSetOrdinals
        StatefulSetStatus observedGeneration:int64 replicas!:int32 readyReplicas:int32 currentReplicas:int32 updatedReplicas:int32 currentRevision:string updateRevision:string collisionCount:int32 conditions:[]StatefulSetCondition availableReplicas:int32
        StatefulSetUpdateStrategy type:string{OnDelete,RollingUpdate} rollingUpdate:RollingUpdateStatefulSetStrategy
        StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:string whenScaled:string
        StatefulSetOrdinals start:int32
        StatefulSetCondition type!:string status!:string lastTransitionTime:time reason:string message:string
        RollingUpdateStatefulSetStrategy partition:int32 maxUnavailable:intstr
        =ControllerRevision data:RawExtension revision!:int64
        ~RawExtension
        """;

    public const string Batch = """
        =Job spec:JobSpec status:JobStatus
        JobSpec parallelism:int32 completions:int32 activeDeadlineSeconds:int64 podFailurePolicy:PodFailurePolicy successPolicy:SuccessPolicy backoffLimit:int32 backoffLimitPerIndex:int32 maxFailedIndexes:int32 selector:LabelSelector manualSelector:bool template!:PodTemplateSpec ttlSecondsAfterFinished:int32 completionMode:string{Indexed,NonIndexed} suspend:bool podReplacementPolicy:string{Failed,TerminatingOrFailed} managedBy:string
        JobStatus conditions:[]JobCondition startTime:time completionTime:time active:int32 succeeded:int32 failed:int32 terminating:int32 completedIndexes:string failedIndexes:string uncountedTerminatedPods:UncountedTerminatedPods ready:int32
        PodFailurePolicy rules!:[]PodFailurePolicyRule
        SuccessPolicy rules!:[]SuccessPolicyRule
        JobCondition type!:string status!:string lastProbeTime:time lastTransitionTime:time reason:string message:string
        UncountedTerminatedPods succeeded:[]string failed:[]string
        PodFailurePolicyRule action!:string{Count,FailIndex,FailJob,Ignore} onExitCodes:PodFailurePolicyOnExitCodesRequirement onPodConditions:[]PodFailurePolicyOnPodConditionsPattern
        SuccessPolicyRule succeededIndexes:string succeededCount:int32
        PodFailurePolicyOnExitCodesRequirement containerName:string operator!:string{In,NotIn} values!:[]int32
        PodFailurePolicyOnPodConditionsPattern type!:string status!:string
        =CronJob spec:CronJobSpec status:CronJobStatus
        CronJobSpec schedule!:string timeZone:string startingDeadlineSeconds:int64 concurrencyPolicy:string{Allow,Forbid,Replace} suspend:bool jobTemplate!:JobTemplateSpec successfulJobsHistoryLimit:int32 failedJobsHistoryLimit:int32
        CronJobStatus active:[]ObjectReference lastScheduleTime:time lastSuccessfulTime:time
        JobTemplateSpec metadata:ObjectMeta spec:JobSpec
        """;

    public const string Networking = """
        =NetworkPolicy spec:NetworkPolicySpec
        NetworkPolicySpec podSelector:LabelSelector ingress:[]NetworkPolicyIngressRule egress:[]NetworkPolicyEgressRule policyTypes:[]string{Egress,Ingress}
        NetworkPolicyIngressRule ports:[]NetworkPolicyPort from:[]NetworkPolicyPeer
        NetworkPolicyEgressRule ports:[]NetworkPolicyPort to:[]NetworkPolicyPeer
        NetworkPolicyPort protocol:string{SCTP,TCP,UDP} port:intstr endPort:int32
        NetworkPolicyPeer podSelector:LabelSelector namespaceSelector:LabelSelector ipBlock:IPBlock
        IPBlock cidr!:string except:[]string
        =Ingress spec:IngressSpec status:IngressStatus
        IngressSpec ingressClassName:string defaultBackend:IngressBackend tls:[]IngressTLS rules:[]IngressRule
        IngressStatus loadBalancer:IngressLoadBalancerStatus
        IngressBackend service:IngressServiceBackend resource:TypedLocalObjectReference
        IngressTLS hosts:[]string secretName:string
        IngressRule host:string http:HTTPIngressRuleValue
        IngressLoadBalancerStatus ingress:[]IngressLoadBalancerIngress
        IngressServiceBackend name!:string port:ServiceBackendPort
        HTTPIngressRuleValue paths!:[]HTTPIngressPath
        IngressLoadBalancerIngress ip:string hostname:string ports:[]IngressPortStatus
        ServiceBackendPort name:string number:int32
        HTTPIngressPath path:string pathType!:string backend!:IngressBackend
        IngressPortStatus port!:int32 protocol!:string{SCTP,TCP,UDP} error:string
        =IngressClass spec:IngressClassSpec
        IngressClassSpec controller:string parameters:IngressClassParametersReference
        IngressClassParametersReference apiGroup:string kind!:string name!:string scope:string namespace:string
        =IPAddress spec:IPAddressSpec
        IPAddressSpec parentRef:ParentReference
        ParentReference group:string resource:string namespace:string name:string
        =ServiceCIDR spec:ServiceCIDRSpec status:ServiceCIDRStatus
        ServiceCIDRSpec cidrs:[]string
        ServiceCIDRStatus conditions:[]Condition
        """;

    public const string Discovery = """
        =EndpointSlice addressType!:string endpoints!:[]Endpoint ports:[]EndpointPort
        Endpoint addresses!:[]string conditions:EndpointConditions hostname:string targetRef:ObjectReference deprecatedTopology:map:string nodeName:string zone:string hints:EndpointHints
        EndpointPort name:string protocol:string{SCTP,TCP,UDP} port:int32 appProtocol:string
        EndpointConditions ready:bool serving:bool terminating:bool
        EndpointHints forZones:[]ForZone forNodes:[]ForNode
        ForZone name!:string
        ForNode name!:string
        """;

    public const string Coordination = """
        =Lease spec:LeaseSpec
        LeaseSpec holderIdentity:string leaseDurationSeconds:int32 acquireTime:micro renewTime:micro leaseTransitions:int32 strategy:string preferredHolder:string
        """;

    public const string Events = """
        =Event eventTime!:micro series:EventSeries reportingController:string reportingInstance:string action:string reason:string regarding:ObjectReference related:ObjectReference note:string type:string deprecatedSource:EventSource deprecatedFirstTimestamp:time deprecatedLastTimestamp:time deprecatedCount:int32
        EventSeries count!:int32 lastObservedTime!:micro
        """;

    public const string Policy = """
        =PodDisruptionBudget spec:PodDisruptionBudgetSpec status:PodDisruptionBudgetStatus
        PodDisruptionBudgetSpec minAvailable:intstr selector:LabelSelector maxUnavailable:intstr unhealthyPodEvictionPolicy:string{AlwaysAllow,IfHealthyBudget}
        PodDisruptionBudgetStatus observedGeneration:int64 disruptedPods:map:time disruptionsAllowed!:int32 currentHealthy!:int32 desiredHealthy!:int32 expectedPods!:int32 conditions:[]Condition
        =Eviction deleteOptions:DeleteOptions
        """;

    public const string Rbac = """
        =Role rules:[]PolicyRule
        PolicyRule verbs!:[]string apiGroups:[]string resources:[]string resourceNames:[]string nonResourceURLs:[]string
        =ClusterRole rules:[]PolicyRule aggregationRule:AggregationRule
        AggregationRule clusterRoleSelectors:[]LabelSelector
        =RoleBinding subjects:[]Subject roleRef!:RoleRef
        Subject kind!:string apiGroup:string name!:string namespace:string
        RoleRef apiGroup!:string kind!:string name!:string
        =ClusterRoleBinding subjects:[]Subject roleRef!:RoleRef
        """;

    public const string Scheduling = """
        =PriorityClass value!:int32 globalDefault:bool description:string preemptionPolicy:string{Never,PreemptLowerPriority}
        """;

    public const string Autoscaling = """
        =HorizontalPodAutoscaler spec:HorizontalPodAutoscalerSpec status:HorizontalPodAutoscalerStatus
        HorizontalPodAutoscalerSpec scaleTargetRef!:CrossVersionObjectReference minReplicas:int32 maxReplicas!:int32 metrics:[]MetricSpec behavior:HorizontalPodAutoscalerBehavior
        HorizontalPodAutoscalerStatus observedGeneration:int64 lastScaleTime:time currentReplicas:int32 desiredReplicas!:int32 currentMetrics:[]MetricStatus conditions:[]HorizontalPodAutoscalerCondition
        CrossVersionObjectReference kind!:string name!:string apiVersion:string
        MetricSpec type!:string object:ObjectMetricSource pods:PodsMetricSource resource:ResourceMetricSource containerResource:ContainerResourceMetricSource external:ExternalMetricSource
        HorizontalPodAutoscalerBehavior scaleUp:HPAScalingRules scaleDown:HPAScalingRules
        MetricStatus type!:string object:ObjectMetricStatus pods:PodsMetricStatus resource:ResourceMetricStatus containerResource:ContainerResourceMetricStatus external:ExternalMetricStatus
        HorizontalPodAutoscalerCondition type!:string status!:string lastTransitionTime:time reason:string message:string
        ObjectMetricSource describedObject!:CrossVersionObjectReference target!:MetricTarget metric!:MetricIdentifier
        PodsMetricSource metric!:MetricIdentifier target!:MetricTarget
        ResourceMetricSource name!:string target!:MetricTarget
        ContainerResourceMetricSource name!:string target!:MetricTarget container!:string
        ExternalMetricSource metric!:MetricIdentifier target!:MetricTarget
        HPAScalingRules stabilizationWindowSeconds:int32 selectPolicy:string policies:[]HPAScalingPolicy tolerance:quantity
        ObjectMetricStatus metric!:MetricIdentifier current!:MetricValueStatus describedObject!:CrossVersionObjectReference
        PodsMetricStatus metric!:MetricIdentifier current!:MetricValueStatus
        ResourceMetricStatus name!:string current!:MetricValueStatus
        ContainerResourceMetricStatus name!:string current!:MetricValueStatus container!:string
        ExternalMetricStatus metric!:MetricIdentifier current!:MetricValueStatus
        MetricTarget type!:string value:quantity averageValue:quantity averageUtilization:int32
        MetricIdentifier name!:string selector:LabelSelector
        HPAScalingPolicy type!:string value!:int32 periodSeconds!:int32
        MetricValueStatus value:quantity averageValue:quantity averageUtilization:int32
        """;
}
