namespace Plumb.Api.Schema;

/// <inheritdoc cref="CoreTypes"/>
internal static class GroupTypes
{
    public const string Apps = """
        =Deployment spec:DeploymentSpec status:DeploymentStatus
        DeploymentSpec replicas:int32 selector:LabelSelector template:PodTemplateSpec strategy:DeploymentStrategy minReadySeconds:int32 revisionHistoryLimit:int32 paused:bool progressDeadlineSeconds:int32
        DeploymentStrategy type:string rollingUpdate:RollingUpdateDeployment
        RollingUpdateDeployment maxUnavailable:intstr maxSurge:intstr
        DeploymentStatus observedGeneration:int64 replicas:int32 updatedReplicas:int32 readyReplicas:int32 availableReplicas:int32 unavailableReplicas:int32 terminatingReplicas:int32 conditions:[]DeploymentCondition collisionCount:int32
        DeploymentCondition type:string status:string lastUpdateTime:time lastTransitionTime:time reason:string message:string
        =ReplicaSet spec:ReplicaSetSpec status:ReplicaSetStatus
        ReplicaSetSpec replicas:int32 minReadySeconds:int32 selector:LabelSelector template:PodTemplateSpec
        ReplicaSetStatus replicas:int32 fullyLabeledReplicas:int32 readyReplicas:int32 availableReplicas:int32 terminatingReplicas:int32 observedGeneration:int64 conditions:[]WorkloadCondition
        WorkloadCondition type:string status:string lastTransitionTime:time reason:string message:string
        =DaemonSet spec:DaemonSetSpec status:DaemonSetStatus
        DaemonSetSpec selector:LabelSelector template:PodTemplateSpec updateStrategy:DaemonSetUpdateStrategy minReadySeconds:int32 revisionHistoryLimit:int32
        DaemonSetUpdateStrategy type:string rollingUpdate:RollingUpdateDeployment
        DaemonSetStatus currentNumberScheduled:int32 numberMisscheduled:int32 desiredNumberScheduled:int32 numberReady:int32 observedGeneration:int64 updatedNumberScheduled:int32 numberAvailable:int32 numberUnavailable:int32 collisionCount:int32 conditions:[]WorkloadCondition
        =StatefulSet spec:StatefulSetSpec status:StatefulSetStatus
        StatefulSetSpec replicas:int32 selector:LabelSelector template:PodTemplateSpec volumeClaimTemplates:[]PersistentVolumeClaim serviceName:string podManagementPolicy:string updateStrategy:StatefulSetUpdateStrategy revisionHistoryLimit:int32 minReadySeconds:int32 persistentVolumeClaimRetentionPolicy:RetentionPolicy ordinals:StatefulSetOrdinals
        StatefulSetUpdateStrategy type:string rollingUpdate:RollingUpdateStatefulSetStrategy
        RollingUpdateStatefulSetStrategy partition:int32 maxUnavailable:intstr
        RetentionPolicy whenDeleted:string whenScaled:string
        StatefulSetOrdinals start:int32
        StatefulSetStatus observedGeneration:int64 replicas:int32 readyReplicas:int32 currentReplicas:int32 updatedReplicas:int32 currentRevision:string updateRevision:string collisionCount:int32 conditions:[]WorkloadCondition availableReplicas:int32
        =ControllerRevision data:any revision:int64
        =Job spec:JobSpec status:JobStatus
        JobSpec parallelism:int32 completions:int32 activeDeadlineSeconds:int64 podFailurePolicy:any successPolicy:any backoffLimit:int32 backoffLimitPerIndex:int32 maxFailedIndexes:int32 selector:LabelSelector manualSelector:bool template:PodTemplateSpec ttlSecondsAfterFinished:int32 completionMode:string suspend:bool podReplacementPolicy:string managedBy:string
        JobStatus conditions:[]JobCondition startTime:time completionTime:time active:int32 succeeded:int32 failed:int32 terminating:int32 completedIndexes:string failedIndexes:string uncountedTerminatedPods:any ready:int32
        =CronJob spec:CronJobSpec status:CronJobStatus
        CronJobSpec schedule:string timeZone:string startingDeadlineSeconds:int64 concurrencyPolicy:string suspend:bool jobTemplate:JobTemplateSpec successfulJobsHistoryLimit:int32 failedJobsHistoryLimit:int32
        JobTemplateSpec metadata:ObjectMeta spec:JobSpec
        CronJobStatus active:[]ObjectReference lastScheduleTime:time lastSuccessfulTime:time
        JobCondition type:string status:string lastProbeTime:time lastTransitionTime:time reason:string message:string
        """;

    public const string Network = """
        =EndpointSlice addressType:string endpoints:[]Endpoint ports:[]EndpointPort
        Endpoint addresses:[]string conditions:EndpointConditions hostname:string targetRef:ObjectReference deprecatedTopology:map:string nodeName:string zone:string hints:EndpointHints
        EndpointConditions ready:bool serving:bool terminating:bool
        EndpointHints forZones:[]ForZone forNodes:[]ForNode
        ForZone name:string
        ForNode name:string
        =NetworkPolicy spec:NetworkPolicySpec status:any
        NetworkPolicySpec podSelector:LabelSelector ingress:[]NetworkPolicyIngressRule egress:[]NetworkPolicyEgressRule policyTypes:[]string
        NetworkPolicyIngressRule ports:[]NetworkPolicyPort from:[]NetworkPolicyPeer
        NetworkPolicyEgressRule ports:[]NetworkPolicyPort to:[]NetworkPolicyPeer
        NetworkPolicyPort protocol:string port:intstr endPort:int32
        NetworkPolicyPeer podSelector:LabelSelector namespaceSelector:LabelSelector ipBlock:IPBlock
        IPBlock cidr:string except:[]string
        =Ingress spec:IngressSpec status:IngressStatus
        IngressSpec ingressClassName:string defaultBackend:IngressBackend tls:[]IngressTLS rules:[]IngressRule
        IngressBackend service:IngressServiceBackend resource:TypedLocalObjectReference
        IngressServiceBackend name:string port:ServiceBackendPort
        ServiceBackendPort name:string number:int32
        IngressTLS hosts:[]string secretName:string
        IngressRule host:string http:HTTPIngressRuleValue
        HTTPIngressRuleValue paths:[]HTTPIngressPath
        HTTPIngressPath path:string pathType:string backend:IngressBackend
        IngressStatus loadBalancer:LoadBalancerStatus
        =IngressClass spec:IngressClassSpec
        IngressClassSpec controller:string parameters:IngressClassParametersReference
        IngressClassParametersReference apiGroup:string kind:string name:string scope:string namespace:string
        =IPAddress spec:IPAddressSpec
        IPAddressSpec parentRef:ParentReference
        ParentReference group:string resource:string namespace:string name:string
        =ServiceCIDR spec:ServiceCIDRSpec status:ServiceCIDRStatus
        ServiceCIDRSpec cidrs:[]string
        ServiceCIDRStatus conditions:[]Condition
        =Lease spec:LeaseSpec
        LeaseSpec holderIdentity:string leaseDurationSeconds:int32 acquireTime:micro renewTime:micro leaseTransitions:int32 strategy:string preferredHolder:string
        """;

    /// <summary>What is asked, and kept nowhere.</summary>
    public const string Requests = """
        =TokenRequest spec:TokenRequestSpec status:any
        TokenRequestSpec audiences:[]string expirationSeconds:int64 boundObjectRef:BoundObjectReference
        BoundObjectReference kind:string apiVersion:string name:string uid:string
        =TokenReview spec:TokenReviewSpec status:any
        TokenReviewSpec token:string audiences:[]string
        =SubjectAccessReview spec:SubjectAccessReviewSpec status:any
        =LocalSubjectAccessReview spec:SubjectAccessReviewSpec status:any
        SubjectAccessReviewSpec resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes user:string groups:[]string extra:map:any uid:string
        =SelfSubjectAccessReview spec:SelfSubjectAccessReviewSpec status:any
        SelfSubjectAccessReviewSpec resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes
        ResourceAttributes namespace:string verb:string group:string version:string resource:string subresource:string name:string fieldSelector:any labelSelector:any
        NonResourceAttributes path:string verb:string
        =SelfSubjectRulesReview spec:SelfSubjectRulesReviewSpec status:any
        SelfSubjectRulesReviewSpec namespace:string
        =Scale spec:ScaleSpec status:any
        ScaleSpec replicas:int32
        =Binding target:ObjectReference
        =Eviction deleteOptions:DeleteOptions
        DeleteOptions apiVersion:string kind:string gracePeriodSeconds:int64 preconditions:Preconditions orphanDependents:bool propagationPolicy:string dryRun:[]string ignoreStoreReadErrorWithClusterBreakingPotential:bool
        Preconditions uid:string resourceVersion:string
        """;

    public const string Policy = """
        =PodDisruptionBudget spec:PodDisruptionBudgetSpec status:PodDisruptionBudgetStatus
        PodDisruptionBudgetSpec minAvailable:intstr selector:LabelSelector maxUnavailable:intstr unhealthyPodEvictionPolicy:string
        PodDisruptionBudgetStatus observedGeneration:int64 disruptedPods:map:time disruptionsAllowed:int32 currentHealthy:int32 desiredHealthy:int32 expectedPods:int32 conditions:[]Condition
        =PriorityClass value:int32 globalDefault:bool description:string preemptionPolicy:string
        =Role rules:[]PolicyRule
        =ClusterRole rules:[]PolicyRule aggregationRule:AggregationRule
        PolicyRule verbs:[]string apiGroups:[]string resources:[]string resourceNames:[]string nonResourceURLs:[]string
        AggregationRule clusterRoleSelectors:[]LabelSelector
        =RoleBinding subjects:[]Subject roleRef:RoleRef
        =ClusterRoleBinding subjects:[]Subject roleRef:RoleRef
        Subject kind:string apiGroup:string name:string namespace:string
        RoleRef apiGroup:string kind:string name:string
        =CustomResourceDefinition spec:CustomResourceDefinitionSpec status:CustomResourceDefinitionStatus
        CustomResourceDefinitionSpec group:string names:CustomResourceDefinitionNames scope:string versions:[]CustomResourceDefinitionVersion conversion:CustomResourceConversion preserveUnknownFields:bool
        CustomResourceDefinitionNames plural:string singular:string shortNames:[]string kind:string listKind:string categories:[]string
        CustomResourceDefinitionVersion name:string served:bool storage:bool deprecated:bool deprecationWarning:string schema:CustomResourceValidation subresources:CustomResourceSubresources additionalPrinterColumns:[]CustomResourceColumnDefinition selectableFields:[]SelectableField
        CustomResourceValidation openAPIV3Schema:JSONSchemaProps
        JSONSchemaProps id:string $schema:string $ref:string description:string type:string format:string title:string default:any maximum:float64 exclusiveMaximum:bool minimum:float64 exclusiveMinimum:bool maxLength:int64 minLength:int64 pattern:string maxItems:int64 minItems:int64 uniqueItems:bool multipleOf:float64 enum:any maxProperties:int64 minProperties:int64 required:[]string items:any allOf:[]JSONSchemaProps oneOf:[]JSONSchemaProps anyOf:[]JSONSchemaProps not:JSONSchemaProps properties:map:JSONSchemaProps additionalProperties:any patternProperties:map:JSONSchemaProps dependencies:any additionalItems:any definitions:map:JSONSchemaProps externalDocs:any example:any nullable:bool x-kubernetes-preserve-unknown-fields:bool x-kubernetes-embedded-resource:bool x-kubernetes-int-or-string:bool x-kubernetes-list-map-keys:[]string x-kubernetes-list-type:string x-kubernetes-map-type:string x-kubernetes-validations:[]ValidationRule
        ValidationRule rule:string message:string messageExpression:string reason:string fieldPath:string optionalOldSelf:bool
        CustomResourceSubresources status:any scale:CustomResourceSubresourceScale
        CustomResourceSubresourceScale specReplicasPath:string statusReplicasPath:string labelSelectorPath:string
        CustomResourceColumnDefinition name:string type:string format:string description:string priority:int32 jsonPath:string
        SelectableField jsonPath:string
        CustomResourceConversion strategy:string webhook:any
        CustomResourceDefinitionStatus conditions:[]Condition acceptedNames:CustomResourceDefinitionNames storedVersions:[]string
        """;

    /// <summary>events.k8s.io/v1 Event: the same objects as the core group's, under other names.</summary>
    public const string Events = """
        =events.k8s.io/Event eventTime:micro series:EventSeries reportingController:string reportingInstance:string action:string reason:string regarding:ObjectReference related:ObjectReference note:string type:string deprecatedSource:EventSource deprecatedFirstTimestamp:time deprecatedLastTimestamp:time deprecatedCount:int32
        """;
}
