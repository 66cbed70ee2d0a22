using System.Text.Json;
using Plumb.Network.Facts;

namespace Plumb.Agent.Cni;

/// <summary>The capability <c>bandwidth</c> (CONVENTIONS.md of the CNI repository): <c>{ingressRate, ingressBurst, egressRate, egressBurst}</c>, in bits; a rate of 0 is none.</summary>
public static class CniBandwidth
{
    /// <summary>What containerd says for a pod whose annotations know no burst; CRI-O says eight times as much. A limit with such a burst would begin to limit after half a gigabyte.</summary>
    public const ulong UnsaidBurstBits = uint.MaxValue;

    /// <exception cref="CniException">It is not of that form, or a rate is none that can be kept.</exception>
    public static Bandwidth Read(JsonElement runtimeConfig)
    {
        if (!runtimeConfig.TryGetField("bandwidth", out var of) || of.ValueKind == JsonValueKind.Null)
        {
            return default;
        }
        return of.ValueKind == JsonValueKind.Object ? new Bandwidth(Limit(of, "ingress"), Limit(of, "egress")) : throw Bad($"{of.GetRawText()} is not an object");
    }

    private static RateLimit? Limit(JsonElement of, string direction)
    {
        var (rate, burst) = (Number(of, direction + "Rate"), Number(of, direction + "Burst"));
        return (rate, burst) switch
        {
            (0, 0) => null,
            (0, _) => throw Bad($"{direction}Burst {burst} is of no {direction}Rate"),
            ( < Bandwidth.LeastBits or > Bandwidth.MostBits, _) => throw Bad($"{direction}Rate {rate} is not from {Bandwidth.LeastBits} to {Bandwidth.MostBits} bits each second"),
            (_, >= UnsaidBurstBits) => new RateLimit(rate, 0),
            _ => new RateLimit(rate, burst),
        };
    }

    private static ulong Number(JsonElement of, string name) =>
        !of.TryGetField(name, out var value) || value.ValueKind == JsonValueKind.Null ? 0
        : value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var bits) ? bits
        : throw Bad($"{name} {value.GetRawText()} is no number of bits");

    private static CniException Bad(string what) => new(CniErrorCode.InvalidConfiguration, $"runtimeConfig.bandwidth: {what}");
}
