using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Plumb.Cli.Tests")]
[assembly: InternalsVisibleTo("Plumb.House")]
