using System.Reflection.PortableExecutable;

namespace Plumb.Cni.Compiler;

/// <summary>Makes an executable of a method `static int Start(nint* stack)` and of all that it calls.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is not [var assembly, var type, var output])
        {
            Console.Error.WriteLine("usage: Plumb.Cni.Compiler ASSEMBLY TYPE OUTPUT, where TYPE has a method `static int Start(nint* stack)`");
            return 2;
        }
        try
        {
            using var file = File.OpenRead(assembly);
            using var image = new PEReader(file);
            var program = new Compilation(image).Compile(type);
            // By renaming: somebody may be running the one that is there.
            var made = output + ".new";
            File.WriteAllBytes(made, ElfFile.Of(program));
            File.SetUnixFileMode(made, (UnixFileMode)0b111_101_101);
            File.Move(made, output, overwrite: true);
            return 0;
        }
        catch (Exception e) when (e is RefusedException or IOException or UnauthorizedAccessException or BadImageFormatException)
        {
            // As the build's own tools say it, so that the build shows it.
            Console.Error.WriteLine($"{assembly}: error PLUMB1: {e.Message}");
            return 1;
        }
    }
}
