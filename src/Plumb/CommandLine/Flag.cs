using System.CommandLine;

namespace Plumb.CommandLine;

/// <summary>An option without a value.</summary>
internal sealed class Flag : Option<string?>
{
    public Flag(string name, string description, params string[] aliases)
        : base(name, aliases)
    {
        Description = description;
        Arity = ArgumentArity.Zero;
    }
}
