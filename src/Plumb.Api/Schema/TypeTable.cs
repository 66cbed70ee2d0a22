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
internal sealed record FieldType(Scalar Scalar, TypeSchema? Named, bool IsList, bool IsMap, FieldType? Element)
{
    /// <summary>How values merge; null: as their type does.</summary>
    public Shape? Merges { get; set; }

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

/// <summary>One type of the API: its fields by name.</summary>
internal sealed class TypeSchema(string name, bool isKind)
{
    public string Name { get; } = name;

    /// <summary>Stands for itself in the API: has apiVersion, kind and metadata.</summary>
    public bool IsKind { get; } = isKind;

    public Dictionary<string, FieldType> Fields { get; } = [];

    public Shape Shape
    {
        get => field ??= new Shape { Kind = ShapeKind.Members, Member = name => Fields.GetValueOrDefault(name)?.Shape };
        private set;
    }

    public void MergeWhole() => Shape = Shape.Leaf;
}

/// <summary>The types of <see cref="CoreTypes"/> and <see cref="GroupTypes"/>, read when they are first asked for.</summary>
internal sealed class TypeTable
{
    private static readonly Lazy<TypeTable> Shared = new(static () => new TypeTable());

    private readonly Dictionary<string, TypeSchema> _types = [];

    private TypeTable()
    {
        var lines = new List<string>();
        foreach (var text in (ReadOnlySpan<string>)[CoreTypes.Meta, CoreTypes.Core, CoreTypes.Pods, GroupTypes.Apps, GroupTypes.Network, GroupTypes.Policy, GroupTypes.Events, GroupTypes.Requests])
            lines.AddRange(text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        foreach (var line in lines)
        {
            var isKind = line[0] == '=';
            var key = line[(isKind ? 1 : 0)..line.IndexOf(' ', StringComparison.Ordinal)];
            _types.Add(key, new TypeSchema(key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..], isKind));
        }

        foreach (var line in lines)
        {
            var words = line.Split(' ');
            var schema = _types[words[0].TrimStart('=')];
            if (schema.IsKind)
            {
                schema.Fields["apiVersion"] = Parse("string");
                schema.Fields["kind"] = Parse("string");
                schema.Fields["metadata"] = Parse("ObjectMeta");
            }

            foreach (var field in words.AsSpan(1))
            {
                var colon = field.IndexOf(':', StringComparison.Ordinal);
                schema.Fields.Add(field[..colon], Parse(field[(colon + 1)..]));
            }
        }

        ReadMerging();
    }

    private void ReadMerging()
    {
        foreach (var type in MergeTypes.Whole.Split(' '))
            _types[type].MergeWhole();
        foreach (var map in MergeTypes.WholeMaps.Split(' '))
        {
            var dot = map.IndexOf('.', StringComparison.Ordinal);
            _types[map[..dot]].Fields[map[(dot + 1)..]].Merges = Shape.Leaf;
        }

        foreach (var line in MergeTypes.Lists.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            foreach (var word in words.AsSpan(1))
            {
                var equals = word.IndexOf('=', StringComparison.Ordinal);
                var type = _types[words[0]].Fields[word[..equals]];
                var keys = word[(equals + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries);
                type.Merges = new Shape { Kind = keys.Length == 0 ? ShapeKind.Distinct : ShapeKind.Keyed, Keys = keys, Item = () => type.Element!.Shape };
            }
        }
    }

    public IEnumerable<(string Key, TypeSchema Schema)> All => _types.Select(static pair => (pair.Key, pair.Value));

    public static TypeSchema Metadata => Shared.Value._types["ObjectMeta"];

    /// <returns>Null: the kind is stored as it comes, and nothing is known of its fields.</returns>
    public static TypeSchema? Of(ResourceDefinition definition) => definition.Custom is not null ? null :
        Shared.Value._types.GetValueOrDefault($"{definition.Resource.Group}/{definition.Kind}") ?? Shared.Value._types.GetValueOrDefault(definition.Kind);

    /// <summary>A type that no resource has: what subresources speak.</summary>
    public static TypeSchema Named(string name) => Shared.Value._types[name];

    private FieldType Parse(string text)
    {
        if (text.StartsWith("[]", StringComparison.Ordinal))
            return new FieldType(Scalar.None, null, IsList: true, IsMap: false, Parse(text[2..]));
        if (text.StartsWith("map:", StringComparison.Ordinal))
            return new FieldType(Scalar.None, null, IsList: false, IsMap: true, Parse(text[4..]));
        var scalar = text switch
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
            "any" => Scalar.Any,
            _ => Scalar.None,
        };
        return new FieldType(scalar, scalar == Scalar.None ? _types[text] : null, IsList: false, IsMap: false, null);
    }
}
