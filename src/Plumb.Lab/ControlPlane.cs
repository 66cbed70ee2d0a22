using Plumb.Api;
using Plumb.Api.Controllers;
using Plumb.Api.Storage;
using Plumb.Lab.Node;
using Plumb.Lab.Running;

namespace Plumb.Lab;

/// <summary>What a real cluster has beside its nodes: the API server, its store, and the controllers, which end with this object.</summary>
internal sealed class ControlPlane : IAsyncDisposable
{
    private readonly ApiServer _api;
    private readonly ControllerOptions _options;
    private readonly IReadOnlyDictionary<string, Kubelet> _kubelets;
    private readonly LabLog? _log;
    private readonly CancellationToken _ending;
    private readonly SemaphoreSlim _turn = new(1);
    private ControllerHost _controllers;

    public ControlPlane(ApiServer api, ControllerOptions options, IReadOnlyDictionary<string, Kubelet> kubelets, LabLog? log, CancellationToken ending)
    {
        _api = api;
        _options = options;
        _kubelets = kubelets;
        _log = log;
        _ending = ending;
        _controllers = ControllerHost.Start(api.Registry, options);
    }

    /// <summary>All that is stored, as <see cref="RestoreAsync"/> takes it.</summary>
    public byte[] Save() => _api.Store.Copy().ToUtf8();

    /// <summary>
    /// Puts an older copy in the place of the store, as somebody does who restores etcd and starts everything on the control plane again. Nodes keep running: they say
    /// once more what they know, and make of their pods what the copy says.
    /// </summary>
    /// <param name="cancel">Until it begins; then it is done whole.</param>
    /// <exception cref="LabException">The copy cannot be this lab's; all is as it was.</exception>
    public async Task<StoreRestored> RestoreAsync(ReadOnlyMemory<byte> file, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            var copy = StoreCopy.Read(file);
            var restored = new StoreRestored(0, copy.ResourceVersion, copy.Count);
            var haveEnded = false;
            try
            {
                await _api.RestoreAsync(
                    copy,
                    async () =>
                    {
                        haveEnded = true;
                        await _controllers.DisposeAsync();
                        restored = restored with { Before = _api.Store.ResourceVersion };
                    },
                    cancel,
                    _ending);
                await Task.WhenAll(_kubelets.Values.Select(kubelet => kubelet.TellAgainAsync(_ending)));
            }
            finally
            {
                if (haveEnded)
                {
                    _controllers = ControllerHost.Start(_api.Registry, _options);
                }
            }
            _log?.Write("store", $"an older copy took its place: resourceVersion {restored.Before} is {restored.ResourceVersion} now");
            return restored;
        }
        catch (StoreCopyException refused)
        {
            throw new LabException(refused.Message, refused);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync();
        await _controllers.DisposeAsync();
        _turn.Dispose();
    }
}

/// <param name="Before">The resourceVersion that the store had.</param>
/// <param name="ResourceVersion">The one that it has from the copy.</param>
public sealed record StoreRestored(long Before, long ResourceVersion, int Objects);
