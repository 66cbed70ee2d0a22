using System.Text;
using Microsoft.Extensions.Logging;

namespace Plumb.Lab.Running;

/// <summary>The file <c>log</c> in the run directory: what the lab's parts log, one line each, and when each step of the start was reached.</summary>
internal sealed class LabLog(string path, TimeProvider time) : ILoggerFactory
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _file = new(path, append: true, new UTF8Encoding(false)) { AutoFlush = true };

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("the lab's log has one place");

    public void Write(string category, string text)
    {
        var line = $"{time.GetUtcNow():HH:mm:ss.fff} {category}: {text.ReplaceLineEndings(" | ")}";
        lock (_gate)
        {
            try
            {
                _file.WriteLine(line);
            }
            catch (Exception refused) when (refused is IOException or ObjectDisposedException)
            {
                // A full disk, or the last words of a lab that has ended: a log must not end what it tells about.
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            try
            {
                _file.Dispose();
            }
            catch (IOException)
            {
                // What a full disk had no room for is still in the writer, and lost.
            }
        }
    }

    private sealed class Logger(LabLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Write(category, $"[{eventId.Id}] {formatter(state, exception)}{(exception is null ? "" : " " + exception)}");
            }
        }
    }
}
