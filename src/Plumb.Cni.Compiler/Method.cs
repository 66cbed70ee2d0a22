using System.Reflection.Metadata;
using Iced.Intel;

namespace Plumb.Cni.Compiler;

/// <summary>A method that is called. Who calls it pushes what it takes, first to last, and finds it taken off the stack again; one result is in rax, one of 16 bytes in rax and rdx.</summary>
/// <param name="takes">With <c>this</c> first, as a pointer.</param>
internal sealed class Method(MethodDefinitionHandle handle, string name, Label label, Shape[] takes, Shape returns)
{
    private Label _label = label;

    public MethodDefinitionHandle Handle { get; } = handle;

    public string Name { get; } = name;

    public Shape[] Takes { get; } = takes;

    public Shape Returns { get; } = returns;

    public Label Label => _label;

    /// <summary>Bytes that the caller pushed.</summary>
    public int TakesBytes => Takes.Sum(static one => one.Slots) * 8;

    /// <summary>It begins where the next instruction will be.</summary>
    public void Begin(Assembler assembler) => assembler.Label(ref _label);
}

/// <summary>An executable's contents. Addresses are distances from where the kernel loads it.</summary>
/// <param name="ZeroBytes">Of memory that is zero at first.</param>
internal sealed record MachineProgram(byte[] Text, byte[] Data, int ZeroBytes, IReadOnlyList<(string Name, ulong Address)> Symbols)
{
    public const ulong TextAddress = 0x1000;
    public const ulong DataAddress = 0x10_0000;
    public const ulong ZeroAddress = 0x20_0000;
}
