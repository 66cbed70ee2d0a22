using Plumb.CommandLine;
using Plumb.Output;

return await Dispatcher.RunAsync(args, Terminal.OfThisProcess(), TimeProvider.System);
