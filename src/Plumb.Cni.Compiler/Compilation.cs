using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plumb.Cni.Compiler;

/// <summary>
/// Compiles what can be reached from one method of an assembly: static methods and those of structs, over integers, pointers, references, structs, literals and static fields.
/// Nothing allocates, throws or is called of the framework: what asks for that is refused by name. No method is more than a plain translation of its instructions,
/// one after another, with the machine's stack for the evaluation stack: a program that runs for a millisecond, most of it in the kernel, has nothing to gain from more.
/// </summary>
internal sealed class Compilation(PEReader image)
{
    private readonly MetadataReader _metadata = image.GetMetadataReader();
    private readonly Assembler _assembler = new(64);
    private readonly Dictionary<MethodDefinitionHandle, Method> _methods = [];
    private readonly Queue<Method> _awaited = [];
    private readonly Dictionary<FieldDefinitionHandle, ulong> _fields = [];
    private readonly List<byte> _data = [];
    private int _zeroBytes;

    public MetadataReader Metadata => _metadata;

    public Assembler Assembler => _assembler;

    public Shapes Shapes { get; } = new(image.GetMetadataReader());

    public MachineProgram Compile(string type)
    {
        var start = _metadata.MethodDefinitions.FirstOrDefault(one => NameOf(one) == type + ".Start");
        if (start.IsNil || Method(start) is not { Takes: [{ Kind: Kind.Word }], Returns.Kind: Kind.Int32 } entry)
        {
            throw new RefusedException($"{type} has no method `static int Start(nint* stack)`");
        }
        // The kernel leaves rsp where its arguments are, and nothing to return to.
        _assembler.mov(rax, rsp);
        _assembler.push(rax);
        _assembler.call(entry.Label);
        _assembler.mov(edi, eax);
        _assembler.mov(eax, 231); // exit_group
        _assembler.syscall();
        while (_awaited.TryDequeue(out var method))
        {
            try
            {
                new MethodCompiler(this, method, image.GetMethodBody(_metadata.GetMethodDefinition(method.Handle).RelativeVirtualAddress)).Compile();
            }
            catch (RefusedException e)
            {
                throw new RefusedException($"{method.Name}: {e.Message}");
            }
        }
        var text = new MemoryStream();
        var assembled = _assembler.Assemble(new StreamCodeWriter(text), MachineProgram.TextAddress, BlockEncoderOptions.ReturnNewInstructionOffsets);
        return new(
            text.ToArray(), [.. _data], _zeroBytes,
            [("_start", MachineProgram.TextAddress), .. _methods.Values.Select(one => (one.Name, assembled.GetLabelRIP(one.Label)))]);
    }

    /// <summary>A method that somebody calls: it is compiled, too.</summary>
    public Method Method(MethodDefinitionHandle handle)
    {
        if (_methods.TryGetValue(handle, out var known))
        {
            return known;
        }
        var name = NameOf(handle);
        var definition = _metadata.GetMethodDefinition(handle);
        if (definition.RelativeVirtualAddress == 0)
        {
            throw new RefusedException($"{name} has no body");
        }
        var signature = definition.DecodeSignature(Shapes, null);
        if (signature.ReturnType.Slots > 2)
        {
            throw new RefusedException($"{name} returns more than 16 bytes");
        }
        var method = new Method(
            handle, name, _assembler.CreateLabel(name), [.. signature.Header.IsInstance ? [Shape.Word] : Array.Empty<Shape>(), .. signature.ParameterTypes], signature.ReturnType);
        _methods.Add(handle, method);
        _awaited.Enqueue(method);
        return method;
    }

    /// <summary>Where a static field is: a literal's bytes, or memory that is zero at first.</summary>
    public ulong AddressOf(FieldDefinitionHandle handle)
    {
        if (_fields.TryGetValue(handle, out var known))
        {
            return known;
        }
        var field = _metadata.GetFieldDefinition(handle);
        var shape = Shapes.Of(handle);
        ulong address;
        if ((field.Attributes & FieldAttributes.HasFieldRVA) != 0)
        {
            _data.AddRange(new byte[-_data.Count & (shape.Alignment - 1)]);
            address = MachineProgram.DataAddress + (ulong)_data.Count;
            _data.AddRange(image.GetSectionData(field.GetRelativeVirtualAddress()).GetContent(0, shape.Size));
        }
        else
        {
            var type = _metadata.GetTypeDefinition(field.GetDeclaringType());
            if (type.GetMethods().Any(one => _metadata.GetString(_metadata.GetMethodDefinition(one).Name) == ".cctor"))
            {
                throw new RefusedException($"{_metadata.GetString(type.Name)} has static fields with initial values: nobody would set them");
            }
            _zeroBytes = (_zeroBytes + shape.Alignment - 1) / shape.Alignment * shape.Alignment;
            address = MachineProgram.ZeroAddress + (ulong)_zeroBytes;
            _zeroBytes += shape.Size;
        }
        return _fields[handle] = address;
    }

    private string NameOf(MethodDefinitionHandle handle)
    {
        var method = _metadata.GetMethodDefinition(handle);
        var type = _metadata.GetTypeDefinition(method.GetDeclaringType());
        return $"{_metadata.GetString(type.Namespace)}.{_metadata.GetString(type.Name)}.{_metadata.GetString(method.Name)}".TrimStart('.');
    }
}
