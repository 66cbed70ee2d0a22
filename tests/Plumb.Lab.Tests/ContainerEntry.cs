using System.Runtime.CompilerServices;
using Plumb.Lab.Containers.Roots;

namespace Plumb.Lab.Tests;

internal static class ContainerEntry
{
    /// <summary>A lab starts the program that it runs in once more for each container with a root of its own; here that is this test's.</summary>
    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2255", Justification = "the program's own entry point is the test framework's")]
    internal static void Enter()
    {
        if (Environment.GetCommandLineArgs() is [_, ContainerProcess.Verb, var file])
        {
            Environment.Exit(ContainerProcess.Run(file));
        }
    }
}
