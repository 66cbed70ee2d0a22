namespace Plumb.Agent.Repair;

/// <summary>Names whoever is behind a netlink port id. A process's first socket has its process id for one, unless it chose another.</summary>
internal static class WriterName
{
    public static string Of(uint portId)
    {
        try
        {
            return $"{File.ReadAllText($"/proc/{portId}/comm").Trim()} (process {portId})";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"a process that has ended (netlink port {portId})";
        }
    }
}
