using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>The descriptors of a child that is about to be started: its ends of pipes, and the ends that stay here.</summary>
internal sealed unsafe class ChildStreams : IDisposable
{
    private readonly SpawnRequest _request;
    private readonly SafeHandle?[] _inChild = new SafeHandle?[3];
    private readonly FileDescriptor?[] _here = new FileDescriptor?[3];

    public ChildStreams(SpawnRequest request)
    {
        _request = request;
        if (request.Terminal is not null)
        {
            return;
        }
        try
        {
            Prepare(0, request.Input);
            Prepare(1, request.Output);
            Prepare(2, request.Error);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Stream? TakeInput() => Take(0, canWrite: true);

    public Stream? TakeOutput() => Take(1, canWrite: false);

    public Stream? TakeError() => Take(2, canWrite: false);

    /// <summary>Writes down what the child does with its descriptors between its birth and its program.</summary>
    public void Describe(byte* actions)
    {
        if (_request.Terminal is { } terminal)
        {
            // Opened anew by the leader of a session, a terminal becomes the one that controls it.
            Check(Libc.SpawnFileActionsAddOpen(actions, 0, $"/proc/self/fd/{terminal.Slave.Number}", (int)OpenFlags.ReadWrite, 0));
            Check(Libc.SpawnFileActionsAddDup2(actions, 0, 1));
            Check(Libc.SpawnFileActionsAddDup2(actions, 0, 2));
        }
        else
        {
            Describe(actions, 0, _request.Input, OpenFlags.ReadOnly);
            Describe(actions, 1, _request.Output, OpenFlags.WriteOnly);
            Describe(actions, 2, _request.Error, OpenFlags.WriteOnly);
        }
        foreach (var (number, descriptor) in _request.Descriptors ?? new Dictionary<int, SafeHandle>())
        {
            Check(Libc.SpawnFileActionsAddDup2(actions, (int)descriptor.DangerousGetHandle(), number));
        }
    }

    public void Dispose()
    {
        for (var i = 0; i < 3; i++)
        {
            _here[i]?.Dispose();
            // A descriptor that the request lent stays its owner's.
            if (_inChild[i] is FileDescriptor made && !ReferenceEquals(made, Stream(i).Descriptor))
            {
                made.Dispose();
            }
        }
    }

    private SpawnStream Stream(int number) => number switch
    {
        0 => _request.Input,
        1 => _request.Output,
        _ => _request.Error,
    };

    private void Prepare(int number, SpawnStream stream)
    {
        if (stream.Kind == SpawnStreamKind.Descriptor)
        {
            _inChild[number] = stream.Descriptor;
        }
        else if (stream.Kind == SpawnStreamKind.Pipe)
        {
            var ends = stackalloc int[2];
            if (Libc.Pipe(ends, Libc.O_CLOEXEC) < 0)
            {
                throw SystemCallException.Last("pipe2");
            }
            var (reading, writing) = (new FileDescriptor(ends[0]), new FileDescriptor(ends[1]));
            (_inChild[number], _here[number]) = number == 0 ? (reading, writing) : (writing, reading);
        }
    }

    private void Describe(byte* actions, int number, SpawnStream stream, OpenFlags flags)
    {
        if (stream.Kind == SpawnStreamKind.Null)
        {
            Check(Libc.SpawnFileActionsAddOpen(actions, number, "/dev/null", (int)flags, 0));
        }
        else if (_inChild[number] is { } descriptor)
        {
            Check(Libc.SpawnFileActionsAddDup2(actions, (int)descriptor.DangerousGetHandle(), number));
        }
    }

    private DescriptorStream? Take(int number, bool canWrite)
    {
        if (_here[number] is not { } end)
        {
            return null;
        }
        _here[number] = null;
        return new DescriptorStream(end, canWrite);
    }

    private static void Check(int errno)
    {
        if (errno != 0)
        {
            throw new SystemCallException("posix_spawn_file_actions", (Errno)errno);
        }
    }
}
