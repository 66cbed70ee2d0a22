namespace Plumb.Api.Schema;

/// <summary>
/// The protobuf field numbers (k8s.io/api generated.proto, 1.34) of what a new kubectl sends in that form: the objects of `kubectl create …`.
/// A line is a type: `number:name:type`, the types as in <see cref="CoreTypes"/>; `!` after a type: a zero counts (a pointer in Go, sent only when set).
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
        Service 1:metadata:ObjectMeta 2:spec:ServiceSpec
        ServiceSpec 1:ports:[]ServicePort 2:selector:map:string 3:clusterIP:string 4:type:string 5:externalIPs:[]string 7:sessionAffinity:string 8:loadBalancerIP:string 9:loadBalancerSourceRanges:[]string 10:externalName:string 11:externalTrafficPolicy:string 12:healthCheckNodePort:int32 13:publishNotReadyAddresses:bool 17:ipFamilyPolicy:string! 18:clusterIPs:[]string 19:ipFamilies:[]string 20:allocateLoadBalancerNodePorts:bool! 21:loadBalancerClass:string! 22:internalTrafficPolicy:string! 23:trafficDistribution:string!
        ServicePort 1:name:string 2:protocol:string 3:port:int32 4:targetPort:intstr 5:nodePort:int32 6:appProtocol:string!
        Deployment 1:metadata:ObjectMeta 2:spec:DeploymentSpec
        DeploymentSpec 1:replicas:int32! 2:selector:LabelSelector 3:template:PodTemplateSpec 5:minReadySeconds:int32 6:revisionHistoryLimit:int32! 7:paused:bool 9:progressDeadlineSeconds:int32!
        Job 1:metadata:ObjectMeta 2:spec:JobSpec
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
        DeleteOptions 1:gracePeriodSeconds:int64! 4:propagationPolicy:string!
        """;
}
