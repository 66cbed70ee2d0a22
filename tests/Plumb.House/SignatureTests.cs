using System.Reflection;
using System.Runtime.CompilerServices;

namespace Plumb.House;

/// <summary>A namespace, an address, a mark or a kind is a value of its own type wherever one floor hands it to another.</summary>
public sealed class SignatureTests
{
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase) { "namespace", "ns", "namespaceId", "address", "ip", "mac", "mark", "kind" };

    private static readonly HashSet<Type> Bare =
        [typeof(string), typeof(int), typeof(uint), typeof(long), typeof(ulong), typeof(ushort), typeof(byte), typeof(ReadOnlySpan<char>)];

    // A Kubernetes namespace is a string in the API itself, and those floors hold what the API holds.
    private static readonly HashSet<string> SpeaksTheApi = ["Plumb.Kubernetes", "Plumb.Api"];

    /// <summary>Types that carry the words of somebody else's format as they stand there, each with the format.</summary>
    private static readonly Dictionary<string, string> Verbatim = new()
    {
        ["Plumb.Agent.Cni.CniInterface"] = "a CNI result's JSON",
        ["Plumb.Agent.Cni.CniAddress"] = "a CNI result's JSON",
        ["Plumb.Lab.SandboxStatus"] = "namespace and name of a pod, as the API has them",
        ["Plumb.Linux.Rtnetlink.LinkInfo"] = "IFLA_INFO_KIND, as the kernel spells it",
        ["Plumb.Linux.Nftables.Expressions.UnknownExpression"] = "an expression's name in the kernel, of which only the name is known",
    };

    public static TheoryData<string> Floors =>
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(p => Path.GetFileNameWithoutExtension(p)!).Where(p => p is not ("Plumb" or "Plumb.Cni" or "Plumb.Cni.Compiler") && !SpeaksTheApi.Contains(p)).Order()];

    [Theory, MemberData(nameof(Floors))]
    public void No_public_signature_carries_a_bare_namespace_address_mark_or_kind(string floor)
    {
        Rule.Holds(
            "take NamespaceId, IpAddress, MacAddress, ObjectKey … instead; text becomes one of these where it enters, with an error that says what is wrong",
            from type in Assembly.Load(floor).GetExportedTypes()
            where !Verbatim.ContainsKey(type.FullName!)
            from method in type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly).OfType<MethodBase>()
            where !method.IsDefined(typeof(CompilerGeneratedAttribute)) && !IsWhereTextEnters(type, method)
            from parameter in method.GetParameters()
            where Names.Contains(parameter.Name!) && Bare.Contains(Unwrap(parameter.ParameterType))
            select $"{type.FullName}.{method.Name}({parameter.ParameterType.Name} {parameter.Name})");
    }

    /// <summary>Parsers, and the constructors of the value types themselves.</summary>
    private static bool IsWhereTextEnters(Type type, MethodBase method) =>
        method.Name is "Parse" or "TryParse" or "Deconstruct" || (method.IsConstructor && type.IsValueType);

    private static Type Unwrap(Type type)
    {
        if (type.IsByRef)
            type = type.GetElementType()!;
        return Nullable.GetUnderlyingType(type) ?? type;
    }
}
