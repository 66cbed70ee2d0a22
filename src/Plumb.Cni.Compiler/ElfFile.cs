using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Plumb.Cni.Compiler;

/// <summary>
/// The file that the kernel executes: position-independent (it is loaded wherever the kernel likes), with no interpreter, and no page that can be both written and executed.
/// A table of symbols names the methods to <c>objdump</c>, <c>gdb</c> and <c>perf</c>. Layout: System V ABI, chapters 4 and 5; linux/elf.h.
/// </summary>
internal sealed class ElfFile
{
    private const int HeaderBytes = 64;
    private const int Segments = 4;
    private const int SegmentBytes = 56;
    private const int SectionBytes = 64;
    private const int SymbolBytes = 24;
    private const ulong PageBytes = 0x1000;

    private readonly List<byte> _file = [];

    /// <summary>The whole file. The same program gives the same bytes.</summary>
    public static byte[] Of(MachineProgram program) => new ElfFile().Write(program);

    private byte[] Write(MachineProgram program)
    {
        _file.AddRange(new byte[HeaderBytes + (Segments * SegmentBytes)]);
        var text = Append(program.Text, PageBytes, MachineProgram.TextAddress);
        var data = Append(program.Data, PageBytes, MachineProgram.DataAddress);

        var names = new StringTable();
        var symbols = new byte[SymbolBytes * (program.Symbols.Count + 1)];
        var inOrder = program.Symbols.OrderBy(static one => one.Address).ToList();
        for (var i = 0; i < inOrder.Count; i++)
        {
            var end = i + 1 < inOrder.Count ? inOrder[i + 1].Address : MachineProgram.TextAddress + (ulong)program.Text.Length;
            var symbol = symbols.AsSpan(SymbolBytes * (i + 1));
            BinaryPrimitives.WriteUInt32LittleEndian(symbol, names.Add(inOrder[i].Name));
            symbol[4] = 0x02; // STB_LOCAL, STT_FUNC
            BinaryPrimitives.WriteUInt16LittleEndian(symbol[6..], 1); // in .text
            BinaryPrimitives.WriteUInt64LittleEndian(symbol[8..], inOrder[i].Address);
            BinaryPrimitives.WriteUInt64LittleEndian(symbol[16..], end - inOrder[i].Address);
        }
        var symbolTable = Append(symbols, 8, 0);
        var symbolNames = Append(names.Bytes, 1, 0);

        var zero = new Place(0, MachineProgram.ZeroAddress, (ulong)program.ZeroBytes, IsInFile: false);
        var sectionNames = new StringTable();
        Section[] sections =
        [
            default,
            new(sectionNames.Add(".text"), 1, 6, text, Alignment: 16), // SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR
            new(sectionNames.Add(".rodata"), 1, 2, data, Alignment: 16),
            new(sectionNames.Add(".bss"), 8, 3, zero, Alignment: 16), // SHT_NOBITS, SHF_WRITE | SHF_ALLOC
            new(sectionNames.Add(".symtab"), 2, 0, symbolTable, Alignment: 8, Link: 5, Info: (uint)program.Symbols.Count + 1, EntryBytes: SymbolBytes),
            new(sectionNames.Add(".strtab"), 3, 0, symbolNames, Alignment: 1),
            new(sectionNames.Add(".shstrtab"), 3, 0, Append(sectionNames.Bytes, 1, 0), Alignment: 1),
        ];
        var table = Append([.. sections.SelectMany(static one => one.ToBytes())], 8, 0);

        WriteHeader(table.Offset, sections.Length);
        // PT_LOAD of what is executed, what is read, and what is written; PT_GNU_STACK: the stack is not executed.
        WriteSegment(0, 1, 5, text);
        WriteSegment(1, 1, 4, data);
        WriteSegment(2, 1, 6, zero);
        WriteSegment(3, 0x6474_e551, 6, default);
        return [.. _file];
    }

    private Place Append(ReadOnlySpan<byte> bytes, ulong alignment, ulong address)
    {
        _file.AddRange(new byte[(int)(((ulong)_file.Count + alignment - 1) / alignment * alignment) - _file.Count]);
        var offset = (ulong)_file.Count;
        _file.AddRange(bytes);
        return new(offset, address, (ulong)bytes.Length);
    }

    private void WriteHeader(ulong sections, int count)
    {
        var header = Span(0, HeaderBytes);
        // ELFCLASS64, ELFDATA2LSB, EV_CURRENT; ET_DYN, EM_X86_64
        ((ReadOnlySpan<byte>)[0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 62, 0, 1]).CopyTo(header);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], MachineProgram.TextAddress); // e_entry
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], HeaderBytes); // e_phoff
        BinaryPrimitives.WriteUInt64LittleEndian(header[40..], sections); // e_shoff
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], HeaderBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], SegmentBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], Segments);
        BinaryPrimitives.WriteUInt16LittleEndian(header[58..], SectionBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(header[60..], (ushort)count);
        BinaryPrimitives.WriteUInt16LittleEndian(header[62..], (ushort)(count - 1)); // e_shstrndx
    }

    private void WriteSegment(int number, uint type, uint flags, Place place)
    {
        var segment = Span(HeaderBytes + (SegmentBytes * number), SegmentBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(segment, type);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[8..], place.Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], place.Address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], place.Address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], place.IsInFile ? place.Bytes : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], place.Bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], PageBytes);
    }

    private Span<byte> Span(int start, int length) => CollectionsMarshal.AsSpan(_file).Slice(start, length);

    /// <summary>Where something is, in the file and in memory.</summary>
    private readonly record struct Place(ulong Offset, ulong Address, ulong Bytes, bool IsInFile = true);

    private readonly record struct Section(uint Name, uint Type, ulong Flags, Place Place, ulong Alignment, uint Link = 0, uint Info = 0, ulong EntryBytes = 0)
    {
        public byte[] ToBytes()
        {
            var bytes = new byte[SectionBytes];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, Name);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Type);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), Flags);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), Place.Address);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), Place.Offset);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), Place.Bytes);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(40), Link);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(44), Info);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(48), Alignment);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(56), EntryBytes);
            return bytes;
        }
    }

    /// <summary>Names one after another, each with a NUL behind it, and an empty one first.</summary>
    private sealed class StringTable
    {
        private readonly List<byte> _bytes = [0];

        public byte[] Bytes => [.. _bytes];

        public uint Add(string name)
        {
            var at = (uint)_bytes.Count;
            _bytes.AddRange(Encoding.UTF8.GetBytes(name));
            _bytes.Add(0);
            return at;
        }
    }
}
