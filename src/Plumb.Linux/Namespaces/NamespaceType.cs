using Plumb.Linux.Native;

namespace Plumb.Linux.Namespaces;

/// <summary>Tells what a namespace descriptor is one of.</summary>
internal static class NamespaceType
{
    public const int Network = Libc.CLONE_NEWNET;

    private const uint NS_GET_NSTYPE = 0xb703; // _IO(0xb7, 3), linux/nsfs.h

    /// <summary>The CLONE_NEW… flag of the namespace; −1 for any other file.</summary>
    public static int Of(FileDescriptor file) => Libc.Ioctl(file.Number, NS_GET_NSTYPE, 0);
}
