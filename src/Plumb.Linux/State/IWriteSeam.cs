namespace Plumb.Linux.State;

/// <summary>
/// The one place that every write to a kernel or a disk passes. Tests count what passes and cut after the n-th, as a crash
/// would, by an exception or by the end of the process.
/// </summary>
public interface IWriteSeam
{
    /// <summary>Called just before a system call that changes something that outlives the process.</summary>
    /// <param name="what">One line for a person: which write.</param>
    void BeforeWrite(string what);

    /// <summary>Lets everything pass.</summary>
    static IWriteSeam None { get; } = new Open();

    private sealed class Open : IWriteSeam
    {
        public void BeforeWrite(string what)
        {
        }
    }
}
