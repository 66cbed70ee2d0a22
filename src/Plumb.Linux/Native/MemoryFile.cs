using System.Text;

namespace Plumb.Linux.Native;

/// <summary>A file without a name, in memory (<c>memfd_create(2)</c>): what a child reads as its input, or where it writes its output.</summary>
internal static class MemoryFile
{
    private const uint MFD_CLOEXEC = 1;

    /// <summary>A file with this content; who is given its descriptor begins to read at the beginning.</summary>
    public static FileDescriptor Create(string content)
    {
        var descriptor = Libc.CreateMemoryFile("plumb", MFD_CLOEXEC);
        if (descriptor < 0)
        {
            throw SystemCallException.Last("memfd_create");
        }
        var file = new FileDescriptor(descriptor);
        if (content.Length != 0)
        {
            File.WriteAllText(PathOf(file), content, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }
        return file;
    }

    public static string ReadText(FileDescriptor file) => File.ReadAllText(PathOf(file));

    // Opened anew, so that the child's place in the file is its own.
    private static string PathOf(FileDescriptor file) => $"/proc/self/fd/{file.Number}";
}
