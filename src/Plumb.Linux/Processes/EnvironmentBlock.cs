using System.Collections;

namespace Plumb.Linux.Processes;

/// <summary>Environment variables as <c>NAME=value</c> strings.</summary>
internal static class EnvironmentBlock
{
    /// <param name="variables">Null: those of this process.</param>
    public static List<string> Of(IReadOnlyDictionary<string, string>? variables)
    {
        var block = new List<string>();
        if (variables is not null)
        {
            foreach (var (name, value) in variables)
            {
                block.Add($"{name}={value}");
            }
            return block;
        }
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            block.Add($"{variable.Key}={variable.Value}");
        }
        return block;
    }
}
