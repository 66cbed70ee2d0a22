namespace Plumb.Lab.Node.Files;

/// <summary>Removes what a pod had on its node's disk.</summary>
internal static class PodDirectory
{
    public static void Delete(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return;
        }
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception held) when (held is IOException or UnauthorizedAccessException)
        {
            // A container of another user left what is its own alone: it goes with the lab's directory.
        }
    }
}
