using System.Globalization;
using Plumb.Linux.Processes;
using Plumb.Linux.State;

namespace Plumb.Agent.Storage;

/// <summary>
/// For crash tests of agents that are processes: when a file says <c>n</c>, the process ends by SIGKILL before its n-th write from then
/// on. The file goes first, so that the agent that follows lives. While there is no file all passes.
/// </summary>
public sealed class CrashSeam(string path) : IWriteSeam
{
    private readonly Lock _one = new();

    public void BeforeWrite(string what)
    {
        lock (_one)
        {
            if (!File.Exists(path))
            {
                return;
            }
            var left = int.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture);
            if (left > 1)
            {
                File.WriteAllText(path, (left - 1).ToString(CultureInfo.InvariantCulture));
                return;
            }
            File.Delete(path);
            ProcessEnd.KillSelf();
        }
    }
}
