using Microsoft.Extensions.Logging;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Controllers;

/// <summary>
/// Drives one part of the cluster to what its objects ask for. All controllers run in one loop and one thread at a time: what they see in
/// <see cref="ClusterView"/> needs no locks, and each change is parsed once for all of them.
/// </summary>
internal abstract class Controller(ControllerContext context)
{
    protected ControllerContext Context => context;

    protected Registry Registry => context.Registry;

    protected ClusterView View => context.View;

    /// <summary>Notes what has to be done. The view already shows the new state.</summary>
    public abstract void Observe(in ObservedChange change);

    /// <summary>Does a bounded piece of the work.</summary>
    /// <returns>Whether there is more to do at once.</returns>
    public abstract bool Work();

    public virtual void Stop()
    {
    }
}

/// <summary>A controller that works through keys.</summary>
internal abstract class KeyedController<TKey> : Controller where TKey : notnull
{
    /// <summary>So many keys at a turn, lest one controller holds up the others.</summary>
    private const int Turn = 64;

    protected KeyedController(ControllerContext context) : base(context) => Queue = new WorkQueue<TKey>(context.Time, context.Wake);

    protected WorkQueue<TKey> Queue { get; }

    public override bool Work()
    {
        for (int i = 0; i < Turn && Queue.TryTake(out var key); i++)
        {
            try
            {
                Reconcile(key);
                Queue.Succeeded(key);
            }
            catch (ApiException refused)
            {
                ControllerLog.Refused(Context.Log, GetType().Name, key.ToString() ?? "", refused.Message);
                Queue.Retry(key);
            }
        }
        return !Queue.IsEmpty;
    }

    public override void Stop() => Queue.Dispose();

    protected abstract void Reconcile(TKey key);
}

/// <summary>What all controllers share.</summary>
internal sealed record ControllerContext(Registry Registry, ClusterView View, EventRecorder Events, TimeProvider Time, ILogger Log, Action Wake)
{
    public ObjectStore Store => Registry.Store;

    /// <summary>Called with what other controllers should hear of before the store tells them.</summary>
    public Action<ObservedChange> Tell { get; set; } = static _ => { };

    /// <summary>Puts what a controller has just written into the view.</summary>
    public void Show(StoredObject written)
    {
        if (View.Apply(new Change(ChangeKind.Modified, null, written)) is { } observed)
            Tell(observed);
    }
}

internal static partial class ControllerLog
{
    [LoggerMessage(2001, LogLevel.Debug, "{Controller}: {Key}: {Message}; trying again")]
    public static partial void Refused(ILogger log, string controller, string key, string message);

    [LoggerMessage(2002, LogLevel.Error, "A controller failed")]
    public static partial void Failed(ILogger log, Exception error);
}
