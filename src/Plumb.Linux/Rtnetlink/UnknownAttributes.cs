using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Rtnetlink;

/// <summary>Attributes that Plumb has no name for, as they came, in their order: written back when the message is.</summary>
/// <param name="Wire">Headers, values and padding.</param>
public readonly record struct UnknownAttributes(ValueList<byte> Wire)
{
    public bool IsEmpty => Wire.Count == 0;

    internal void Emit(NetlinkWriter writer) => writer.Raw(Wire.AsSpan());

    /// <summary>Collects while a message is parsed; null when nobody wants them, as in dumps of thousands.</summary>
    internal sealed class Collector
    {
        private readonly List<byte> _bytes = [];

        public void Add(NetlinkAttribute attribute)
        {
            var length = NetlinkControl.AttributeHeaderBytes + attribute.Value.Length;
            _bytes.Add((byte)length);
            _bytes.Add((byte)(length >> 8));
            _bytes.Add((byte)attribute.RawType);
            _bytes.Add((byte)(attribute.RawType >> 8));
            _bytes.AddRange(attribute.Value);
            for (var i = length; i < NetlinkControl.Align(length); i++)
            {
                _bytes.Add(0);
            }
        }

        public UnknownAttributes Take() => new([.. _bytes]);
    }
}
