using System.Collections.Immutable;
using Plumb.Linux.Addresses;

namespace Plumb.Network.Facts;

/// <summary>The pools of all Services on one node, with the numbers that Services have there. Immutable; a change costs O(log n).</summary>
public sealed class PoolTable
{
    private readonly ImmutableDictionary<Subject, ServicePools> _pools;
    private readonly ImmutableDictionary<uint, Subject> _numbers;
    private readonly ImmutableSortedDictionary<(IpFamily, PoolProgram), int> _programs;
    private readonly IReadOnlyDictionary<(IpFamily, PoolMark), ImmutableArray<Backend>> _found;

    private PoolTable(
        ImmutableDictionary<Subject, ServicePools> pools,
        ImmutableDictionary<uint, Subject> numbers,
        ImmutableSortedDictionary<(IpFamily, PoolProgram), int> programs,
        IReadOnlyDictionary<(IpFamily, PoolMark), ImmutableArray<Backend>> found)
    {
        _pools = pools;
        _numbers = numbers;
        _programs = programs;
        _found = found;
    }

    public static PoolTable Empty { get; } = new(
        ImmutableDictionary<Subject, ServicePools>.Empty,
        ImmutableDictionary<uint, Subject>.Empty,
        ImmutableSortedDictionary<(IpFamily, PoolProgram), int>.Empty,
        ImmutableDictionary<(IpFamily, PoolMark), ImmutableArray<Backend>>.Empty);

    /// <summary>The same, with the slots that an earlier agent left in the kernel: pools that are not known yet begin with those.</summary>
    public PoolTable Found(IReadOnlyDictionary<(IpFamily Family, PoolMark Mark), ImmutableArray<Backend>> slots) =>
        new(_pools, _numbers, _programs, slots);

    /// <summary>The programs that at least one pool runs.</summary>
    public IEnumerable<(IpFamily Family, PoolProgram Program)> Programs => _programs.Keys;

    public bool Runs(IpFamily family, PoolProgram program) => _programs.ContainsKey((family, program));

    public ServicePools? Of(Subject service) => _pools.GetValueOrDefault(service);

    /// <summary>The Service behind a mark's number; null when none has it.</summary>
    public Subject? ServiceOf(PoolMark mark) => _numbers.TryGetValue(mark.Service, out var service) ? service : null;

    public Builder ToBuilder() => new(this);

    /// <summary>Many changes at once.</summary>
    public sealed class Builder
    {
        private readonly PoolTable _table;
        private readonly ImmutableDictionary<Subject, ServicePools>.Builder _pools;
        private readonly ImmutableDictionary<uint, Subject>.Builder _numbers;
        private readonly ImmutableSortedDictionary<(IpFamily, PoolProgram), int>.Builder _programs;

        internal Builder(PoolTable table)
        {
            _table = table;
            _pools = table._pools.ToBuilder();
            _numbers = table._numbers.ToBuilder();
            _programs = table._programs.ToBuilder();
        }

        public ServicePools? Of(Subject service) => _pools.GetValueOrDefault(service);

        /// <summary>What was found in the kernel of a pool, in the order of its slots.</summary>
        public ImmutableArray<Backend> Found(IpFamily family, PoolMark mark) => _table._found.GetValueOrDefault((family, mark), []);

        /// <summary>
        /// The number for a Service that has none yet: the low 20 bits of its ClusterIP, which no other has within one range of
        /// the size that the API allows; else the next that is free. So a node that starts anew gives the same numbers.
        /// </summary>
        public uint Allocate(IpAddress clusterIP)
        {
            var number = (uint)(clusterIP.Number & (PoolMark.MostServices - 1));
            for (var tried = 0; tried < PoolMark.MostServices; tried++, number = (number + 1) & (PoolMark.MostServices - 1))
            {
                // 0 is the mark of connections to no Service.
                if (number != 0 && !_numbers.ContainsKey(number))
                {
                    return number;
                }
            }
            throw new InvalidOperationException($"more than {PoolMark.MostServices - 1} Services");
        }

        public void Set(ServicePools pools)
        {
            Remove(pools.Service);
            _pools[pools.Service] = pools;
            _numbers[pools.Number] = pools.Service;
            Count(pools, +1);
        }

        public void Remove(Subject service)
        {
            if (_pools.TryGetValue(service, out var was))
            {
                _pools.Remove(service);
                _numbers.Remove(was.Number);
                Count(was, -1);
            }
        }

        public PoolTable Build()
        {
            var built = new PoolTable(_pools.ToImmutable(), _numbers.ToImmutable(), _programs.ToImmutable(), _table._found);
            return built.IsSame(_table) ? _table : built;
        }

        private void Count(ServicePools pools, int by)
        {
            foreach (var port in pools.Ports)
            {
                Count(port.Family, port.Cluster, by);
                if (port.Local is { } local)
                {
                    Count(port.Family, local, by);
                }
            }
        }

        private void Count(IpFamily family, Pool pool, int by)
        {
            var key = (family, pool.Program);
            var count = _programs.GetValueOrDefault(key) + by;
            if (count == 0)
            {
                _programs.Remove(key);
            }
            else
            {
                _programs[key] = count;
            }
        }
    }

    private bool IsSame(PoolTable other) =>
        ReferenceEquals(_pools, other._pools) && ReferenceEquals(_numbers, other._numbers) && ReferenceEquals(_programs, other._programs);
}
