using System.Net;
using System.Net.Sockets;

namespace Plumb.Lab.HostPorts;

/// <summary>An open port of the host's 127.0.0.1 that leads to a node port.</summary>
internal abstract class HostDoor : IAsyncDisposable
{
    private NodePortTarget _target;

    protected HostDoor(NodePortTarget target) => _target = target;

    /// <summary>Where it is on the host.</summary>
    public abstract ushort Port { get; }

    /// <summary>What comes from now on goes there.</summary>
    public NodePortTarget Target
    {
        get => Volatile.Read(ref _target);
        set => Volatile.Write(ref _target, value);
    }

    /// <summary>Takes nobody in any more. Connections that there are live on as those through a node do: until an end closes them, or the lab ends.</summary>
    public abstract ValueTask DisposeAsync();

    /// <summary>Binds to the wanted port, or where another program has it to any that is free.</summary>
    /// <exception cref="SocketException">There is none to be had.</exception>
    protected static Socket Bind(SocketType type, ProtocolType protocol, ushort wanted)
    {
        var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, wanted));
            }
            catch (SocketException taken) when (taken.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            }
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    protected static ushort PortOf(Socket socket) => (ushort)((IPEndPoint)socket.LocalEndPoint!).Port;
}
