using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Plumb.Dns;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Benchmarks.Dns;

/// <summary>A DNS server by itself, for `bench/dns.sh`: `Plumb.Benchmarks dns-server SERVICES PORT`, on 127.0.0.1, until it is killed.</summary>
internal static class DnsHost
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        using var network = NetworkNamespace.OpenHome();
        await using var server = await DnsServer.StartAsync(new DnsServerOptions
        {
            Network = network,
            Addresses = [IpAddress.V4(127, 0, 0, 1)],
            Port = ushort.Parse(arguments[1], CultureInfo.InvariantCulture),
            Zone = NamesOfServices.Make(int.Parse(arguments[0], CultureInfo.InvariantCulture)),
            Log = NullLogger.Instance,
            Time = TimeProvider.System,
        });
        await Task.Delay(Timeout.Infinite);
        return 0;
    }
}
