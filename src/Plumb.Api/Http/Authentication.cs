using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Plumb.Api.Access;

namespace Plumb.Api.Http;

/// <summary>Whose token a request carries: the server's own, or a service account's. Everybody inside the process is the administrator.</summary>
internal sealed class Authentication(string token, ServiceAccountTokens accounts)
{
    private readonly byte[] _token = Encoding.UTF8.GetBytes(token);

    /// <returns>Null: nobody that is known.</returns>
    public UserInfo? Identify(HttpRequest request)
    {
        if (request.HttpContext.Connection.RemoteIpAddress is null && request.Headers.Authorization.Count == 0)
            return UserInfo.Admin;
        var header = request.Headers.Authorization.ToString();
        const string scheme = "Bearer ";
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        var presented = header[scheme.Length..].Trim();
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(presented), _token) ? UserInfo.Admin : accounts.Verify(presented, [])?.User;
    }
}
