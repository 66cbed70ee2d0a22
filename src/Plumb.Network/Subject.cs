namespace Plumb.Network;

/// <summary>
/// What kind of thing a network is planned from: a Kubernetes kind in its own spelling, or a fact of the node. New kinds need
/// no change here.
/// </summary>
public readonly record struct SubjectKind(string Name) : IComparable<SubjectKind>
{
    public static SubjectKind Node { get; } = new("Node");

    public static SubjectKind Pod { get; } = new("Pod");

    public static SubjectKind Service { get; } = new("Service");

    public static SubjectKind EndpointSlice { get; } = new("EndpointSlice");

    public static SubjectKind NetworkPolicy { get; } = new("NetworkPolicy");

    public static SubjectKind Namespace { get; } = new("Namespace");

    /// <summary>One interface of one container, as a runtime asked for it by CNI ADD.</summary>
    public static SubjectKind Sandbox { get; } = new("Sandbox");

    /// <summary>A copy of a pod's packets that goes to another node, or comes from there, by the name of its device.</summary>
    public static SubjectKind Mirror { get; } = new("Mirror");

    /// <summary>What the node is and has: its device on the wire, addresses, kernel features.</summary>
    public static SubjectKind Machine { get; } = new("Machine");

    /// <summary>A setting of the network that somebody chose, or its default.</summary>
    public static SubjectKind Option { get; } = new("Option");

    public int CompareTo(SubjectKind other) => string.CompareOrdinal(Name, other.Name);

    public override string ToString() => Name;
}

/// <summary>One thing that a network is planned from. Things that live in no Kubernetes namespace have the empty one.</summary>
public readonly record struct Subject(SubjectKind Kind, string Scope, string Name) : IComparable<Subject>
{
    public static Subject Node(string name) => new(SubjectKind.Node, "", name);

    public static Subject Pod(string scope, string name) => new(SubjectKind.Pod, scope, name);

    public static Subject Option(string name) => new(SubjectKind.Option, "", name);

    /// <summary>This node as a machine; there is one in each plan.</summary>
    public static Subject Machine { get; } = new(SubjectKind.Machine, "", "");

    public int CompareTo(Subject other)
    {
        var byKind = Kind.CompareTo(other.Kind);
        if (byKind != 0)
        {
            return byKind;
        }
        var byScope = string.CompareOrdinal(Scope, other.Scope);
        return byScope != 0 ? byScope : string.CompareOrdinal(Name, other.Name);
    }

    /// <summary>As a person writes it: <c>Pod default/client</c>, <c>Node node-1</c>.</summary>
    public override string ToString() =>
        Scope.Length != 0 ? $"{Kind} {Scope}/{Name}" : Name.Length != 0 ? $"{Kind} {Name}" : Kind.Name;
}

/// <summary>Something became other than it was: it came, went, or has another value. What it was and is stands in the views.</summary>
public readonly record struct Change(Subject Subject)
{
    public override string ToString() => Subject.ToString();
}
