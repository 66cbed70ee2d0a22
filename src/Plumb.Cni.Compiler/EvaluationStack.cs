using System.Reflection.Metadata;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plumb.Cni.Compiler;

/// <summary>
/// The evaluation stack of ECMA-335 I.12.3.2 on the machine's: what lies on it, known while compiling, and the instructions that work on it. Integers of up to 32 bits take a place
/// of 8 bytes, of which the upper half is anything; a struct takes whole places and lies at rsp as it lies in memory.
/// </summary>
internal sealed class EvaluationStack(Assembler c)
{
    private readonly Stack<Shape> _shapes = [];

    public Shape[] Shapes
    {
        get => [.. _shapes.Reverse()];
        set
        {
            _shapes.Clear();
            foreach (var shape in value)
            {
                _shapes.Push(shape);
            }
        }
    }

    /// <summary>Says what the machine's stack has been given.</summary>
    public void Pushed(Shape shape) => _shapes.Push(shape.Kind == Kind.Int32 ? Shape.Int32 : shape);

    /// <summary>Says that the machine's stack has been relieved of its top.</summary>
    public Shape Popped() => _shapes.Count > 0 ? _shapes.Pop() : throw new RefusedException("more is taken from the stack than is on it");

    public Shape Top => _shapes.Peek();

    public void Number(int number)
    {
        c.push(number);
        Pushed(Shape.Int32);
    }

    public void Number(long number)
    {
        c.mov(rax, number);
        c.push(rax);
        Pushed(Shape.Word);
    }

    /// <summary>Pushes the address that is in rax.</summary>
    public void Address()
    {
        c.push(rax);
        Pushed(Shape.Word);
    }

    public void Duplicate()
    {
        c.mov(rax, rsp);
        Load(rax, 0, _shapes.Peek());
    }

    public void Drop() => c.add(rsp, 8 * Popped().Slots);

    /// <summary>Pushes what lies at a register's address and <paramref name="offset"/>.</summary>
    public void Load(AssemblerRegister64 at, int offset, Shape shape)
    {
        switch (shape)
        {
            case { Kind: Kind.Struct }:
                RequirePlaces(shape);
                for (var i = shape.Size - 8; i >= 0; i -= 8)
                {
                    c.push(__qword_ptr[at + offset + i]);
                }
                break;
            case { Size: 1, IsSigned: true }:
                c.movsx(ecx, __byte_ptr[at + offset]);
                c.push(rcx);
                break;
            case { Size: 1 }:
                c.movzx(ecx, __byte_ptr[at + offset]);
                c.push(rcx);
                break;
            case { Size: 2, IsSigned: true }:
                c.movsx(ecx, __word_ptr[at + offset]);
                c.push(rcx);
                break;
            case { Size: 2 }:
                c.movzx(ecx, __word_ptr[at + offset]);
                c.push(rcx);
                break;
            case { Size: 4 }:
                c.mov(ecx, __dword_ptr[at + offset]);
                c.push(rcx);
                break;
            default:
                c.push(__qword_ptr[at + offset]);
                break;
        }
        Pushed(shape);
    }

    /// <summary>Pops into what lies at a register's address and <paramref name="offset"/>.</summary>
    public void Store(AssemblerRegister64 at, int offset, Shape shape)
    {
        if (Popped().Slots != shape.Slots)
        {
            throw new RefusedException($"something else is stored in a place for {shape.Name}");
        }
        if (shape.Kind == Kind.Struct)
        {
            RequirePlaces(shape);
            for (var i = 0; i < shape.Size; i += 8)
            {
                c.pop(__qword_ptr[at + offset + i]);
            }
            return;
        }
        c.pop(rcx);
        switch (shape.Size)
        {
            case 1:
                c.mov(__byte_ptr[at + offset], cl);
                break;
            case 2:
                c.mov(__word_ptr[at + offset], cx);
                break;
            case 4:
                c.mov(__dword_ptr[at + offset], ecx);
                break;
            default:
                c.mov(__qword_ptr[at + offset], rcx);
                break;
        }
    }

    /// <summary>Replaces an address by what lies <paramref name="offset"/> behind it.</summary>
    public void LoadThrough(int offset, Shape shape)
    {
        Popped();
        c.pop(rax);
        Load(rax, offset, shape);
    }

    /// <summary>Pops a value, and the address below it.</summary>
    public void StoreThrough(int offset, Shape shape)
    {
        c.mov(rax, __qword_ptr[rsp + (8 * shape.Slots)]);
        Store(rax, offset, shape);
        c.add(rsp, 8);
        Popped();
    }

    /// <summary>Replaces a struct by one of its fields.</summary>
    public void Field(int offset, Shape shape)
    {
        c.mov(rax, rsp);
        Drop();
        Load(rax, offset, shape); // pushes from high to low: nothing is overwritten that is still to be read
    }

    /// <summary>Sets memory to zero whose address is on top.</summary>
    public void Clear(int bytes)
    {
        Popped();
        c.pop(rdi);
        c.xor(eax, eax);
        c.mov(ecx, bytes);
        c.rep.stosb();
    }

    /// <summary>Takes memory from the machine's stack, as many bytes as is on top, and leaves its address. It is zero.</summary>
    public void Allocate()
    {
        Widen(Popped(), isSigned: false);
        if (_shapes.Count > 0)
        {
            throw new RefusedException("memory of the stack is taken within an expression");
        }
        c.pop(rcx);
        c.add(rcx, 15);
        c.and(rcx, -16);
        c.sub(rsp, rcx);
        c.mov(rdi, rsp);
        c.xor(eax, eax);
        c.rep.stosb();
        c.mov(rax, rsp);
        c.push(rax);
        Pushed(Shape.Word);
    }

    public void Calculate(Action<AssemblerRegister32, AssemblerRegister32> of32, Action<AssemblerRegister64, AssemblerRegister64> of64)
    {
        if (PopTwo().Kind == Kind.Int32)
        {
            of32(eax, ecx);
            c.push(rax);
            Pushed(Shape.Int32);
        }
        else
        {
            of64(rax, rcx);
            c.push(rax);
            Pushed(Shape.Word);
        }
    }

    public void Divide(bool isSigned, bool wantsRest)
    {
        var shape = PopTwo();
        switch (shape.Kind, isSigned)
        {
            case (Kind.Int32, true):
                c.cdq();
                c.idiv(ecx);
                break;
            case (Kind.Int32, false):
                c.xor(edx, edx);
                c.div(ecx);
                break;
            case (_, true):
                c.cqo();
                c.idiv(rcx);
                break;
            default:
                c.xor(edx, edx);
                c.div(rcx);
                break;
        }
        c.push(wantsRest ? rdx : rax);
        Pushed(shape);
    }

    public void Shift(Action<AssemblerRegister32, AssemblerRegister8> of32, Action<AssemblerRegister64, AssemblerRegister8> of64)
    {
        Popped();
        c.pop(rcx);
        var shape = Popped();
        c.pop(rax);
        if (shape.Kind == Kind.Int32)
        {
            of32(eax, cl);
        }
        else
        {
            of64(rax, cl);
        }
        c.push(rax);
        Pushed(shape);
    }

    public void Change(Action<AssemblerRegister32> of32, Action<AssemblerRegister64> of64)
    {
        c.pop(rax);
        if (_shapes.Peek().Kind == Kind.Int32)
        {
            of32(eax);
        }
        else
        {
            of64(rax);
        }
        c.push(rax);
    }

    /// <summary>Compares the two on top for a jump that follows.</summary>
    public void Compare()
    {
        if (PopTwo().Kind == Kind.Int32)
        {
            c.cmp(eax, ecx);
        }
        else
        {
            c.cmp(rax, rcx);
        }
    }

    /// <summary>Compares the two on top and leaves 1 or 0.</summary>
    public void Compare(Action<AssemblerRegister8> set)
    {
        Compare();
        set(al);
        c.movzx(eax, al);
        c.push(rax);
        Pushed(Shape.Int32);
    }

    /// <summary>Whether the top is zero, for a jump that follows.</summary>
    public void Test()
    {
        c.pop(rax);
        if (Popped().Kind == Kind.Int32)
        {
            c.test(eax, eax);
        }
        else
        {
            c.test(rax, rax);
        }
    }

    public void Convert(ILOpCode to)
    {
        var from = Popped();
        switch (to)
        {
            case ILOpCode.Conv_i4 or ILOpCode.Conv_u4:
                Pushed(Shape.Int32);
                return;
            case ILOpCode.Conv_i8 or ILOpCode.Conv_i or ILOpCode.Conv_u8 or ILOpCode.Conv_u:
                Widen(from, to is ILOpCode.Conv_i8 or ILOpCode.Conv_i);
                Pushed(Shape.Word);
                return;
        }
        c.pop(rax);
        switch (to)
        {
            case ILOpCode.Conv_i1:
                c.movsx(eax, al);
                break;
            case ILOpCode.Conv_u1:
                c.movzx(eax, al);
                break;
            case ILOpCode.Conv_i2:
                c.movsx(eax, ax);
                break;
            default:
                c.movzx(eax, ax);
                break;
        }
        c.push(rax);
        Pushed(Shape.Int32);
    }

    // What is moved by places would take or overwrite what stands behind it.
    private static void RequirePlaces(Shape shape)
    {
        if (shape.Size % 8 != 0)
        {
            throw new RefusedException($"a copy of {shape.Name}, whose {shape.Size} bytes are not a multiple of 8");
        }
    }

    private void Widen(Shape from, bool isSigned)
    {
        if (from.Kind != Kind.Int32)
        {
            return;
        }
        if (isSigned)
        {
            c.movsxd(rax, __dword_ptr[rsp]);
        }
        else
        {
            c.mov(eax, __dword_ptr[rsp]);
        }
        c.mov(__qword_ptr[rsp], rax);
    }

    /// <summary>The upper one is in rcx, the lower in rax. A native integer and one of 32 bits meet as native ones (ECMA-335 III.1.5).</summary>
    private Shape PopTwo()
    {
        var (upper, lower) = (Popped(), Popped());
        if (upper.Kind == Kind.Struct || lower.Kind == Kind.Struct)
        {
            throw new RefusedException("a struct where a number is needed");
        }
        c.pop(rcx);
        c.pop(rax);
        if (upper.Kind == lower.Kind)
        {
            return upper;
        }
        if (upper.Kind == Kind.Int32)
        {
            c.movsxd(rcx, ecx);
        }
        else
        {
            c.movsxd(rax, eax);
        }
        return Shape.Word;
    }
}
