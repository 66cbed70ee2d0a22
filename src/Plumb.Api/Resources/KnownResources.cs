using Plumb.Api.Access;
using Plumb.Api.Custom;
using Plumb.Api.Resources.Services;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Tables;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources;

/// <summary>The table of resources, in the order in which discovery lists them: groups as a real server ranks them, kinds by name.</summary>
internal static class KnownResources
{
    private static readonly string[] ReadWrite = ["get", "patch", "update"];
    private static readonly string[] CreateOnly = ["create"];
    private static readonly string[] Connect = ["create", "get"];
    private static readonly string[] Proxied = ["create", "delete", "get", "patch", "update"];
    private static readonly string[] All = ["all"];

    private static readonly Subresource Status = new("status", ReadWrite);
    private static readonly Subresource Scale = new("scale", ReadWrite, "Scale", "autoscaling", "v1");

    public static ResourceDefinition[] Create(ServiceAllocator allocator, CustomResources custom, AdmissionPolicies policies)
    {
        var events = new EventStrategy();
        return
        [
            new()
            {
                Resource = GroupResource.ConfigMaps, Version = "v1", Kind = "ConfigMap", Strategy = new ConfigMapStrategy(), Table = ClusterTables.ConfigMaps,
                Singular = "configmap", Namespaced = true, ShortNames = ["cm"],
            },
            new()
            {
                Resource = GroupResource.Endpoints, Version = "v1", Kind = "Endpoints", Strategy = new EndpointsStrategy(), Table = NetworkTables.Endpoints,
                Singular = "endpoints", Namespaced = true, ShortNames = ["ep"],
            },
            new()
            {
                Resource = GroupResource.Events, Version = "v1", Kind = "Event", Strategy = events, Table = ClusterTables.Events,
                Singular = "event", Namespaced = true, ShortNames = ["ev"], Selected = EventStrategy.Selected,
            },
            new()
            {
                Resource = LimitRangeStrategy.Resource, Version = "v1", Kind = "LimitRange", Strategy = new LimitRangeStrategy(),
                Singular = "limitrange", Namespaced = true, ShortNames = ["limits"],
            },
            new()
            {
                Resource = GroupResource.Namespaces, Version = "v1", Kind = "Namespace", Strategy = new NamespaceStrategy(), Table = ClusterTables.Namespaces,
                Singular = "namespace", Namespaced = false, ShortNames = ["ns"],
                Verbs = ["create", "delete", "get", "list", "patch", "update", "watch"], Subresources = [new("finalize", ["update"]), Status],
            },
            new()
            {
                Resource = GroupResource.Nodes, Version = "v1", Kind = "Node", Strategy = new NodeStrategy(), Table = ClusterTables.Nodes,
                Singular = "node", Namespaced = false, ShortNames = ["no"],
                Subresources = [new("proxy", Proxied, "NodeProxyOptions"), Status],
            },
            new()
            {
                Resource = new("", "persistentvolumes"), Version = "v1", Kind = "PersistentVolume", Strategy = new PersistentVolumeStrategy(), ReturnsDeleted = true, Table = ClusterTables.PersistentVolumes,
                Singular = "persistentvolume", Namespaced = false, ShortNames = ["pv"], Subresources = [Status],
            },
            new()
            {
                Resource = ClaimStrategy.Resource, Version = "v1", Kind = "PersistentVolumeClaim", Strategy = new ClaimStrategy(), ReturnsDeleted = true, Table = ClusterTables.Claims,
                Singular = "persistentvolumeclaim",
                Namespaced = true, ShortNames = ["pvc"], Subresources = [Status],
            },
            new()
            {
                Resource = GroupResource.Pods, Version = "v1", Kind = "Pod", Strategy = new PodStrategy(), ReturnsDeleted = true, Table = PodTable.Layout,
                Singular = "pod", Namespaced = true, ShortNames = ["po"], Categories = All,
                HasGeneration = true,
                Subresources =
                [
                    new("attach", Connect, "PodAttachOptions"), new("binding", CreateOnly, "Binding"), new("ephemeralcontainers", ReadWrite), new("eviction", CreateOnly, "Eviction", "policy", "v1"),
                    new("exec", Connect, "PodExecOptions"), new("log", ["get"]), new("portforward", Connect, "PodPortForwardOptions"), new("proxy", Proxied, "PodProxyOptions"), new("resize", ReadWrite), Status,
                ],
            },
            new()
            {
                Resource = new("", "podtemplates"), Version = "v1", Kind = "PodTemplate", Strategy = new PodTemplateStrategy(), Table = WorkloadTables.PodTemplates,
                Singular = "podtemplate", Namespaced = true, HasGeneration = true,
            },
            new()
            {
                Resource = GroupResource.ReplicationControllers, Version = "v1", Kind = "ReplicationController", Strategy = new ReplicationControllerStrategy(), Table = WorkloadTables.ReplicationControllers,
                Singular = "replicationcontroller", Namespaced = true, ShortNames = ["rc"], Categories = All, HasGeneration = true, Subresources = [Scale, Status],
            },
            new()
            {
                Resource = ResourceQuotaStrategy.Resource, Version = "v1", Kind = "ResourceQuota", Strategy = new ResourceQuotaStrategy(), ReturnsDeleted = true, Table = CapacityTables.Quotas,
                Singular = "resourcequota", Namespaced = true, ShortNames = ["quota"], Subresources = [Status],
            },
            new()
            {
                Resource = GroupResource.Secrets, Version = "v1", Kind = "Secret", Strategy = new SecretStrategy(), Table = ClusterTables.Secrets,
                Singular = "secret", Namespaced = true,
            },
            new()
            {
                Resource = GroupResource.ServiceAccounts, Version = "v1", Kind = "ServiceAccount", ReturnsDeleted = true, Table = ClusterTables.ServiceAccounts,
                Singular = "serviceaccount", Namespaced = true,
                ShortNames = ["sa"], Subresources = [new("token", CreateOnly, "TokenRequest", "authentication.k8s.io", "v1")],
            },
            new()
            {
                Resource = GroupResource.Services, Version = "v1", Kind = "Service", Strategy = new ServiceStrategy(allocator), ReturnsDeleted = true, Table = NetworkTables.Services,
                Singular = "service", Namespaced = true, ShortNames = ["svc"],
                Categories = All, Subresources = [new("proxy", Proxied, "ServiceProxyOptions"), Status],
            },
            new()
            {
                Resource = new("events.k8s.io", "events"), Version = "v1", Kind = "Event", Strategy = new NewEventStrategy(), Table = ClusterTables.Events,
                Singular = "event", Namespaced = true, ShortNames = ["ev"],
                Stored = GroupResource.Events, Show = EventStrategy.ToEventsGroup, Accept = EventStrategy.FromEventsGroup,
                Selected = EventStrategy.Selected,
            },
            new()
            {
                Resource = GroupResource.ControllerRevisions, Version = "v1", Kind = "ControllerRevision", Table = WorkloadTables.ControllerRevisions,
                Singular = "controllerrevision", Namespaced = true,
            },
            new()
            {
                Resource = GroupResource.DaemonSets, Version = "v1", Kind = "DaemonSet", Strategy = new DaemonSetStrategy(), Table = WorkloadTables.DaemonSets,
                Singular = "daemonset", Namespaced = true, ShortNames = ["ds"],
                Categories = All, HasGeneration = true, Subresources = [Status],
            },
            new()
            {
                Resource = GroupResource.Deployments, Version = "v1", Kind = "Deployment", Strategy = new DeploymentStrategy(), Table = WorkloadTables.Deployments,
                Singular = "deployment", Namespaced = true, ShortNames = ["deploy"],
                Categories = All, HasGeneration = true, Subresources = [Scale, Status],
            },
            new()
            {
                Resource = GroupResource.ReplicaSets, Version = "v1", Kind = "ReplicaSet", Strategy = new ReplicaSetStrategy(), Table = WorkloadTables.ReplicaSets,
                Singular = "replicaset", Namespaced = true, ShortNames = ["rs"],
                Categories = All, HasGeneration = true, Subresources = [Scale, Status],
            },
            new()
            {
                Resource = GroupResource.StatefulSets, Version = "v1", Kind = "StatefulSet", Strategy = new StatefulSetStrategy(), Table = WorkloadTables.StatefulSets,
                Singular = "statefulset", Namespaced = true, ShortNames = ["sts"],
                Categories = All, HasGeneration = true, Subresources = [Scale, Status],
            },
            new()
            {
                Resource = new("authentication.k8s.io", "selfsubjectreviews"), Version = "v1", Kind = "SelfSubjectReview", Singular = "selfsubjectreview", Namespaced = false, Verbs = CreateOnly, IsReview = true,
            },
            new()
            {
                Resource = new("authentication.k8s.io", "tokenreviews"), Version = "v1", Kind = "TokenReview", Singular = "tokenreview", Namespaced = false, Verbs = CreateOnly, IsReview = true,
            },
            new()
            {
                Resource = new("authorization.k8s.io", "localsubjectaccessreviews"), Version = "v1", Kind = "LocalSubjectAccessReview", Singular = "localsubjectaccessreview", Namespaced = true, Verbs = CreateOnly, IsReview = true,
            },
            new()
            {
                Resource = new("authorization.k8s.io", "selfsubjectaccessreviews"), Version = "v1", Kind = "SelfSubjectAccessReview", Singular = "selfsubjectaccessreview", Namespaced = false, Verbs = CreateOnly, IsReview = true,
            },
            new()
            {
                Resource = new("authorization.k8s.io", "selfsubjectrulesreviews"), Version = "v1", Kind = "SelfSubjectRulesReview", Singular = "selfsubjectrulesreview", Namespaced = false, Verbs = CreateOnly, IsReview = true,
            },
            new()
            {
                Resource = new("authorization.k8s.io", "subjectaccessreviews"), Version = "v1", Kind = "SubjectAccessReview", Singular = "subjectaccessreview", Namespaced = false, Verbs = CreateOnly, IsReview = true,
            },
            new()
            {
                Resource = AutoscalerStrategy.Resource, Version = "v2", Kind = "HorizontalPodAutoscaler", Strategy = new AutoscalerStrategy(), Table = CapacityTables.Autoscalers,
                Singular = "horizontalpodautoscaler", Namespaced = true, ShortNames = ["hpa"], Categories = All, Subresources = [Status],
            },
            new()
            {
                Resource = CronJobStrategy.Resource, Version = "v1", Kind = "CronJob", Strategy = new CronJobStrategy(), Table = WorkloadTables.CronJobs,
                Singular = "cronjob", Namespaced = true, ShortNames = ["cj"], Categories = All, HasGeneration = true,
                Subresources = [Status],
            },
            new()
            {
                Resource = GroupResource.Jobs, Version = "v1", Kind = "Job", Strategy = new JobStrategy(), Table = WorkloadTables.Jobs,
                Singular = "job", Namespaced = true, Categories = All, HasGeneration = true, Selected = static (job, field) => job.Field(field is "status.successful" ? "status.succeeded" : field),
                Subresources = [Status],
            },
            new()
            {
                Resource = new("networking.k8s.io", "ingressclasses"), Version = "v1", Kind = "IngressClass", Strategy = new IngressClassStrategy(), Table = NetworkTables.IngressClasses,
                Singular = "ingressclass", Namespaced = false,
                HasGeneration = true,
            },
            new()
            {
                Resource = new("networking.k8s.io", "ingresses"), Version = "v1", Kind = "Ingress", Strategy = new IngressStrategy(), Table = NetworkTables.Ingresses,
                Singular = "ingress", Namespaced = true,
                ShortNames = ["ing"], HasGeneration = true, Subresources = [Status],
            },
            new()
            {
                Resource = GroupResource.IPAddresses, Version = "v1", Kind = "IPAddress", Strategy = new AddressStrategy(), Table = NetworkTables.Addresses,
                Singular = "ipaddress", Namespaced = false, ShortNames = ["ip"],
            },
            new()
            {
                Resource = new("networking.k8s.io", "networkpolicies"), Version = "v1", Kind = "NetworkPolicy", Strategy = new NetworkPolicyStrategy(), Table = NetworkTables.NetworkPolicies,
                Singular = "networkpolicy", Namespaced = true,
                ShortNames = ["netpol"], HasGeneration = true,
            },
            new()
            {
                Resource = GroupResource.ServiceCidrs, Version = "v1", Kind = "ServiceCIDR", Strategy = new ServiceCidrStrategy(allocator), Table = NetworkTables.ServiceCidrs,
                Singular = "servicecidr", Namespaced = false, Subresources = [Status],
            },
            new()
            {
                Resource = DisruptionBudgetStrategy.Resource, Version = "v1", Kind = "PodDisruptionBudget", Strategy = new DisruptionBudgetStrategy(), Table = PolicyTables.DisruptionBudgets,
                Singular = "poddisruptionbudget", Namespaced = true, ShortNames = ["pdb"], HasGeneration = true, Subresources = [Status],
            },
            new()
            {
                Resource = new("rbac.authorization.k8s.io", "clusterrolebindings"), Version = "v1", Kind = "ClusterRoleBinding", Strategy = new RoleBindingStrategy(ofCluster: true), Table = PolicyTables.RoleBindings,
                Singular = "clusterrolebinding", Namespaced = false,
            },
            new()
            {
                Resource = new("rbac.authorization.k8s.io", "clusterroles"), Version = "v1", Kind = "ClusterRole", Strategy = new RoleStrategy(ofCluster: true),
                Singular = "clusterrole", Namespaced = false,
            },
            new()
            {
                Resource = new("rbac.authorization.k8s.io", "rolebindings"), Version = "v1", Kind = "RoleBinding", Strategy = new RoleBindingStrategy(ofCluster: false), Table = PolicyTables.RoleBindings,
                Singular = "rolebinding", Namespaced = true,
            },
            new()
            {
                Resource = new("rbac.authorization.k8s.io", "roles"), Version = "v1", Kind = "Role", Strategy = new RoleStrategy(ofCluster: false),
                Singular = "role", Namespaced = true,
            },
            new()
            {
                Resource = AdmissionPolicyStrategy.Resource, Version = "v1", Kind = "ValidatingAdmissionPolicy", Strategy = new AdmissionPolicyStrategy(policies),
                Singular = "validatingadmissionpolicy", Namespaced = false, Categories = ["api-extensions"], HasGeneration = true, Subresources = [Status],
            },
            new()
            {
                Resource = AdmissionPolicyStrategy.Bindings, Version = "v1", Kind = "ValidatingAdmissionPolicyBinding", Strategy = new AdmissionBindingStrategy(policies),
                Singular = "validatingadmissionpolicybinding", Namespaced = false, Categories = ["api-extensions"], HasGeneration = true,
            },
            new()
            {
                Resource = DefinitionStrategy.Resource, Version = "v1", Kind = "CustomResourceDefinition", Strategy = new DefinitionStrategy(custom),
                Singular = "customresourcedefinition", Namespaced = false, ShortNames = ["crd", "crds"], Categories = ["api-extensions"], HasGeneration = true, Subresources = [Status],
            },
            new()
            {
                Resource = PriorityClassStrategy.Resource, Version = "v1", Kind = "PriorityClass", Strategy = new PriorityClassStrategy(), Table = PolicyTables.PriorityClasses,
                Singular = "priorityclass", Namespaced = false, ShortNames = ["pc"], HasGeneration = true,
            },
            new()
            {
                Resource = GroupResource.Leases, Version = "v1", Kind = "Lease", Strategy = new LeaseStrategy(), Table = ClusterTables.Leases,
                Singular = "lease", Namespaced = true,
            },
            new()
            {
                Resource = GroupResource.EndpointSlices, Version = "v1", Kind = "EndpointSlice", Strategy = new EndpointSliceStrategy(), Table = NetworkTables.EndpointSlices,
                Singular = "endpointslice", Namespaced = true, HasGeneration = true,
            },
        ];
    }
}
