namespace Plumb.Api.Storage;

/// <summary>A collection of objects: the plural in its API group (`pods` in the core group, whose name is empty; `deployments` in `apps`).</summary>
public readonly record struct GroupResource(string Group, string Resource)
{
    public static readonly GroupResource Namespaces = new("", "namespaces");
    public static readonly GroupResource Nodes = new("", "nodes");
    public static readonly GroupResource Pods = new("", "pods");
    public static readonly GroupResource Services = new("", "services");
    public static readonly GroupResource Endpoints = new("", "endpoints");
    public static readonly GroupResource ConfigMaps = new("", "configmaps");
    public static readonly GroupResource Secrets = new("", "secrets");
    public static readonly GroupResource ServiceAccounts = new("", "serviceaccounts");
    public static readonly GroupResource ReplicationControllers = new("", "replicationcontrollers");
    public static readonly GroupResource Events = new("", "events");
    public static readonly GroupResource EndpointSlices = new("discovery.k8s.io", "endpointslices");
    public static readonly GroupResource IPAddresses = new("networking.k8s.io", "ipaddresses");
    public static readonly GroupResource ServiceCidrs = new("networking.k8s.io", "servicecidrs");
    public static readonly GroupResource Leases = new("coordination.k8s.io", "leases");
    public static readonly GroupResource Deployments = new("apps", "deployments");
    public static readonly GroupResource ReplicaSets = new("apps", "replicasets");
    public static readonly GroupResource DaemonSets = new("apps", "daemonsets");
    public static readonly GroupResource StatefulSets = new("apps", "statefulsets");
    public static readonly GroupResource ControllerRevisions = new("apps", "controllerrevisions");
    public static readonly GroupResource Jobs = new("batch", "jobs");

    /// <summary>As messages name it: `pods`, `deployments.apps`.</summary>
    public override string ToString() => Group.Length == 0 ? Resource : $"{Resource}.{Group}";
}

/// <summary>One object's place in the store.</summary>
/// <param name="Namespace">Empty for objects of the whole cluster.</param>
public readonly record struct StoreKey(GroupResource Resource, string Namespace, string Name) : IComparable<StoreKey>
{
    /// <summary>The order of lists: by namespace, then by name, as bytes.</summary>
    public int CompareTo(StoreKey other)
    {
        var byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
    }

    public override string ToString() => Namespace.Length == 0 ? $"{Resource}/{Name}" : $"{Resource}/{Namespace}/{Name}";

    public static bool operator <(StoreKey left, StoreKey right) => left.CompareTo(right) < 0;

    public static bool operator >(StoreKey left, StoreKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(StoreKey left, StoreKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(StoreKey left, StoreKey right) => left.CompareTo(right) >= 0;
}
