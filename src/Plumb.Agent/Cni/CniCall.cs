using System.Text;

namespace Plumb.Agent.Cni;

/// <summary>
/// Body of <c>POST /cni</c>: what a runtime called the plugin with. Variables stand as in <c>/proc/PID/environ</c>, each with a NUL behind it; then
/// one more NUL; then the standard input as it came, so that the plugin needs to understand none of it.
/// </summary>
/// <param name="Environment">CNI_COMMAND, CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_ARGS, CNI_PATH, so far as they are set.</param>
/// <param name="Configuration">The network configuration: text of JSON, or whatever was written there in its place.</param>
public sealed record CniCall(IReadOnlyDictionary<string, string> Environment, ReadOnlyMemory<byte> Configuration)
{
    /// <exception cref="CniException">No empty variable ends the environment, or one has no <c>=</c>.</exception>
    public static CniCall Read(ReadOnlyMemory<byte> body)
    {
        var environment = new Dictionary<string, string>(6);
        while (true)
        {
            var end = body.Span.IndexOf((byte)0);
            if (end == 0)
            {
                return new CniCall(environment, body[1..]);
            }
            var variable = end < 0 ? "" : Encoding.UTF8.GetString(body.Span[..end]);
            var equals = variable.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new CniException(CniErrorCode.CannotDecode, "the call is no environment with a NUL behind each variable and one behind all");
            }
            environment[variable[..equals]] = variable[(equals + 1)..];
            body = body[(end + 1)..];
        }
    }

    public byte[] ToBytes()
    {
        var head = new StringBuilder(512);
        foreach (var (name, value) in Environment)
        {
            head.Append(name).Append('=').Append(value).Append('\0');
        }
        head.Append('\0');
        return [.. Encoding.UTF8.GetBytes(head.ToString()), .. Configuration.Span];
    }
}
