using FsCheck;
using FsCheck.Fluent;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Rules;

/// <summary>Rules of iptables run here and by the kernel, in both of its variants.</summary>
public sealed class IptablesAgreementTests
{
    private const int PacketsOfEach = 20;

    private ushort _number = 1024;

    [Theory]
    [InlineData("iptables-nft")]
    [InlineData("iptables-legacy")]
    public void Random_chains_do_to_random_packets_what_the_kernel_does(string variant)
    {
        using var crossing = new Crossing();
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => Agree(crossing, variant, seed)).Check(Config.QuickThrowOnFailure.WithMaxTest(12));
    }

    private void Agree(Crossing crossing, string variant, int seed)
    {
        var text = new RandomChains(seed).Build();
        crossing.Run(text, $"{variant}-restore");
        var saved = crossing.Run("", $"{variant}-save", "-c");
        var entries = IptablesSave.Read(saved, IpFamily.V4, Crossing.Router);
        var (packets, expected) = (new RandomRules(seed), new Dictionary<(string, ulong), ulong>());
        for (var i = 0; i < PacketsOfEach; i++)
        {
            var packet = packets.NextPacket(++_number);
            var predicted = new Predicted(entries, packet);
            var arrived = crossing.Send(packet);
            if (Predicted.Describe(predicted.Out, predicted.HasRandomPort) != Predicted.Describe(arrived, predicted.HasRandomPort))
            {
                throw new InvalidOperationException(
                    $"seed {seed}, {packet}\npredicted {Predicted.Describe(predicted.Out, predicted.HasRandomPort)}, arrived {Predicted.Describe(arrived, predicted.HasRandomPort)}\n{predicted}\n{saved}");
            }
            foreach (var step in predicted.Steps.Where(static step => step.Handle != 0))
            {
                var rule = (step.Entry.Name.Split(' ')[1] + " " + step.Text, step.Handle);
                expected[rule] = expected.GetValueOrDefault(rule) + 1;
            }
        }
        var trouble = Differences(crossing.Run("", $"{variant}-save", "-c"), expected);
        if (trouble.Count > 0)
        {
            throw new InvalidOperationException($"seed {seed}\n{string.Join('\n', trouble)}\n{saved}");
        }
    }

    // A rule without a target does nothing that is told, nor does a jump into a chain where nothing happens.
    private static List<string> Differences(string counted, Dictionary<(string, ulong), ulong> expected)
    {
        var (trouble, table, numbers) = (new List<string>(), "", new Dictionary<string, ulong>());
        foreach (var line in counted.Split('\n'))
        {
            if (line.StartsWith('*'))
            {
                (table, numbers) = (line[1..], []);
            }
            else if (line.StartsWith('['))
            {
                var count = ulong.Parse(line[1..line.IndexOf(':', StringComparison.Ordinal)]);
                var rule = line[(line.IndexOf(']', StringComparison.Ordinal) + 2)..];
                var number = numbers[rule.Split(' ')[1]] = numbers.GetValueOrDefault(rule.Split(' ')[1]) + 1;
                var told = expected.FirstOrDefault(item => item.Key.Item2 == number && item.Key.Item1.StartsWith($"{table} -A {rule.Split(' ')[1]} ", StringComparison.Ordinal)).Value;
                var target = RuleText.Target(rule);
                var isTold = target is not (null or "A" or "B" or "C" or "CONNMARK");
                // Markers are not predicted, nor what the router itself answers.
                var isAsked = !rule.Contains("--dport 9 ", StringComparison.Ordinal) && !rule.Contains("-s 192.0.2.1/32", StringComparison.Ordinal)
                    && !rule.Contains("-s 198.51.100.1/32", StringComparison.Ordinal);
                if (isAsked && (told > count || (isTold && told != count)))
                {
                    trouble.Add($"{table} {rule}: {told} predicted, {count} counted");
                }
            }
        }
        return trouble;
    }
}
