using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>
/// For programs in a user namespace that has one user, as an ordinary user can make it: <c>setgroups(2)</c> is denied there for good, and no other ids exist
/// (user_namespaces(7)). A program that begins as root and insists on becoming somebody else, as tcpdump does, would end of that.
/// </summary>
/// <remarks>The rights of who is told so stay what they were: those of the user who made the namespace.</remarks>
public static class SingleUser
{
    private const int PR_SET_SECCOMP = 22;
    private const int PR_SET_NO_NEW_PRIVS = 38;
    private const int SECCOMP_MODE_FILTER = 2;
    private const uint SECCOMP_RET_ALLOW = 0x7fff_0000;
    private const uint SECCOMP_RET_ERRNO = 0x0005_0000; // with errno 0: not done, and said to be done

    // struct seccomp_data
    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;

    private const ushort LoadWord = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private const ushort JumpIfEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort Return = 0x06; // BPF_RET | BPF_K

    /// <summary>
    /// What this thread becomes with execve(2), and all that comes of it, is told that <c>setuid</c>, <c>setgid</c> and <c>setgroups</c> have succeeded. Files' own
    /// users and capabilities have no effect from then on; in such a namespace they have none before.
    /// </summary>
    /// <exception cref="SystemCallException">The kernel has no seccomp filters.</exception>
    public static unsafe void Pretend()
    {
        var (architecture, calls) = RuntimeInformation.ProcessArchitecture switch
        {
            // AUDIT_ARCH_*; setuid, setgid, setgroups, setresuid, setresgid of asm/unistd.h
            Architecture.X64 => (0xc000_003eu, (uint[])[105, 106, 116, 117, 119]),
            Architecture.Arm64 => (0xc000_00b7u, [146, 144, 159, 147, 149]),
            _ => (0u, []),
        };
        if (calls.Length == 0)
        {
            return;
        }
        var program = stackalloc Instruction[calls.Length + 5];
        var length = 0;
        program[length++] = new Instruction(LoadWord, ArchitectureOffset);
        program[length++] = new Instruction(JumpIfEqual, architecture, otherwise: (byte)(calls.Length + 1));
        program[length++] = new Instruction(LoadWord, NumberOffset);
        for (var i = 0; i < calls.Length; i++)
        {
            program[length++] = new Instruction(JumpIfEqual, calls[i], then: (byte)(calls.Length - i));
        }
        program[length++] = new Instruction(Return, SECCOMP_RET_ALLOW);
        program[length++] = new Instruction(Return, SECCOMP_RET_ERRNO);
        var filter = new Program { Length = (ushort)length, Instructions = program };
        // Without it only who has CAP_SYS_ADMIN may filter.
        if (Libc.ProcessControl(PR_SET_NO_NEW_PRIVS, 1, 0) != 0 || Libc.ProcessControl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (nuint)(&filter)) != 0)
        {
            throw SystemCallException.Last("prctl", "PR_SET_SECCOMP");
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
