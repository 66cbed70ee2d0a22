using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Plumb.Api.Http;

/// <summary>Who may ask: the bearer of the server's token, and everybody inside the process.</summary>
internal sealed class Authentication(string token)
{
    private readonly byte[] _token = Encoding.UTF8.GetBytes(token);

    public bool Accepts(HttpRequest request)
    {
        if (request.HttpContext.Connection.RemoteIpAddress is null)
            return true;
        var header = request.Headers.Authorization.ToString();
        const string scheme = "Bearer ";
        return header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(header[scheme.Length..].Trim()), _token);
    }
}
