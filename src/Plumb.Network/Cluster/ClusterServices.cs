using System.Collections.Immutable;

namespace Plumb.Network.Cluster;

/// <summary>The Services that nodes serve and the slices of their endpoints, at one moment. Immutable; a change costs O(log n).</summary>
public sealed class ClusterServices
{
    private readonly ImmutableDictionary<Subject, ClusterService> _services;
    private readonly ImmutableDictionary<Subject, ServiceSlice> _slices;
    private readonly ImmutableDictionary<Subject, ImmutableArray<ServiceSlice>> _slicesOf; // by Service, in the order of their names

    private readonly ImmutableHashSet<Subject> _healthChecked;

    private ClusterServices(
        ImmutableDictionary<Subject, ClusterService> services,
        ImmutableDictionary<Subject, ServiceSlice> slices,
        ImmutableDictionary<Subject, ImmutableArray<ServiceSlice>> slicesOf,
        ImmutableHashSet<Subject> healthChecked)
    {
        _healthChecked = healthChecked;
        _services = services;
        _slices = slices;
        _slicesOf = slicesOf;
    }

    public static ClusterServices Empty { get; } = new(
        ImmutableDictionary<Subject, ClusterService>.Empty,
        ImmutableDictionary<Subject, ServiceSlice>.Empty,
        ImmutableDictionary<Subject, ImmutableArray<ServiceSlice>>.Empty,
        []);

    public int Count => _services.Count;

    public IEnumerable<ClusterService> All => _services.Values;

    /// <summary>Those of which balancers ask every node whether it has endpoints.</summary>
    public IEnumerable<ClusterService> HealthChecked => _healthChecked.Select(service => _services[service]);

    public IEnumerable<ServiceSlice> Slices => _slices.Values;

    public ClusterService? Service(Subject service) => _services.GetValueOrDefault(service);

    public ServiceSlice? Slice(Subject slice) => _slices.GetValueOrDefault(slice);

    /// <summary>In the order of their names; also those of a Service that is not there.</summary>
    public ImmutableArray<ServiceSlice> SlicesOf(Subject service) => _slicesOf.GetValueOrDefault(service, []);

    /// <summary>What a plan from nothing begins with: each Service, and each slice, because the one may be there without the other.</summary>
    public IEnumerable<Subject> Subjects()
    {
        foreach (var service in _services.Keys)
        {
            yield return service;
        }
        foreach (var service in _slicesOf.Keys)
        {
            if (!_services.ContainsKey(service))
            {
                yield return service;
            }
        }
    }

    /// <summary>The same with all of these changes made at once.</summary>
    /// <param name="services">A Service as it is now; null: none that nodes serve.</param>
    /// <param name="slices">A slice as it is now; null: gone.</param>
    /// <param name="changed">Gets the subjects of those Services and slices that became other than they were.</param>
    public ClusterServices With(
        IEnumerable<(Subject Subject, ClusterService? Now)> services,
        IEnumerable<(Subject Subject, ServiceSlice? Now)> slices,
        ICollection<Subject> changed)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(slices);
        ArgumentNullException.ThrowIfNull(changed);
        var any = changed.Count;
        var newServices = _services.ToBuilder();
        var newHealthChecked = _healthChecked;
        foreach (var (subject, now) in services)
        {
            if (newServices.GetValueOrDefault(subject) == now)
            {
                continue;
            }
            if (now is null)
            {
                newServices.Remove(subject);
            }
            else
            {
                newServices[subject] = now;
            }
            newHealthChecked = now is { IsHealthChecked: true } ? newHealthChecked.Add(subject) : newHealthChecked.Remove(subject);
            changed.Add(subject);
        }
        var newSlices = _slices.ToBuilder();
        var newSlicesOf = _slicesOf.ToBuilder();
        foreach (var (subject, now) in slices)
        {
            var was = newSlices.GetValueOrDefault(subject);
            if (was == now)
            {
                continue;
            }
            Put(newSlicesOf, was, now);
            if (now is null)
            {
                newSlices.Remove(subject);
            }
            else
            {
                newSlices[subject] = now;
            }
            changed.Add(subject);
        }
        return changed.Count == any
            ? this
            : new ClusterServices(newServices.ToImmutable(), newSlices.ToImmutable(), newSlicesOf.ToImmutable(), newHealthChecked);
    }

    private static void Put(ImmutableDictionary<Subject, ImmutableArray<ServiceSlice>>.Builder slicesOf, ServiceSlice? was, ServiceSlice? now)
    {
        if (was is not null)
        {
            var left = slicesOf.GetValueOrDefault(was.Service, []).Remove(was);
            if (left.IsEmpty)
            {
                slicesOf.Remove(was.Service);
            }
            else
            {
                slicesOf[was.Service] = left;
            }
        }
        if (now is not null)
        {
            var own = slicesOf.GetValueOrDefault(now.Service, []);
            var at = 0;
            while (at < own.Length && own[at].Subject.CompareTo(now.Subject) < 0)
            {
                at++;
            }
            slicesOf[now.Service] = own.Insert(at, now);
        }
    }
}
