using System.Buffers.Binary;
using System.Globalization;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Capture;

/// <summary>A classic BPF program (<c>struct sock_filter</c> of <c>linux/filter.h</c>): which frames or messages a socket takes, and how many bytes of each.</summary>
public sealed class FilterProgram
{
    private const int MostInstructions = 4096;
    private const int SO_ATTACH_FILTER = 26;

    // Each 64 bits: code, jump if true, jump if false, operand; as struct sock_filter lies in memory.
    private readonly ulong[] _instructions;

    private FilterProgram(ulong[] instructions) => _instructions = instructions;

    /// <summary>The first bytes of every frame.</summary>
    public static FilterProgram First(int bytes)
    {
        const ushort BPF_RET = 6;
        return new FilterProgram([Instruction(BPF_RET, 0, 0, (uint)bytes)]);
    }

    /// <summary>For a netlink socket: answers to its requests, and of the news only those of one type whose first byte (the family of what they tell of) is this.</summary>
    internal static FilterProgram AnswersAnd(ushort messageType, byte family)
    {
        const ushort loadHalf = 0x28; // BPF_LD | BPF_H | BPF_ABS: big-endian, as netlink is not
        const ushort loadByte = 0x30;
        const ushort jumpIfEqual = 0x15;
        const ushort end = 0x06;
        const uint typeOffset = 4; // of nlmsg_type in struct nlmsghdr
        return new FilterProgram(
        [
            Instruction(loadHalf, 0, 0, typeOffset),
            Instruction(jumpIfEqual, 3, 0, InNetworkOrder(NetlinkControl.NLMSG_ERROR)),
            Instruction(jumpIfEqual, 0, 3, InNetworkOrder(messageType)),
            Instruction(loadByte, 0, 0, NetlinkControl.HeaderBytes),
            Instruction(jumpIfEqual, 0, 1, family),
            Instruction(end, 0, 0, uint.MaxValue),
            Instruction(end, 0, 0, 0),
        ]);

        static ushort InNetworkOrder(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    /// <summary>Reads what <c>tcpdump -ddd</c> prints: the number of instructions, then one to a line, in decimal.</summary>
    /// <exception cref="FormatException">The text is no such program.</exception>
    public static FilterProgram Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines.Length == 0 || !int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count != lines.Length - 1 || count is 0 or > MostInstructions)
        {
            throw new FormatException("no filter program: the first line is to be the number of the lines that follow");
        }
        var instructions = new ulong[count];
        for (var i = 0; i < count; i++)
        {
            var words = lines[i + 1].Split(' ');
            if (words.Length != 4
                || !ushort.TryParse(words[0], CultureInfo.InvariantCulture, out var code)
                || !byte.TryParse(words[1], CultureInfo.InvariantCulture, out var whenTrue)
                || !byte.TryParse(words[2], CultureInfo.InvariantCulture, out var whenFalse)
                || !uint.TryParse(words[3], CultureInfo.InvariantCulture, out var operand))
            {
                throw new FormatException($"no filter program: line {i + 2} is '{lines[i + 1]}'");
            }
            instructions[i] = Instruction(code, whenTrue, whenFalse, operand);
        }
        return new FilterProgram(instructions);
    }

    internal unsafe void AttachTo(int socket)
    {
        fixed (ulong* first = _instructions)
        {
            // struct sock_fprog: the number, then a pointer at its own alignment.
            var program = stackalloc nint[2];
            program[0] = 0;
            *(ushort*)program = (ushort)_instructions.Length;
            program[1] = (nint)first;
            if (Libc.SetSocketOption(socket, Libc.SOL_SOCKET, SO_ATTACH_FILTER, (int*)program, (uint)(2 * sizeof(nint))) < 0)
            {
                throw SystemCallException.Last("setsockopt", "SO_ATTACH_FILTER");
            }
        }
    }

    private static ulong Instruction(ushort code, byte whenTrue, byte whenFalse, uint operand)
    {
        var instruction = default(ulong);
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(new Span<ulong>(ref instruction));
        System.Runtime.InteropServices.MemoryMarshal.Write(bytes, code);
        bytes[2] = whenTrue;
        bytes[3] = whenFalse;
        System.Runtime.InteropServices.MemoryMarshal.Write(bytes[4..], operand);
        return instruction;
    }
}
