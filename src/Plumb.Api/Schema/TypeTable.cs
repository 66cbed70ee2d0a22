using System.Globalization;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Apply;

namespace Plumb.Api.Schema;

internal enum Scalar
{
    /// <summary>Not a scalar: see <see cref="FieldType.Named"/>.</summary>
    None,
    Text,
    Int32,
    Int64,
    Float64,
    Flag,
    Time,
    MicroTime,
    Quantity,
    IntOrString,
    Bytes,
    Any,
}

/// <summary>What a field holds.</summary>
/// <param name="Element">The type inside a list or map.</param>
/// <param name="Values">All that a text may be; empty: anything.</param>
internal sealed record FieldType(Scalar Scalar, TypeSchema? Named, bool IsList, bool IsMap, FieldType? Element, string[] Values)
{
    /// <summary>An object without it is not whole.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Its zero is a value: Go writes it in JSON, or points to it.</summary>
    public bool IsZeroWritten { get; init; }

    /// <summary>How values merge; null: as their type does.</summary>
    public Shape? Merges { get; set; }

    /// <summary>As a strategic merge patch has it (`merge`, `retainKeys`, or both), with the member that tells items apart; null: the list is replaced.</summary>
    public (string Strategy, string? Key)? Patch { get; set; }

    public Shape Shape => Merges ?? Named?.Shape ?? (IsMap ? Entries : Shape.Leaf);

    private Shape Entries => new() { Kind = ShapeKind.Members, IsMap = true, Member = _ => Element!.Shape };

    /// <summary>As Go writes it, in its decoder's messages.</summary>
    public string GoName => IsList ? "[]" + Element!.GoName : IsMap ? "map[string]" + Element!.GoName : Scalar switch
    {
        Scalar.Text => "string",
        Scalar.Int32 => "int32",
        Scalar.Int64 => "int64",
        Scalar.Float64 => "float64",
        Scalar.Flag => "bool",
        Scalar.Time => "v1.Time",
        Scalar.MicroTime => "v1.MicroTime",
        Scalar.Quantity => "resource.Quantity",
        Scalar.IntOrString => "intstr.IntOrString",
        Scalar.Bytes => "[]uint8",
        _ => "v1." + Named?.Name,
    };
}

/// <summary>The fields of a message in protobuf form, by number.</summary>
internal sealed class WireFields
{
    public Dictionary<int, (string Name, FieldType Type)> Fields { get; } = [];

    /// <summary>Messages whose fields JSON has beside the others.</summary>
    public Dictionary<int, WireFields> Inlined { get; } = [];

    /// <param name="path">The field's number, after those of the messages that it is in: `2/1`.</param>
    public void Add(ReadOnlySpan<char> path, string name, FieldType type)
    {
        var slash = path.IndexOf('/');
        var number = int.Parse(slash < 0 ? path : path[..slash], CultureInfo.InvariantCulture);
        if (slash < 0)
        {
            Fields.Add(number, (name, type));
            return;
        }

        if (!Inlined.TryGetValue(number, out var inner))
            Inlined[number] = inner = new WireFields();
        inner.Add(path[(slash + 1)..], name, type);
    }
}

/// <summary>One type of the API: its fields by name.</summary>
/// <param name="package">Where OpenAPI has it: `io.k8s.api.core.v1`.</param>
/// <param name="isKind">Stands for itself in the API: has apiVersion, kind and metadata.</param>
internal sealed class TypeSchema(string package, string name, bool isKind)
{
    public string Name { get; } = name;

    public string FullName { get; } = $"{package}.{name}";

    public bool IsKind { get; } = isKind;

    public Dictionary<string, FieldType> Fields { get; } = [];

    public WireFields Wire { get; } = new();

    public Shape Shape
    {
        get => field ??= new Shape { Kind = ShapeKind.Members, Member = name => Fields.GetValueOrDefault(name)?.Shape };
        private set;
    }

    public void MergeWhole() => Shape = Shape.Leaf;
}

/// <summary>The types of <see cref="CoreTypes"/>, <see cref="PodTypes"/>, <see cref="GroupTypes"/> and <see cref="ServerTypes"/>, read when they are first asked for.</summary>
internal sealed class TypeTable
{
    private const string Meta = "meta";

    private static readonly Lazy<TypeTable> Shared = new(static () => new TypeTable());

    private static readonly (string Group, string Package, string Text)[] Sections =
    [
        (Meta, "io.k8s.apimachinery.pkg.apis.meta.v1", CoreTypes.Meta),
        ("", "io.k8s.api.core.v1", CoreTypes.Core),
        ("", "io.k8s.api.core.v1", PodTypes.Text),
        ("apps", "io.k8s.api.apps.v1", GroupTypes.Apps),
        ("batch", "io.k8s.api.batch.v1", GroupTypes.Batch),
        ("networking.k8s.io", "io.k8s.api.networking.v1", GroupTypes.Networking),
        ("discovery.k8s.io", "io.k8s.api.discovery.v1", GroupTypes.Discovery),
        ("coordination.k8s.io", "io.k8s.api.coordination.v1", GroupTypes.Coordination),
        ("events.k8s.io", "io.k8s.api.events.v1", GroupTypes.Events),
        ("policy", "io.k8s.api.policy.v1", GroupTypes.Policy),
        ("rbac.authorization.k8s.io", "io.k8s.api.rbac.v1", GroupTypes.Rbac),
        ("scheduling.k8s.io", "io.k8s.api.scheduling.v1", GroupTypes.Scheduling),
        ("admissionregistration.k8s.io", "io.k8s.api.admissionregistration.v1", ServerTypes.Admissionregistration),
        ("apiextensions.k8s.io", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1", ServerTypes.Apiextensions),
        ("authentication.k8s.io", "io.k8s.api.authentication.v1", ServerTypes.Authentication),
        ("authorization.k8s.io", "io.k8s.api.authorization.v1", ServerTypes.Authorization),
        ("autoscaling", "io.k8s.api.autoscaling.v1", ServerTypes.Autoscaling),
        ("autoscaling", "io.k8s.api.autoscaling.v2", GroupTypes.Autoscaling),
    ];

    private readonly Dictionary<(string Group, string Name), TypeSchema> _types = [];
    private readonly HashSet<TypeSchema> _anything = [];
    private readonly ILookup<string, TypeSchema> _byName;

    private TypeTable()
    {
        var lines = new List<(string Group, TypeSchema Schema, string[] Fields)>();
        foreach (var (group, package, text) in Sections)
        {
            foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var words = line.Split(' ');
                var schema = new TypeSchema(package, words[0].TrimStart('=', '~'), line[0] == '=');
                _types.Add((group, schema.Name), schema);
                if (line[0] == '~')
                    _anything.Add(schema);
                lines.Add((group, schema, words[1..]));
            }
        }

        foreach (var (group, schema, fields) in lines)
        {
            if (schema.IsKind)
            {
                schema.Fields["apiVersion"] = Parse("string", group);
                schema.Fields["kind"] = Parse("string", group);
                Add(schema, "1.metadata", "ObjectMeta", group);
            }

            foreach (var field in fields)
            {
                var colon = field.IndexOf(':', StringComparison.Ordinal);
                Add(schema, field[..colon], field[(colon + 1)..], group);
            }
        }

        _byName = _types.Values.ToLookup(static schema => schema.Name);
        ReadMerging();
    }

    private void Add(TypeSchema schema, string numbered, string type, string group)
    {
        var end = numbered.AsSpan().IndexOfAny('.', '*');
        var name = numbered[(end + 1)..].TrimEnd('!');
        var field = Parse(type, group) with { IsRequired = numbered[^1] == '!', IsZeroWritten = end >= 0 && numbered[end] == '*' };
        schema.Fields[name] = field;
        if (end >= 0)
            schema.Wire.Add(numbered.AsSpan(0, end), name, field);
    }

    private void ReadMerging()
    {
        foreach (var type in MergeTypes.Whole.Split(' ').SelectMany(name => _byName[name]))
            type.MergeWhole();
        foreach (var map in MergeTypes.WholeMaps.Split(' '))
            Field(map).Merges = Shape.Leaf;
        foreach (var line in MergeTypes.Lists.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            foreach (var word in words.AsSpan(1))
            {
                var equals = word.IndexOf('=', StringComparison.Ordinal);
                var type = Field($"{words[0]}.{word[..equals].TrimEnd('!')}");
                var keys = word[(equals + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries);
                type.Merges = new Shape { Kind = keys.Length == 0 ? ShapeKind.Distinct : ShapeKind.Keyed, Keys = keys, Item = () => type.Element!.Shape };
                if (word[equals - 1] != '!')
                    type.Patch = ("merge", keys.FirstOrDefault());
            }
        }

        foreach (var word in MergeTypes.PatchedLists.Split(' '))
            Field(word[..word.IndexOf('=', StringComparison.Ordinal)]).Patch = ("merge", word[(word.IndexOf('=', StringComparison.Ordinal) + 1)..]);
        foreach (var path in MergeTypes.RetainKeys.Split(' '))
            Field(path).Patch = Field(path).Patch is { } patch ? ($"{patch.Strategy},retainKeys", patch.Key) : ("retainKeys", null);
    }

    private FieldType Field(string path)
    {
        var dot = path.IndexOf('.', StringComparison.Ordinal);
        return _byName[path[..dot]].Single().Fields[path[(dot + 1)..]];
    }

    public static TypeSchema Metadata => Shared.Value._types[(Meta, "ObjectMeta")];

    /// <returns>Null: a kind that a definition made.</returns>
    public static TypeSchema? Of(ResourceDefinition definition) => definition.Custom is not null ? null : Shared.Value._types.GetValueOrDefault((definition.Resource.Group, definition.Kind));

    /// <returns>Null: there is no such kind. What all groups speak (the options of a deletion) has each group's name.</returns>
    public static TypeSchema? Find(string group, string kind) => Shared.Value._types.GetValueOrDefault((group, kind)) ?? Shared.Value._types.GetValueOrDefault((Meta, kind));

    /// <summary>A type that no resource has: what subresources speak.</summary>
    public static TypeSchema Named(string name) => Shared.Value._byName[name].Single();

    private FieldType Parse(string text, string group)
    {
        if (text.StartsWith("[]", StringComparison.Ordinal))
            return new FieldType(Scalar.None, null, IsList: true, IsMap: false, Parse(text[2..], group), []);
        if (text.StartsWith("map:", StringComparison.Ordinal))
            return new FieldType(Scalar.None, null, IsList: false, IsMap: true, Parse(text[4..], group), []);
        var brace = text.IndexOf('{', StringComparison.Ordinal);
        var scalar = (brace < 0 ? text : text[..brace]) switch
        {
            "string" => Scalar.Text,
            "int32" => Scalar.Int32,
            "int64" => Scalar.Int64,
            "float64" => Scalar.Float64,
            "bool" => Scalar.Flag,
            "time" => Scalar.Time,
            "micro" => Scalar.MicroTime,
            "quantity" => Scalar.Quantity,
            "intstr" => Scalar.IntOrString,
            "bytes" => Scalar.Bytes,
            _ => Scalar.None,
        };
        var named = scalar == Scalar.None ? Resolve(text, group) : null;
        return new FieldType(named is not null && _anything.Contains(named) ? Scalar.Any : scalar, named, IsList: false, IsMap: false, null, brace < 0 ? [] : text[(brace + 1)..^1].Split(','));
    }

    /// <summary>A group's own types go before those that all have.</summary>
    private TypeSchema Resolve(string name, string group) =>
        _types.GetValueOrDefault((group, name)) ?? _types.GetValueOrDefault((Meta, name)) ?? _types[("", name)];
}
