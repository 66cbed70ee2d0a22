using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Forwarding;

/// <summary>What is asked of others.</summary>
internal readonly record struct ForeignQuestion(DomainName Name, RecordType Type, bool DnssecOk, bool CheckingDisabled)
{
    /// <summary>The request, with an id that nobody can guess.</summary>
    public byte[] ToRequest(ushort id, bool withEdns)
    {
        var wire = Name.Wire;
        var request = new byte[Header.Bytes + wire.Length + 4 + (withEdns ? 11 : 0)];
        BinaryPrimitives.WriteUInt16BigEndian(request, id);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(Header.Flags), (ushort)(Header.RecursionDesired | (CheckingDisabled ? Header.CheckingDisabled : 0)));
        request[Header.Questions + 1] = 1;
        wire.CopyTo(request.AsSpan(Header.Bytes));
        var at = Header.Bytes + wire.Length;
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(at), (ushort)Type);
        request[at + 3] = 1;
        if (withEdns)
        {
            request[Header.Additionals + 1] = 1;
            at += 4;
            request[at + 2] = (byte)RecordType.Opt;
            BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(at + 3), MessageWriter.PlumbUdpBytes);
            request[at + 7] = (byte)(DnssecOk ? 0x80 : 0);
        }
        return request;
    }

    /// <summary>Whether a message answers this, asked under this id.</summary>
    public bool IsAnsweredBy(Message message, ushort id) =>
        message.Id == id
        && (message.Flags & (Header.Response | Header.OpcodeMask)) == Header.Response
        && (message.Question is { } name ? name == Name && message.QuestionType == Type : message.Code == (int)ResponseCode.FormatError);
}

/// <summary>
/// One question to one server, from a socket and port that are made for it. What comes from elsewhere, under another id or to another
/// question is passed over, and the right answer waited for.
/// </summary>
internal static class Exchange
{
    private const int MostDatagramBytes = 4096;

    /// <exception cref="SocketException">The server is out of reach.</exception>
    /// <exception cref="IOException">It closed the connection.</exception>
    /// <exception cref="OperationCanceledException">It did not answer in time.</exception>
    public static Task<Message> AskAsync(IPEndPoint server, ForeignQuestion question, CancellationToken cancel) => AskAsync(server, question, OpenHere, cancel);

    /// <param name="open">Makes a socket in the namespace from which the server is asked.</param>
    /// <inheritdoc cref="AskAsync(IPEndPoint, ForeignQuestion, CancellationToken)"/>
    public static async Task<Message> AskAsync(IPEndPoint server, ForeignQuestion question, Func<AddressFamily, ProtocolType, Socket> open, CancellationToken cancel)
    {
        var answer = await AskUdpAsync(server, question, withEdns: true, open, cancel);
        if (answer.Code == (int)ResponseCode.FormatError)
        {
            // It may be one from before EDNS (RFC 6891, section 7).
            answer = await AskUdpAsync(server, question, withEdns: false, open, cancel);
        }
        return answer.IsTruncated ? await AskTcpAsync(server, question, open, cancel) : answer;
    }

    private static Socket OpenHere(AddressFamily family, ProtocolType protocol) =>
        new(family, protocol == ProtocolType.Udp ? SocketType.Dgram : SocketType.Stream, protocol);

    private static async Task<Message> AskUdpAsync(IPEndPoint server, ForeignQuestion question, bool withEdns, Func<AddressFamily, ProtocolType, Socket> open, CancellationToken cancel)
    {
        var id = NewId();
        // Connected: the kernel picks a random port, and takes datagrams of this server only.
        using var socket = open(server.AddressFamily, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancel);
        await socket.SendAsync(question.ToRequest(id, withEdns), cancel);
        var buffer = new byte[MostDatagramBytes];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, cancel);
            if (Message.TryRead(buffer.AsSpan(0, length), out var message) && question.IsAnsweredBy(message!, id))
            {
                return message!;
            }
        }
    }

    private static async Task<Message> AskTcpAsync(IPEndPoint server, ForeignQuestion question, Func<AddressFamily, ProtocolType, Socket> open, CancellationToken cancel)
    {
        var id = NewId();
        using var socket = open(server.AddressFamily, ProtocolType.Tcp);
        socket.NoDelay = true;
        await socket.ConnectAsync(server, cancel);
        using var stream = new NetworkStream(socket, ownsSocket: false);
        var request = question.ToRequest(id, withEdns: true);
        var framed = new byte[request.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)request.Length);
        request.CopyTo(framed, 2);
        await stream.WriteAsync(framed, cancel);
        var length = new byte[2];
        while (true)
        {
            await stream.ReadExactlyAsync(length, cancel);
            var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(answer, cancel);
            if (Message.TryRead(answer, out var message) && question.IsAnsweredBy(message!, id))
            {
                return message!;
            }
        }
    }

    private static ushort NewId() => (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);
}
