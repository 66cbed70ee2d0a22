namespace Plumb.Dns.Wire;

/// <summary>Types of records, with IANA's numbers. Any other 16-bit number is a type, too: one of which nothing more is known.</summary>
public enum RecordType : ushort
{
    A = 1,
    Ns = 2,
    Cname = 5,
    Soa = 6,
    Ptr = 12,
    Hinfo = 13,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Dname = 39,

    /// <summary>EDNS0 (RFC 6891): no record but a parameter of the message.</summary>
    Opt = 41,
    Ixfr = 251,
    Axfr = 252,

    /// <summary>A question only: whatever there is (RFC 8482).</summary>
    Any = 255,
}

/// <summary>Classes of records.</summary>
internal static class RecordClass
{
    public const ushort Internet = 1;
}

/// <summary>How a question ended (RCODE), with IANA's numbers; those above 15 need EDNS.</summary>
public enum ResponseCode : byte
{
    /// <summary>NOERROR</summary>
    NoError = 0,

    /// <summary>FORMERR: the question cannot be read.</summary>
    FormatError = 1,

    /// <summary>SERVFAIL: the answer could not be had.</summary>
    ServerFailure = 2,

    /// <summary>NXDOMAIN: there is no such name, of any type.</summary>
    NoSuchName = 3,

    /// <summary>NOTIMP</summary>
    NotImplemented = 4,

    /// <summary>REFUSED</summary>
    Refused = 5,

    /// <summary>BADVERS: an EDNS version that is not 0.</summary>
    BadVersion = 16,
}

/// <summary>A message's header: twelve bytes, big-endian (RFC 1035, section 4.1.1).</summary>
internal static class Header
{
    public const int Bytes = 12;

    public const int Id = 0;
    public const int Flags = 2;
    public const int Questions = 4;
    public const int Answers = 6;
    public const int Authorities = 8;
    public const int Additionals = 10;

    public const ushort Response = 0x8000;
    public const ushort OpcodeMask = 0x7800;
    public const ushort Authoritative = 0x0400;
    public const ushort Truncated = 0x0200;
    public const ushort RecursionDesired = 0x0100;
    public const ushort RecursionAvailable = 0x0080;
    public const ushort CheckingDisabled = 0x0010;
    public const ushort CodeMask = 0x000f;
}
