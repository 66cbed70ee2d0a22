using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>
/// What the kernel answers to a thread's system calls in their place (seccomp(2), SECCOMP_MODE_FILTER): a classic BPF program over <c>struct seccomp_data</c>, for x86-64
/// and 64-bit ARM. What is not named is done.
/// </summary>
internal sealed class SeccompFilter
{
    public const uint KillProcess = 0x8000_0000; // SECCOMP_RET_KILL_PROCESS
    public const uint Allow = 0x7fff_0000; // SECCOMP_RET_ALLOW

    private const int PR_SET_SECCOMP = 22;
    private const int PR_SET_NO_NEW_PRIVS = 38;
    private const int SECCOMP_MODE_FILTER = 2;
    private const uint SECCOMP_RET_ERRNO = 0x0005_0000;

    // asm/unistd.h: the numbers from here on are those of x32, whose architecture is x86-64's
    private const uint X32 = 0x4000_0000;

    // struct seccomp_data: number, architecture, instruction pointer, six arguments of 64 bits, of which this is the lower half of the first
    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;
    private const uint FirstArgumentOffset = 16;

    private const ushort LoadWord = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private const ushort JumpIfEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort JumpIfNotLess = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    private const ushort JumpIfAnyBit = 0x45; // BPF_JMP | BPF_JSET | BPF_K
    private const ushort Return = 0x06; // BPF_RET | BPF_K

    private readonly List<Instruction> _program = [];

    /// <param name="others">The answer to calls of another architecture, whose numbers mean something else.</param>
    public SeccompFilter(uint others)
    {
        // linux/audit.h: AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64
        var architecture = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 0xc000_003eu : 0xc000_00b7u;
        _program.Add(new(LoadWord, ArchitectureOffset));
        _program.Add(new(JumpIfEqual, architecture, then: 1));
        _program.Add(new(Return, others));
        _program.Add(new(LoadWord, NumberOffset));
    }

    /// <summary>Whether numbers of system calls are known for this architecture.</summary>
    public static bool IsPossible => RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>Not done, and answered with this number; 0: said to be done.</summary>
    public static uint Error(Errno number) => SECCOMP_RET_ERRNO | (uint)number;

    /// <summary>A call's number on this architecture.</summary>
    public static uint Number(uint x64, uint arm64) => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? x64 : arm64;

    public void Refuse(uint call, uint answer)
    {
        _program.Add(new(JumpIfEqual, call, otherwise: 1));
        _program.Add(new(Return, answer));
    }

    /// <summary>Calls of x86-64's other numbers, as a kernel without them answers.</summary>
    public void RefuseX32()
    {
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64)
        {
            _program.Add(new(JumpIfNotLess, X32, otherwise: 1));
            _program.Add(new(Return, Error(Errno.ENOSYS)));
        }
    }

    /// <summary>A call whose first argument has one of these bits.</summary>
    public void RefuseBits(uint call, uint bits, uint answer)
    {
        _program.Add(new(JumpIfEqual, call, otherwise: 4));
        _program.Add(new(LoadWord, FirstArgumentOffset));
        _program.Add(new(JumpIfAnyBit, bits, otherwise: 1));
        _program.Add(new(Return, answer));
        _program.Add(new(Return, Allow));
    }

    /// <summary>A call whose first argument, 32 bits, is none of these.</summary>
    public void RefuseOthers(uint call, ReadOnlySpan<uint> allowed, uint answer)
    {
        _program.Add(new(JumpIfEqual, call, otherwise: (byte)(allowed.Length + 3)));
        _program.Add(new(LoadWord, FirstArgumentOffset));
        for (var i = 0; i < allowed.Length; i++)
        {
            _program.Add(new(JumpIfEqual, allowed[i], then: (byte)(allowed.Length - i)));
        }
        _program.Add(new(Return, answer));
        _program.Add(new(Return, Allow));
    }

    /// <summary>From now on and for good, for the calling thread, what it becomes with execve(2), and all that comes of it; files' own users and capabilities have no effect any more.</summary>
    /// <exception cref="SystemCallException">The kernel has no seccomp filters.</exception>
    public unsafe void Enter()
    {
        Instruction[] program = [.. _program, new(Return, Allow)];
        fixed (Instruction* first = program)
        {
            var filter = new Program { Length = (ushort)program.Length, Instructions = first };
            // Without it only who has CAP_SYS_ADMIN may filter.
            if (Libc.ProcessControl(PR_SET_NO_NEW_PRIVS, 1, 0) != 0 || Libc.ProcessControl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (nuint)(&filter)) != 0)
            {
                throw SystemCallException.Last("prctl", "PR_SET_SECCOMP");
            }
        }
    }

    /// <summary><c>struct sock_filter</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Instruction(ushort code, uint value, byte then = 0, byte otherwise = 0)
    {
        public readonly ushort Code = code;
        public readonly byte Then = then;
        public readonly byte Otherwise = otherwise;
        public readonly uint Value = value;
    }

    /// <summary><c>struct sock_fprog</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Program
    {
        public ushort Length;
        public Instruction* Instructions;
    }
}
