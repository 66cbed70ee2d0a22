namespace Plumb.Linux.Bpf;

/// <summary>R0 … R10 of eBPF: R0 a function's result, R1–R5 its arguments, R6–R9 kept over calls, R10 the top of the stack, read only.</summary>
internal enum BpfRegister : byte
{
    R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10,
}

/// <summary>How many bytes a load or store moves (BPF_W, BPF_H, BPF_B, BPF_DW).</summary>
internal enum BpfSize : byte
{
    Word = 0x00,
    Half = 0x08,
    Byte = 0x10,
    Double = 0x18,
}

/// <summary>Functions of the kernel that programs may call (BPF_FUNC_*).</summary>
internal enum BpfFunction
{
    KtimeGetNs = 5,
    ProbeReadKernel = 113,
    RingbufOutput = 130,
}

/// <summary>One instruction (<c>struct bpf_insn</c> of <c>linux/bpf.h</c>): 64 bits as they lie in memory on a little-endian machine.</summary>
internal static class BpfInstruction
{
    public static ulong Encode(byte code, BpfRegister destination, BpfRegister source, short offset, int immediate) =>
        code | ((ulong)((byte)destination | ((byte)source << 4)) << 8) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)immediate << 32);
}
