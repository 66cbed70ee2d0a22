using System.Reflection.Metadata;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plumb.Cni.Compiler;

/// <summary>Calls: of methods that are compiled too, of the kernel, and of the little of the framework that C#'s compiler itself asks for.</summary>
internal sealed class CallCompiler(Compilation program, EvaluationStack stack)
{
    private readonly Assembler _c = program.Assembler;

    public void Call(EntityHandle token)
    {
        if (token.Kind == HandleKind.MethodDefinition)
        {
            var handle = (MethodDefinitionHandle)token;
            var definition = program.Metadata.GetMethodDefinition(handle);
            if (definition.GetImport() is { Module.IsNil: false } import && program.Metadata.GetString(import.Name) == "syscall")
            {
                CallKernel(definition.DecodeSignature(program.Shapes, null).ParameterTypes.Length);
                return;
            }
            var method = program.Method(handle);
            _c.call(method.Label);
            Called(method);
            return;
        }
        var name = NameOf(token);
        switch (name)
        {
            // `fixed (byte* start = literal)` and its length.
            case "ReadOnlySpan<byte>.GetPinnableReference":
                stack.LoadThrough(0, Shape.Word);
                break;
            case "ReadOnlySpan<byte>.get_Length":
                stack.LoadThrough(8, Shape.Int32);
                break;
            default:
                throw new RefusedException($"a call of {name}: nothing is called of the framework");
        }
    }

    private void Called(Method method)
    {
        foreach (var _ in method.Takes)
        {
            stack.Popped();
        }
        if (method.Returns.Slots == 2)
        {
            _c.push(rdx);
        }
        if (method.Returns.Slots >= 1)
        {
            _c.push(rax);
            stack.Pushed(method.Returns);
        }
    }

    /// <summary>The number of a system call and what it takes are in registers (System V ABI for AMD64, appendix A.2.1).</summary>
    private void CallKernel(int takes)
    {
        foreach (var register in new[] { rax, rdi, rsi, rdx, r10, r8, r9 }.Take(takes).Reverse())
        {
            stack.Popped();
            _c.pop(register);
        }
        _c.syscall();
        _c.push(rax);
        stack.Pushed(Shape.Word);
    }

    /// <summary>A struct's constructor is given the address of one that is zero; here of one that is made where the result belongs, above the arguments.</summary>
    public void Construct(EntityHandle token)
    {
        if (token.Kind != HandleKind.MethodDefinition)
        {
            if (NameOf(token) != "ReadOnlySpan<byte>..ctor")
            {
                throw new RefusedException($"an object by {NameOf(token)}: nothing allocates");
            }
            // Where it begins was pushed, then how long it is, which belongs above it.
            stack.Popped();
            stack.Popped();
            _c.pop(rax);
            _c.pop(rcx);
            _c.push(rax);
            _c.push(rcx);
            stack.Pushed(Shape.Literal);
            return;
        }
        var constructor = program.Method((MethodDefinitionHandle)token);
        var made = program.Shapes.Of((EntityHandle)program.Metadata.GetMethodDefinition(constructor.Handle).GetDeclaringType());
        var arguments = constructor.TakesBytes - 8;
        _c.sub(rsp, (8 * made.Slots) + 8);
        for (var i = 0; i < arguments; i += 8)
        {
            _c.mov(rax, __qword_ptr[rsp + i + (8 * made.Slots) + 8]);
            _c.mov(__qword_ptr[rsp + i], rax);
        }
        _c.lea(rdi, __[rsp + arguments + 8]);
        _c.mov(__qword_ptr[rsp + arguments], rdi);
        _c.xor(eax, eax);
        _c.mov(ecx, made.Slots);
        _c.rep.stosq();
        _c.call(constructor.Label);
        foreach (var _ in constructor.Takes.Skip(1))
        {
            stack.Popped();
        }
        stack.Pushed(made);
    }

    private string NameOf(EntityHandle handle)
    {
        if (handle.Kind != HandleKind.MemberReference)
        {
            throw new RefusedException("a generic method");
        }
        var member = program.Metadata.GetMemberReference((MemberReferenceHandle)handle);
        return $"{program.Shapes.Of(member.Parent).Name}.{program.Metadata.GetString(member.Name)}";
    }
}
