using Plumb.Lab;

namespace Plumb.Commands;

internal static class Labs
{
    public static LabException NotRunning(LabName name, IReadOnlyList<LabName> running)
    {
        var others = running.Count == 0 ? "no lab runs" : $"running: {string.Join(", ", running)}";
        var start = name == LabName.Default ? "plumb up" : $"plumb up --name {name}";
        return new LabException($"no lab named '{name}' is running ({others}); `{start}` starts one");
    }
}
