namespace Plumb.Diagnosis.Observe;

/// <summary>What a server said when a connection was to be encrypted, and what a client that looks closely makes of it.</summary>
/// <param name="Protocol"><c>TLS 1.3</c>; null: the handshake failed.</param>
/// <param name="CipherSuite">By its IANA name.</param>
/// <param name="Chain">As the server's certificate leads to its root; what was not sent and is not known is not there.</param>
/// <param name="Problems">Each in a line; none: a client would go on.</param>
public sealed record TlsReport(string? Protocol, string? CipherSuite, IReadOnlyList<TlsCertificate> Chain, IReadOnlyList<string> Problems);

/// <param name="Subject">Its common name, or where it has none all of its name (RFC 4514).</param>
/// <param name="Issuer">As <paramref name="Subject"/>.</param>
/// <param name="Names">DNS names and addresses that it is for (RFC 5280, 4.2.1.6).</param>
/// <param name="NotAfter">The last moment at which it is valid.</param>
public sealed record TlsCertificate(string Subject, string Issuer, IReadOnlyList<string> Names, DateTimeOffset NotBefore, DateTimeOffset NotAfter);
