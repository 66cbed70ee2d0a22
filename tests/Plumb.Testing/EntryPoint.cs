using Plumb.Testing;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

// `dotnet test` speaks the testing platform's protocol; run by hand or by ./test, xunit's own command line answers.
var arguments = UserNamespace.Enter(args);
return arguments.Contains("--server") || arguments.Contains("--internal-msbuild-node")
    ? await TestPlatformTestFramework.RunAsync(arguments, static (_, _) => { })
    : await ConsoleRunner.Run(arguments);
