namespace Plumb.Agent.Cni;

/// <summary>The versions of the CNI specification that the agent speaks, in the order of their making.</summary>
public static class CniVersion
{
    public const string Newest = "1.1.0";

    private static readonly string[] _supported = ["0.3.1", "0.4.0", "1.0.0", Newest];

    public static IReadOnlyList<string> Supported => _supported;

    public static bool IsSupported(string version) => Place(version) >= 0;

    /// <summary>Whether <paramref name="version"/> is <paramref name="since"/> or later; both are supported ones.</summary>
    public static bool IsAtLeast(string version, string since) => Place(version) >= Place(since);

    private static int Place(string version) => Array.IndexOf(_supported, version);
}
