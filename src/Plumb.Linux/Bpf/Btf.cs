using System.Buffers.Binary;
using System.Text;

namespace Plumb.Linux.Bpf;

/// <summary>
/// The kernel's own description of its types (BTF, <c>linux/btf.h</c>): where in a structure a field lies, and what an enumeration's numbers are called.
/// </summary>
public sealed class Btf
{
    private const ushort Magic = 0xeb9f;
    private const int HeaderBytes = 24;
    private const int TypeBytes = 12;
    private const int BTF_KIND_INT = 1;
    private const int BTF_KIND_ARRAY = 3;
    private const int BTF_KIND_STRUCT = 4;
    private const int BTF_KIND_UNION = 5;
    private const int BTF_KIND_ENUM = 6;
    private const int BTF_KIND_TYPEDEF = 8;
    private const int BTF_KIND_VOLATILE = 9;
    private const int BTF_KIND_CONST = 10;
    private const int BTF_KIND_FUNC_PROTO = 13;
    private const int BTF_KIND_VAR = 14;
    private const int BTF_KIND_DATASEC = 15;
    private const int BTF_KIND_DECL_TAG = 17;
    private const int BTF_KIND_ENUM64 = 19;

    private readonly byte[] _bytes;
    private readonly int _types;
    private readonly int _strings;

    // Where each type begins, by its number; 0 is void.
    private readonly List<int> _offsets = [0];
    private readonly Dictionary<string, int> _structures = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _enumerations = new(StringComparer.Ordinal);

    /// <param name="bytes">Of <c>/sys/kernel/btf/vmlinux</c>.</param>
    /// <exception cref="FormatException">They are no BTF of this machine's byte order, or are cut off.</exception>
    public Btf(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        _bytes = bytes;
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt16LittleEndian(bytes) != Magic)
        {
            throw new FormatException("no BTF: it does not begin with 0xeb9f");
        }
        var header = Number(4);
        _types = header + Number(8);
        _strings = header + Number(16);
        var end = _types + Number(12);
        if (header < HeaderBytes || _types < header || end < _types || end > bytes.Length || _strings < header || (long)_strings + Number(20) > bytes.Length)
        {
            throw new FormatException("the BTF is cut off: its sections are beyond its end");
        }
        for (var at = _types; at < end;)
        {
            if (at + TypeBytes > end)
            {
                throw new FormatException($"the BTF is cut off within type {_offsets.Count}");
            }
            var (kind, count) = Kind(at);
            var names = kind is BTF_KIND_STRUCT or BTF_KIND_UNION ? _structures : kind is BTF_KIND_ENUM or BTF_KIND_ENUM64 ? _enumerations : null;
            if (names is not null && Text(Number(at)) is { Length: > 0 } name)
            {
                names.TryAdd(name, _offsets.Count);
            }
            _offsets.Add(at);
            at += TypeBytes + Tail(kind, count);
        }
    }

    /// <summary>The running kernel's; null: it gives none (before Linux 5.2, or built without CONFIG_DEBUG_INFO_BTF).</summary>
    public static Btf? OfKernel()
    {
        const string path = "/sys/kernel/btf/vmlinux";
        return File.Exists(path) ? new Btf(File.ReadAllBytes(path)) : null;
    }

    /// <summary>Where a field lies, in bytes from the beginning of a structure; null: there is none of this name. Fields of structures and unions without a name are the outer one's.</summary>
    /// <param name="path">Names of fields, one within the other: <c>ns.inum</c>.</param>
    public int? OffsetOf(string structure, string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!_structures.TryGetValue(structure, out var type))
        {
            return null;
        }
        var offset = 0;
        foreach (var name in path.Split('.'))
        {
            if (Find(type, name) is not var (at, fieldType))
            {
                return null;
            }
            offset += at;
            type = fieldType;
        }
        return offset;
    }

    /// <summary>Names of an enumeration by number; empty: there is none.</summary>
    public IReadOnlyDictionary<long, string> NamesOf(string enumeration)
    {
        var names = new Dictionary<long, string>();
        if (_enumerations.TryGetValue(enumeration, out var type))
        {
            var at = _offsets[type];
            var (kind, count) = Kind(at);
            var bytes = kind == BTF_KIND_ENUM64 ? 12 : 8;
            for (var i = 0; i < count; i++)
            {
                var item = at + TypeBytes + (i * bytes);
                names.TryAdd(Number(item + 4), Text(Number(item)));
            }
        }
        return names;
    }

    private (int Offset, int Type)? Find(int type, string name)
    {
        if (type <= 0 || type >= _offsets.Count)
        {
            return null;
        }
        var at = _offsets[type];
        var (kind, count) = Kind(at);
        if (kind is BTF_KIND_TYPEDEF or BTF_KIND_VOLATILE or BTF_KIND_CONST)
        {
            return Find(Number(at + 8), name);
        }
        if (kind is not (BTF_KIND_STRUCT or BTF_KIND_UNION))
        {
            return null;
        }
        // With bit fields the offset's upper byte is the field's width.
        var hasBitFields = Number(at + 4) < 0;
        for (var i = 0; i < count; i++)
        {
            var member = at + TypeBytes + (i * 12);
            var bits = hasBitFields ? Number(member + 8) & 0xff_ffff : Number(member + 8);
            var memberType = Number(member + 4);
            var memberName = Text(Number(member));
            if (memberName == name)
            {
                return (bits / 8, memberType);
            }
            if (memberName.Length == 0 && Find(memberType, name) is var (inner, innerType))
            {
                return ((bits / 8) + inner, innerType);
            }
        }
        return null;
    }

    // struct btf_type's info: 16 bits of length, 5 of kind, one flag.
    private (int Kind, int Count) Kind(int at)
    {
        var info = Number(at + 4);
        return ((info >> 24) & 0x1f, info & 0xffff);
    }

    private static int Tail(int kind, int count) => kind switch
    {
        BTF_KIND_INT or BTF_KIND_VAR or BTF_KIND_DECL_TAG => 4,
        BTF_KIND_ARRAY => 12,
        BTF_KIND_STRUCT or BTF_KIND_UNION or BTF_KIND_DATASEC or BTF_KIND_ENUM64 => 12 * count,
        BTF_KIND_ENUM or BTF_KIND_FUNC_PROTO => 8 * count,
        _ => 0,
    };

    private int Number(int at) =>
        at >= 0 && at + 4 <= _bytes.Length ? BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(at)) : throw new FormatException($"the BTF is cut off at byte {at}");

    private string Text(int offset)
    {
        var at = (long)_strings + offset;
        if (offset < 0 || at >= _bytes.Length)
        {
            throw new FormatException($"the BTF names a string beyond its end, at {offset}");
        }
        var rest = _bytes.AsSpan((int)at);
        var end = rest.IndexOf((byte)0);
        return end == 0 ? "" : Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]);
    }
}
