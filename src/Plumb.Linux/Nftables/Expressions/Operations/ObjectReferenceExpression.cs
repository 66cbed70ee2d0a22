using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions.Operations;

/// <summary>Kinds of named objects in a table (NFT_OBJECT_*).</summary>
public enum ObjectKind : uint
{
    Counter = 1,
    Quota = 2,
    ConntrackHelper = 3,
    Limit = 4,
    ConnectionLimit = 5,
    Tunnel = 6,
    ConntrackTimeout = 7,
    SecurityMark = 8,
    ConntrackExpectation = 9,
    SynProxy = 10,
}

/// <summary><c>objref</c>: runs a named object, or the object that a map gives for the key.</summary>
public sealed record ObjectReferenceExpression : Expression
{
    private const ushort NFTA_OBJREF_IMM_TYPE = 1;
    private const ushort NFTA_OBJREF_IMM_NAME = 2;
    private const ushort NFTA_OBJREF_SET_SREG = 3;
    private const ushort NFTA_OBJREF_SET_NAME = 4;
    private const ushort NFTA_OBJREF_SET_ID = 5;

    public ObjectReferenceExpression(ObjectKind kind, string objectName)
    {
        Kind = kind;
        ObjectName = objectName;
    }

    public ObjectReferenceExpression(SetReference map, Register key)
    {
        Map = map;
        Key = key;
    }

    public override string Name => "objref";

    public ObjectKind Kind { get; }

    /// <summary>The object; null where a map decides.</summary>
    public string? ObjectName { get; }

    public SetReference? Map { get; private init; }

    public Register Key { get; }

    public override AnonymousSet? Inline => Map as AnonymousSet;

    internal override Expression Resolve(Func<string, AnonymousSet?> anonymous) =>
        Map is NamedSet named && anonymous(named.Name) is { } set ? this with { Map = set } : this;

    internal override void WriteData(ExpressionWriter writer)
    {
        if (Map is { } map)
        {
            writer.Register(NFTA_OBJREF_SET_SREG, Key);
            writer.Set(NFTA_OBJREF_SET_NAME, NFTA_OBJREF_SET_ID, map);
        }
        else
        {
            writer.Wire.U32BigEndian(NFTA_OBJREF_IMM_TYPE, (uint)Kind);
            writer.Wire.Text(NFTA_OBJREF_IMM_NAME, ObjectName!);
        }
    }

    internal static ObjectReferenceExpression? Read(AttributeReader attributes)
    {
        uint kind = 0;
        string? name = null, map = null;
        Register? key = null;
        foreach (var attribute in attributes)
        {
            switch (attribute.Type)
            {
                case NFTA_OBJREF_IMM_TYPE:
                    kind = attribute.U32BigEndian("NFTA_OBJREF_IMM_TYPE");
                    break;
                case NFTA_OBJREF_IMM_NAME:
                    name = attribute.Text("NFTA_OBJREF_IMM_NAME");
                    break;
                case NFTA_OBJREF_SET_SREG:
                    key = ExpressionReader.Register(attribute, "NFTA_OBJREF_SET_SREG");
                    break;
                case NFTA_OBJREF_SET_NAME:
                    map = attribute.Text("NFTA_OBJREF_SET_NAME");
                    break;
                case NFTA_OBJREF_SET_ID:
                    break;
                default:
                    return null;
            }
        }
        return map is not null && key is { } register ? new ObjectReferenceExpression(new NamedSet(map), register)
            : name is not null ? new ObjectReferenceExpression((ObjectKind)kind, name)
            : null;
    }
}
