namespace Plumb.Linux.Bpf;

/// <summary>Writes an eBPF program, instruction by instruction.</summary>
internal sealed class BpfAssembler
{
    private const byte BPF_ALU64 = 0x07;
    private const byte BPF_JMP = 0x05;
    private const byte BPF_LDX = 0x01;
    private const byte BPF_STX = 0x03;
    private const byte BPF_ST = 0x02;
    private const byte BPF_MEM = 0x60;
    private const byte BPF_X = 0x08;
    private const byte BPF_ADD = 0x00;
    private const byte BPF_MOV = 0xb0;
    private const byte BPF_CALL = 0x80;
    private const byte BPF_EXIT = 0x90;
    private const byte LoadImmediate64 = 0x18; // BPF_LD | BPF_DW | BPF_IMM
    private const byte BPF_PSEUDO_MAP_FD = 1;

    private readonly List<ulong> _instructions = [];

    public ulong[] Assemble() => [.. _instructions];

    public BpfAssembler Move(BpfRegister to, BpfRegister from) => Add(BPF_ALU64 | BPF_MOV | BPF_X, to, from);

    public BpfAssembler Move(BpfRegister to, int value) => Add(BPF_ALU64 | BPF_MOV, to, immediate: value);

    public BpfAssembler Add(BpfRegister to, int value) => Add(BPF_ALU64 | BPF_ADD, to, immediate: value);

    public BpfAssembler Add(BpfRegister to, BpfRegister value) => Add(BPF_ALU64 | BPF_ADD | BPF_X, to, value);

    /// <summary>to = *(from + offset)</summary>
    public BpfAssembler Load(BpfSize size, BpfRegister to, BpfRegister from, int offset) => Add((byte)(BPF_LDX | BPF_MEM | (byte)size), to, from, (short)offset);

    /// <summary>*(to + offset) = value</summary>
    public BpfAssembler Store(BpfSize size, BpfRegister to, int offset, BpfRegister value) => Add((byte)(BPF_STX | BPF_MEM | (byte)size), to, value, (short)offset);

    public BpfAssembler Store(BpfSize size, BpfRegister to, int offset, int value) => Add((byte)(BPF_ST | BPF_MEM | (byte)size), to, default, (short)offset, value);

    public BpfAssembler LoadMap(BpfRegister to, int descriptor)
    {
        Add(LoadImmediate64, to, (BpfRegister)BPF_PSEUDO_MAP_FD, 0, descriptor);
        _instructions.Add(0);
        return this;
    }

    public BpfAssembler Call(BpfFunction helper) => Add(BPF_JMP | BPF_CALL, default, immediate: (int)helper);

    public BpfAssembler Exit() => Add(BPF_JMP | BPF_EXIT, default);

    private BpfAssembler Add(byte code, BpfRegister destination, BpfRegister source = default, short offset = 0, int immediate = 0)
    {
        _instructions.Add(BpfInstruction.Encode(code, destination, source, offset, immediate));
        return this;
    }
}
