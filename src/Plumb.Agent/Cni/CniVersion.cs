namespace Plumb.Agent.Cni;

/// <summary>The versions of the CNI specification that the agent speaks, in the order of their making.</summary>
internal static class CniVersion
{
    public const string Newest = "1.1.0";

    public static readonly string[] Supported = ["0.3.1", "0.4.0", "1.0.0", Newest];

    public static bool IsSupported(string version) => Array.IndexOf(Supported, version) >= 0;

    /// <summary>Whether <paramref name="version"/> is <paramref name="since"/> or later; both are supported ones.</summary>
    public static bool IsAtLeast(string version, string since) => Array.IndexOf(Supported, version) >= Array.IndexOf(Supported, since);
}
