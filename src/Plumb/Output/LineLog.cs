using Microsoft.Extensions.Logging;

namespace Plumb.Output;

/// <summary>A log of one line an event, as a service's journal wants it: no time, which the journal adds.</summary>
internal sealed class LineLog(TextWriter to) : ILogger
{
    private readonly Lock _oneAtATime = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }
        var line = $"{logLevel.ToString().ToLowerInvariant()} {eventId.Id} {formatter(state, exception)}{(exception is null ? "" : $": {exception.Message}")}";
        lock (_oneAtATime)
        {
            to.WriteLine(line.ReplaceLineEndings(" "));
            to.Flush();
        }
    }
}
