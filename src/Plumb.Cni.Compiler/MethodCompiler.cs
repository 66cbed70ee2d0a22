using System.Reflection.Metadata;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plumb.Cni.Compiler;

/// <summary>
/// One method. Its frame, from high addresses to low: what the caller pushed, the return address, the caller's rbp, locals, the evaluation stack. A struct on that stack
/// lies at rsp as it lies in memory. No register holds anything from one instruction of the assembly's to the next.
/// </summary>
internal sealed class MethodCompiler
{
    private readonly Compilation _program;
    private readonly Assembler _c;
    private readonly EvaluationStack _stack;
    private readonly CallCompiler _calls;
    private readonly Method _method;
    private readonly MethodBodyBlock _body;
    private readonly Shape[] _locals;
    private readonly int[] _localOffsets;
    private readonly int _frameBytes;
    private readonly Dictionary<int, Label> _labels = [];
    private readonly Dictionary<int, Shape[]> _stackAt = [];
    private bool _isReached = true;

    public MethodCompiler(Compilation program, Method method, MethodBodyBlock body)
    {
        _program = program;
        _c = program.Assembler;
        _stack = new(_c);
        _calls = new(program, _stack);
        _method = method;
        _body = body;
        _locals = body.LocalSignature.IsNil ? [] : [.. program.Metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(program.Shapes, null)];
        _localOffsets = new int[_locals.Length];
        for (var i = 0; i < _locals.Length; i++)
        {
            _frameBytes += 8 * _locals[i].Slots;
            _localOffsets[i] = -_frameBytes;
        }
    }

    public void Compile()
    {
        if (!_body.ExceptionRegions.IsEmpty)
        {
            throw new RefusedException("try, catch or finally: nothing throws");
        }
        _method.Begin(_c);
        _c.push(rbp);
        _c.mov(rbp, rsp);
        if (_frameBytes > 0)
        {
            _c.sub(rsp, _frameBytes);
            _c.mov(rdi, rsp);
            _c.xor(eax, eax);
            _c.mov(ecx, _frameBytes / 8);
            _c.rep.stosq();
        }
        var il = _body.GetILReader();
        while (il.RemainingBytes > 0)
        {
            var at = il.Offset;
            try
            {
                Begin(at);
                var code = (int)il.ReadByte();
                Translate((ILOpCode)(code == 0xFE ? 0xFE00 | il.ReadByte() : code), ref il);
            }
            catch (RefusedException e)
            {
                throw new RefusedException($"IL_{at:x4}: {e.Message}");
            }
        }
    }

    private void Begin(int at)
    {
        var label = LabelAt(at);
        _c.Label(ref label);
        _labels[at] = label;
        _c.zero_bytes(); // two labels may not stand at one instruction
        if (!_isReached)
        {
            // What only a later branch leads to begins with nothing on the stack (ECMA-335 III.1.7.5).
            _stack.Shapes = _stackAt.GetValueOrDefault(at, []);
        }
        _isReached = true;
    }

    private void Translate(ILOpCode code, ref BlobReader il)
    {
        if (code.IsBranch())
        {
            var distance = code.GetBranchOperandSize() == 1 ? il.ReadSByte() : il.ReadInt32();
            Branch(code.GetBranchOperandSize() == 1 ? code.GetLongBranch() : code, il.Offset + distance);
            return;
        }
        switch (code)
        {
            case ILOpCode.Nop or ILOpCode.Volatile or ILOpCode.Readonly:
                break;
            case ILOpCode.Unaligned:
                _ = il.ReadByte();
                break;

            case >= ILOpCode.Ldarg_0 and <= ILOpCode.Ldarg_3:
                LoadArgument(code - ILOpCode.Ldarg_0);
                break;
            case ILOpCode.Ldarg_s:
                LoadArgument(il.ReadByte());
                break;
            case ILOpCode.Ldarga_s:
                _c.lea(rax, __[rbp + ArgumentOffset(il.ReadByte())]);
                _stack.Address();
                break;
            case ILOpCode.Starg_s:
                var argument = il.ReadByte();
                _stack.Store(rbp, ArgumentOffset(argument), _method.Takes[argument]);
                break;
            case >= ILOpCode.Ldloc_0 and <= ILOpCode.Ldloc_3:
                LoadLocal(code - ILOpCode.Ldloc_0);
                break;
            case ILOpCode.Ldloc_s:
                LoadLocal(il.ReadByte());
                break;
            case ILOpCode.Ldloca_s:
                _c.lea(rax, __[rbp + _localOffsets[il.ReadByte()]]);
                _stack.Address();
                break;
            case >= ILOpCode.Stloc_0 and <= ILOpCode.Stloc_3:
                StoreLocal(code - ILOpCode.Stloc_0);
                break;
            case ILOpCode.Stloc_s:
                StoreLocal(il.ReadByte());
                break;

            case >= ILOpCode.Ldc_i4_m1 and <= ILOpCode.Ldc_i4_8:
                _stack.Number((int)code - (int)ILOpCode.Ldc_i4_0);
                break;
            case ILOpCode.Ldc_i4_s:
                _stack.Number(il.ReadSByte());
                break;
            case ILOpCode.Ldc_i4:
                _stack.Number(il.ReadInt32());
                break;
            case ILOpCode.Ldc_i8:
                _stack.Number(il.ReadInt64());
                break;
            case ILOpCode.Sizeof:
                _stack.Number(_program.Shapes.OfOperand(Token(ref il)).Size);
                break;
            case ILOpCode.Dup:
                _stack.Duplicate();
                break;
            case ILOpCode.Pop:
                _stack.Drop();
                break;

            case ILOpCode.Add:
                _stack.Calculate(_c.add, _c.add);
                break;
            case ILOpCode.Sub:
                _stack.Calculate(_c.sub, _c.sub);
                break;
            case ILOpCode.Mul:
                _stack.Calculate(_c.imul, _c.imul);
                break;
            case ILOpCode.And:
                _stack.Calculate(_c.and, _c.and);
                break;
            case ILOpCode.Or:
                _stack.Calculate(_c.or, _c.or);
                break;
            case ILOpCode.Xor:
                _stack.Calculate(_c.xor, _c.xor);
                break;
            case ILOpCode.Div or ILOpCode.Rem:
                _stack.Divide(isSigned: true, code == ILOpCode.Rem);
                break;
            case ILOpCode.Div_un or ILOpCode.Rem_un:
                _stack.Divide(isSigned: false, code == ILOpCode.Rem_un);
                break;
            case ILOpCode.Shl:
                _stack.Shift(_c.shl, _c.shl);
                break;
            case ILOpCode.Shr:
                _stack.Shift(_c.sar, _c.sar);
                break;
            case ILOpCode.Shr_un:
                _stack.Shift(_c.shr, _c.shr);
                break;
            case ILOpCode.Neg:
                _stack.Change(_c.neg, _c.neg);
                break;
            case ILOpCode.Not:
                _stack.Change(_c.not, _c.not);
                break;
            case ILOpCode.Conv_i1 or ILOpCode.Conv_u1 or ILOpCode.Conv_i2 or ILOpCode.Conv_u2 or ILOpCode.Conv_i4 or ILOpCode.Conv_u4 or ILOpCode.Conv_i8 or ILOpCode.Conv_u8
                or ILOpCode.Conv_i or ILOpCode.Conv_u:
                _stack.Convert(code);
                break;
            case ILOpCode.Ceq:
                _stack.Compare(_c.sete);
                break;
            case ILOpCode.Cgt:
                _stack.Compare(_c.setg);
                break;
            case ILOpCode.Cgt_un:
                _stack.Compare(_c.seta);
                break;
            case ILOpCode.Clt:
                _stack.Compare(_c.setl);
                break;
            case ILOpCode.Clt_un:
                _stack.Compare(_c.setb);
                break;

            case >= ILOpCode.Ldind_i1 and <= ILOpCode.Ldind_i:
                _stack.LoadThrough(0, Indirect(code));
                break;
            case ILOpCode.Ldobj:
                _stack.LoadThrough(0, _program.Shapes.OfOperand(Token(ref il)));
                break;
            case ILOpCode.Stind_i1 or ILOpCode.Stind_i2 or ILOpCode.Stind_i4 or ILOpCode.Stind_i8 or ILOpCode.Stind_i:
                _stack.StoreThrough(0, Indirect(code));
                break;
            case ILOpCode.Stobj:
                _stack.StoreThrough(0, _program.Shapes.OfOperand(Token(ref il)));
                break;
            case ILOpCode.Initobj:
                _stack.Clear(_program.Shapes.OfOperand(Token(ref il)).Size);
                break;
            case ILOpCode.Localloc:
                _stack.Allocate();
                break;
            case ILOpCode.Ldfld:
                LoadField(Field(ref il));
                break;
            case ILOpCode.Ldflda:
                var inside = _program.Shapes.OffsetOf(Field(ref il));
                _c.add(__qword_ptr[rsp], inside);
                break;
            case ILOpCode.Stfld:
                var stored = Field(ref il);
                _stack.StoreThrough(_program.Shapes.OffsetOf(stored), _program.Shapes.Of(stored));
                break;
            case ILOpCode.Ldsflda:
                LoadAddress(Field(ref il));
                _stack.Address();
                break;
            case ILOpCode.Ldsfld:
                var loaded = Field(ref il);
                LoadAddress(loaded);
                _stack.Load(rax, 0, _program.Shapes.Of(loaded));
                break;
            case ILOpCode.Stsfld:
                var kept = Field(ref il);
                LoadAddress(kept);
                _stack.Store(rax, 0, _program.Shapes.Of(kept));
                break;

            case ILOpCode.Switch:
                Choose(ref il);
                break;
            case ILOpCode.Call:
                _calls.Call(Token(ref il));
                break;
            case ILOpCode.Newobj:
                _calls.Construct(Token(ref il));
                break;
            case ILOpCode.Ret:
                Return();
                break;
            default:
                throw new RefusedException($"the instruction {code.ToString().ToLowerInvariant()}");
        }
    }

    private static Shape Indirect(ILOpCode code) => code switch
    {
        ILOpCode.Ldind_i1 => Shape.SByte,
        ILOpCode.Ldind_u1 or ILOpCode.Stind_i1 => Shape.Byte,
        ILOpCode.Ldind_i2 => Shape.Int16,
        ILOpCode.Ldind_u2 or ILOpCode.Stind_i2 => Shape.UInt16,
        ILOpCode.Ldind_i4 or ILOpCode.Ldind_u4 or ILOpCode.Stind_i4 => Shape.Int32,
        _ => Shape.Word,
    };

    private static EntityHandle Token(ref BlobReader il) => System.Reflection.Metadata.Ecma335.MetadataTokens.EntityHandle(il.ReadInt32());

    private static FieldDefinitionHandle Field(ref BlobReader il) =>
        Token(ref il) is { Kind: HandleKind.FieldDefinition } field ? (FieldDefinitionHandle)field : throw new RefusedException("a field of another assembly");

    /// <summary>The address of a static field, into rax: a distance from the instruction, wherever the kernel has loaded the program.</summary>
    private void LoadAddress(FieldDefinitionHandle field) =>
        _c.AddInstruction(Instruction.Create(Code.Lea_r64_m, Register.RAX, new MemoryOperand(Register.RIP, (long)_program.AddressOf(field))));

    private Label LabelAt(int offset)
    {
        if (!_labels.TryGetValue(offset, out var label))
        {
            _labels[offset] = label = _c.CreateLabel();
        }
        return label;
    }

    /// <summary>From rbp. The first argument was pushed first and is the highest; above rbp are the caller's and the return address.</summary>
    private int ArgumentOffset(int argument) => 16 + (8 * _method.Takes.Skip(argument + 1).Sum(static one => one.Slots));

    private void LoadArgument(int argument) => _stack.Load(rbp, ArgumentOffset(argument), _method.Takes[argument]);

    private void LoadLocal(int local) => _stack.Load(rbp, _localOffsets[local], _locals[local]);

    private void StoreLocal(int local) => _stack.Store(rbp, _localOffsets[local], _locals[local]);

    private void LoadField(FieldDefinitionHandle field)
    {
        var (offset, shape) = (_program.Shapes.OffsetOf(field), _program.Shapes.Of(field));
        if (_stack.Top.Kind == Kind.Struct)
        {
            _stack.Field(offset, shape);
        }
        else
        {
            _stack.LoadThrough(offset, shape);
        }
    }

    private void Branch(ILOpCode code, int to)
    {
        var label = LabelAt(to);
        Action<Label> jump = code switch
        {
            ILOpCode.Br => _c.jmp,
            ILOpCode.Brfalse or ILOpCode.Beq => _c.je,
            ILOpCode.Brtrue or ILOpCode.Bne_un => _c.jne,
            ILOpCode.Bge => _c.jge,
            ILOpCode.Bgt => _c.jg,
            ILOpCode.Ble => _c.jle,
            ILOpCode.Blt => _c.jl,
            ILOpCode.Bge_un => _c.jae,
            ILOpCode.Bgt_un => _c.ja,
            ILOpCode.Ble_un => _c.jbe,
            ILOpCode.Blt_un => _c.jb,
            _ => throw new RefusedException($"the instruction {code.ToString().ToLowerInvariant()}"),
        };
        if (code is ILOpCode.Brfalse or ILOpCode.Brtrue)
        {
            _stack.Test();
        }
        else if (code != ILOpCode.Br)
        {
            _stack.Compare();
        }
        jump(label);
        _stackAt[to] = _stack.Shapes;
        _isReached = code != ILOpCode.Br;
    }

    private void Choose(ref BlobReader il)
    {
        var distances = new int[il.ReadInt32()];
        for (var i = 0; i < distances.Length; i++)
        {
            distances[i] = il.ReadInt32();
        }
        _c.pop(rax);
        _stack.Popped();
        for (var i = 0; i < distances.Length; i++)
        {
            _c.cmp(eax, i);
            _c.je(LabelAt(il.Offset + distances[i]));
            _stackAt[il.Offset + distances[i]] = _stack.Shapes;
        }
    }

    private void Return()
    {
        if (_method.Returns.Slots >= 1)
        {
            _stack.Popped();
            _c.pop(rax);
        }
        if (_method.Returns.Slots == 2)
        {
            _c.pop(rdx);
        }
        _c.leave();
        _c.ret((short)_method.TakesBytes);
        _isReached = false;
    }
}
