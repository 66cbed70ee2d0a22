using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;

namespace Plumb.Cni.Compiler;

/// <summary>The shapes of an assembly's types, and where the fields of its structs are.</summary>
internal sealed class Shapes(MetadataReader metadata) : ISignatureTypeProvider<Shape, object?>
{
    private readonly Dictionary<TypeDefinitionHandle, Shape> _structs = [];
    private readonly Dictionary<FieldDefinitionHandle, int> _offsets = [];

    /// <summary>Bytes from the beginning of its struct.</summary>
    public int OffsetOf(FieldDefinitionHandle field)
    {
        _ = Of(metadata.GetFieldDefinition(field).GetDeclaringType());
        return _offsets[field];
    }

    public Shape Of(FieldDefinitionHandle field) => metadata.GetFieldDefinition(field).DecodeSignature(this, null);

    public Shape Of(EntityHandle type) => type.Kind switch
    {
        HandleKind.TypeDefinition => Of((TypeDefinitionHandle)type),
        HandleKind.TypeReference => GetTypeFromReference(metadata, (TypeReferenceHandle)type, 0),
        HandleKind.TypeSpecification => metadata.GetTypeSpecification((TypeSpecificationHandle)type).DecodeSignature(this, null),
        _ => throw new RefusedException($"a type by {type.Kind}"),
    };

    public Shape GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode switch
    {
        PrimitiveTypeCode.Void => Shape.Void,
        PrimitiveTypeCode.Boolean or PrimitiveTypeCode.Byte => Shape.Byte,
        PrimitiveTypeCode.SByte => Shape.SByte,
        PrimitiveTypeCode.Char or PrimitiveTypeCode.UInt16 => Shape.UInt16,
        PrimitiveTypeCode.Int16 => Shape.Int16,
        PrimitiveTypeCode.Int32 or PrimitiveTypeCode.UInt32 => Shape.Int32,
        PrimitiveTypeCode.Int64 or PrimitiveTypeCode.UInt64 or PrimitiveTypeCode.IntPtr or PrimitiveTypeCode.UIntPtr => Shape.Word,
        _ => throw new RefusedException($"a value of type {typeCode}"),
    };

    public Shape GetPointerType(Shape elementType) => Shape.Word;

    public Shape GetByReferenceType(Shape elementType) => Shape.Word;

    public Shape GetPinnedType(Shape elementType) => elementType;

    public Shape GetModifiedType(Shape modifier, Shape unmodifiedType, bool isRequired) => unmodifiedType;

    public Shape GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => Of(handle);

    // A generic's name or a modifier (`in`, `out`), of which nothing is asked; what has a value is refused where its size is needed.
    public Shape GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
    {
        var type = metadata.GetTypeReference(handle);
        return new($"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}", Kind.Void, 0, 1);
    }

    /// <summary>As an instruction names it (`sizeof`, `ldobj`): those that signatures have a code for are references there.</summary>
    public Shape OfOperand(EntityHandle type)
    {
        var shape = Of(type);
        return shape.Name switch
        {
            _ when shape.Kind != Kind.Void => shape,
            "System.Boolean" or "System.Byte" => Shape.Byte,
            "System.SByte" => Shape.SByte,
            "System.Char" or "System.UInt16" => Shape.UInt16,
            "System.Int16" => Shape.Int16,
            "System.Int32" or "System.UInt32" => Shape.Int32,
            "System.Int64" or "System.UInt64" or "System.IntPtr" or "System.UIntPtr" => Shape.Word,
            _ => throw new RefusedException($"a value of type {shape.Name}"),
        };
    }

    public Shape GetGenericInstantiation(Shape genericType, ImmutableArray<Shape> typeArguments) => genericType.Name == "System.ReadOnlySpan`1" && typeArguments is [var of] && of == Shape.Byte
        ? Shape.Literal
        : throw new RefusedException($"a value of type {genericType.Name}");

    public Shape GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) => Of((EntityHandle)handle);

    public Shape GetSZArrayType(Shape elementType) => throw new RefusedException("an array: nothing allocates");

    public Shape GetArrayType(Shape elementType, ArrayShape shape) => throw new RefusedException("an array: nothing allocates");

    public Shape GetFunctionPointerType(MethodSignature<Shape> signature) => throw new RefusedException("a pointer to a function");

    public Shape GetGenericMethodParameter(object? genericContext, int index) => throw new RefusedException("a generic method");

    public Shape GetGenericTypeParameter(object? genericContext, int index) => Shape.Byte; // of ReadOnlySpan<byte>: others have been refused

    private Shape Of(TypeDefinitionHandle handle)
    {
        if (_structs.TryGetValue(handle, out var known))
        {
            return known;
        }
        var type = metadata.GetTypeDefinition(handle);
        var name = metadata.GetString(type.Name);
        switch (BaseOf(type))
        {
            case "ValueType":
                break;
            case "Enum":
                return _structs[handle] = Of(type.GetFields().First(field => metadata.GetString(metadata.GetFieldDefinition(field).Name) == "value__"));
            default:
                throw new RefusedException($"a value of type {name}, which is a class: nothing allocates");
        }
        var instance = type.GetFields().Where(field => (metadata.GetFieldDefinition(field).Attributes & FieldAttributes.Static) == 0).ToList();
        if (instance.Count > 0 && ((type.Attributes & TypeAttributes.LayoutMask) != TypeAttributes.SequentialLayout || type.GetLayout().PackingSize != 0 || type.GetCustomAttributes().Any(IsInlineArray)))
        {
            throw new RefusedException($"a value of type {name}, whose fields do not stand one after another");
        }
        int size = 0, alignment = 1;
        foreach (var field in instance)
        {
            var shape = Of(field);
            size = (size + shape.Alignment - 1) / shape.Alignment * shape.Alignment;
            _offsets[field] = size;
            size += shape.Size;
            alignment = Math.Max(alignment, shape.Alignment);
        }
        size = Math.Max((size + alignment - 1) / alignment * alignment, type.GetLayout().Size);
        return _structs[handle] = new(name, Kind.Struct, size, alignment);
    }

    private string BaseOf(TypeDefinition type) => type.BaseType is { IsNil: false, Kind: HandleKind.TypeReference } @base
        ? metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)@base).Name)
        : "";

    private bool IsInlineArray(CustomAttributeHandle attribute) =>
        metadata.GetCustomAttribute(attribute).Constructor is { Kind: HandleKind.MemberReference } constructor
        && metadata.GetMemberReference((MemberReferenceHandle)constructor).Parent is { Kind: HandleKind.TypeReference } parent
        && metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)parent).Name) == "InlineArrayAttribute";
}
