namespace Plumb.Api.Schema;

/// <summary>
/// The protobuf field numbers (k8s.io/api generated.proto, 1.34) of what a new kubectl sends in that form: the objects of `kubectl create …`.
/// A line is a type: `number:name:type`, the types as in <see cref="CoreTypes"/>; `!` after a type: a zero counts (a pointer in Go, sent only when set). The name `-`: its members are
/// those of the message that it is in.
/// </summary>
internal static class WireTypes
{
    public const string Text = """
        ObjectMeta 1:name:string 2:generateName:string 3:namespace:string 5:uid:string 6:resourceVersion:string 7:generation:int64 8:creationTimestamp:time 9:deletionTimestamp:time 11:labels:map:string 12:annotations:map:string 13:ownerReferences:[]OwnerReference 14:finalizers:[]string
        OwnerReference 1:kind:string 3:name:string 4:uid:string 5:apiVersion:string 6:controller:bool! 7:blockOwnerDeletion:bool!
        LabelSelector 1:matchLabels:map:string 2:matchExpressions:[]LabelSelectorRequirement
        LabelSelectorRequirement 1:key:string 2:operator:string 3:values:[]string
        ConfigMap 1:metadata:ObjectMeta 2:data:map:string 3:binaryData:map:bytes 4:immutable:bool!
        Secret 1:metadata:ObjectMeta 2:data:map:bytes 3:type:string 4:stringData:map:string 5:immutable:bool!
        Namespace 1:metadata:ObjectMeta 2:spec:NamespaceSpec
        NamespaceSpec 1:finalizers:[]string
        ServiceAccount 1:metadata:ObjectMeta 4:automountServiceAccountToken:bool!
        TokenRequest 1:metadata:ObjectMeta 2:spec:TokenRequestSpec
        TokenRequestSpec 1:audiences:[]string 4:expirationSeconds:int64!
        ResourceQuota 1:metadata:ObjectMeta 2:spec:ResourceQuotaSpec
        ResourceQuotaSpec 1:hard:map:quantity 2:scopes:[]string
        Quantity 1:string:string
        Service 1:metadata:ObjectMeta 2:spec:ServiceSpec
        ServiceSpec 1:ports:[]ServicePort 2:selector:map:string 3:clusterIP:string 4:type:string 5:externalIPs:[]string 7:sessionAffinity:string 8:loadBalancerIP:string 9:loadBalancerSourceRanges:[]string 10:externalName:string 11:externalTrafficPolicy:string 12:healthCheckNodePort:int32 13:publishNotReadyAddresses:bool 17:ipFamilyPolicy:string! 18:clusterIPs:[]string 19:ipFamilies:[]string 20:allocateLoadBalancerNodePorts:bool! 21:loadBalancerClass:string! 22:internalTrafficPolicy:string! 23:trafficDistribution:string!
        ServicePort 1:name:string 2:protocol:string 3:port:int32 4:targetPort:intstr 5:nodePort:int32 6:appProtocol:string!
        Deployment 1:metadata:ObjectMeta 2:spec:DeploymentSpec
        DeploymentSpec 1:replicas:int32! 2:selector:LabelSelector 3:template:PodTemplateSpec 5:minReadySeconds:int32 6:revisionHistoryLimit:int32! 7:paused:bool 9:progressDeadlineSeconds:int32!
        Job 1:metadata:ObjectMeta 2:spec:JobSpec
        CronJob 1:metadata:ObjectMeta 2:spec:CronJobSpec
        CronJobSpec 1:schedule:string 2:startingDeadlineSeconds:int64! 3:concurrencyPolicy:string 4:suspend:bool! 5:jobTemplate:JobTemplateSpec 6:successfulJobsHistoryLimit:int32! 7:failedJobsHistoryLimit:int32! 8:timeZone:string
        JobTemplateSpec 1:metadata:ObjectMeta 2:spec:JobSpec
        JobSpec 1:parallelism:int32! 2:completions:int32! 3:activeDeadlineSeconds:int64! 4:selector:LabelSelector 5:manualSelector:bool! 6:template:PodTemplateSpec 7:backoffLimit:int32! 8:ttlSecondsAfterFinished:int32!
        Pod 1:metadata:ObjectMeta 2:spec:PodSpec
        PodTemplateSpec 1:metadata:ObjectMeta 2:spec:PodSpec
        PodSpec 2:containers:[]Container 3:restartPolicy:string 4:terminationGracePeriodSeconds:int64! 5:activeDeadlineSeconds:int64! 6:dnsPolicy:string 7:nodeSelector:map:string 8:serviceAccountName:string 10:nodeName:string 11:hostNetwork:bool 16:hostname:string 17:subdomain:string 20:initContainers:[]Container
        Container 1:name:string 2:image:string 3:command:[]string 4:args:[]string 5:workingDir:string 6:ports:[]ContainerPort 7:env:[]EnvVar 14:imagePullPolicy:string 16:stdin:bool 18:tty:bool
        ContainerPort 1:name:string 2:hostPort:int32 3:containerPort:int32 4:protocol:string 5:hostIP:string
        EnvVar 1:name:string 2:value:string
        Binding 1:metadata:ObjectMeta 2:target:ObjectReference
        ObjectReference 1:kind:string 2:namespace:string 3:name:string 4:uid:string 5:apiVersion:string
        Scale 1:metadata:ObjectMeta 2:spec:ScaleSpec
        ScaleSpec 1:replicas:int32!
        DeleteOptions 1:gracePeriodSeconds:int64! 2:preconditions:Preconditions 3:orphanDependents:bool! 4:propagationPolicy:string! 5:dryRun:[]string
        Preconditions 1:uid:string! 2:resourceVersion:string!
        Eviction 1:metadata:ObjectMeta 2:deleteOptions:DeleteOptions
        Role 1:metadata:ObjectMeta 2:rules:[]PolicyRule
        ClusterRole 1:metadata:ObjectMeta 2:rules:[]PolicyRule 3:aggregationRule:AggregationRule
        AggregationRule 1:clusterRoleSelectors:[]LabelSelector
        PolicyRule 1:verbs:[]string 2:apiGroups:[]string 3:resources:[]string 4:resourceNames:[]string 5:nonResourceURLs:[]string
        RoleBinding 1:metadata:ObjectMeta 2:subjects:[]Subject 3:roleRef:RoleRef
        ClusterRoleBinding 1:metadata:ObjectMeta 2:subjects:[]Subject 3:roleRef:RoleRef
        Subject 1:kind:string 2:apiGroup:string 3:name:string 4:namespace:string
        RoleRef 1:apiGroup:string 2:kind:string 3:name:string
        PodDisruptionBudget 1:metadata:ObjectMeta 2:spec:PodDisruptionBudgetSpec
        PodDisruptionBudgetSpec 1:minAvailable:intstr 2:selector:LabelSelector 3:maxUnavailable:intstr 4:unhealthyPodEvictionPolicy:string
        PriorityClass 1:metadata:ObjectMeta 2:value:int32 3:globalDefault:bool 4:description:string 5:preemptionPolicy:string!
        Ingress 1:metadata:ObjectMeta 2:spec:IngressSpec
        IngressSpec 1:defaultBackend:IngressBackend 2:tls:[]IngressTLS 3:rules:[]IngressRule 4:ingressClassName:string!
        IngressBackend 4:service:IngressServiceBackend
        IngressServiceBackend 1:name:string 2:port:ServiceBackendPort
        ServiceBackendPort 1:name:string 2:number:int32
        IngressTLS 1:hosts:[]string 2:secretName:string
        IngressRule 1:host:string 2:-:IngressRuleValue
        IngressRuleValue 1:http:HTTPIngressRuleValue
        HTTPIngressRuleValue 1:paths:[]HTTPIngressPath
        HTTPIngressPath 1:path:string 2:backend:IngressBackend 3:pathType:string!
        TokenReview 1:metadata:ObjectMeta 2:spec:TokenReviewSpec
        TokenReviewSpec 1:token:string 2:audiences:[]string
        SelfSubjectReview 1:metadata:ObjectMeta
        SelfSubjectAccessReview 1:metadata:ObjectMeta 2:spec:SelfSubjectAccessReviewSpec
        SelfSubjectAccessReviewSpec 1:resourceAttributes:ResourceAttributes 2:nonResourceAttributes:NonResourceAttributes
        SelfSubjectRulesReview 1:metadata:ObjectMeta 2:spec:SelfSubjectRulesReviewSpec
        SelfSubjectRulesReviewSpec 1:namespace:string
        ResourceAttributes 1:namespace:string 2:verb:string 3:group:string 4:version:string 5:resource:string 6:subresource:string 7:name:string
        NonResourceAttributes 1:path:string 2:verb:string
        """;
}
