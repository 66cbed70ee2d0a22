namespace Plumb.Linux.Native.Threads;

/// <summary>
/// A few threads for system calls that take long and whose end nobody awaits: neither a thread of the pool nor the caller's. They are made when first
/// needed and live as long as the process; what comes while all are busy waits for one.
/// </summary>
internal static class PatientThreads
{
    private const int Most = 8;

    private static readonly object _news = new();
    private static readonly Queue<Action> _calls = [];
    private static int _threads;
    private static int _idle;

    /// <param name="call">Throws nothing: nobody would hear of it.</param>
    public static void Run(Action call)
    {
        lock (_news)
        {
            _calls.Enqueue(call);
            if (_idle >= _calls.Count || _threads == Most)
            {
                Monitor.Pulse(_news);
                return;
            }
            _threads++;
        }
        // Born where the caller is: at home, as all threads are but those that enter namespaces, which run no such calls.
        new Thread(Loop, maxStackSize: 256 << 10) { IsBackground = true, Name = "plumb-patient" }.UnsafeStart();
    }

    private static void Loop()
    {
        while (true)
        {
            Action call;
            lock (_news)
            {
                while (!_calls.TryDequeue(out call!))
                {
                    _idle++;
                    Monitor.Wait(_news);
                    _idle--;
                }
            }
            call();
        }
    }
}
