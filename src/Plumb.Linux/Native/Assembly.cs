using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

// Every signature is blittable: the generated stubs are plain calls, compiled ahead of time.
[assembly: DisableRuntimeMarshalling]
// libc is the system's; never look for it beside the executable.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
