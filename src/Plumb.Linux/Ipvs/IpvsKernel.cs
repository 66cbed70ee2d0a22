using Plumb.Linux.Netlink;

namespace Plumb.Linux.Ipvs;

/// <summary>The virtual services of one network namespace.</summary>
public static class IpvsKernel
{
    /// <summary>Whether the kernel has it now: to ask for the family would load the module.</summary>
    public static bool IsLoaded => Directory.Exists("/sys/module/ip_vs");

    /// <param name="socket">Of <see cref="NetlinkFamily.Generic"/>, opened in that namespace.</param>
    /// <exception cref="NetlinkException">The kernel refuses to tell (CAP_NET_ADMIN), or has no IPVS.</exception>
    public static IReadOnlyList<IpvsService> List(NetlinkSocket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        var family = GenericFamily.Find(socket, IpvsMessage.Family);
        using var wire = new NetlinkWriter(256);
        IpvsMessage.WriteServices(wire, family);
        return socket.Dump(wire, static message => IpvsMessage.ReadService(message)).ConvertAll(service =>
        {
            wire.Clear();
            IpvsMessage.WriteServers(wire, family, service);
            return service with { Servers = socket.Dump(wire, message => IpvsMessage.ReadServer(message, service.Address.Family)) };
        });
    }
}
