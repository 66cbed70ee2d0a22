using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Expressions.Statements;
using Plumb.Linux.Nftables.Expressions.Steering;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Language;

/// <summary>
/// The words of rules, for <c>using static</c>:
/// <code>
/// Ip.Source.In(inside), Ip.Destination.NotIn(inside), Masquerade(NatFlags.FullyRandom)
/// </code>
/// </summary>
public static class Statements
{
    public static Statement Accept { get; } = Plain(ImmediateExpression.Of(Verdict.Accept));

    public static Statement Drop { get; } = Plain(ImmediateExpression.Of(Verdict.Drop));

    public static Statement Return { get; } = Plain(ImmediateExpression.Of(Verdict.Return));

    public static Statement Continue { get; } = Plain(ImmediateExpression.Of(Verdict.Continue));

    public static Statement NoTrack { get; } = Plain(new NoTrackExpression());

    /// <summary>Counts in the rule itself.</summary>
    public static Statement Counter { get; } = Plain(new CounterExpression());

    /// <summary>RST to the sender of a TCP segment; the rule must have tested that it is one.</summary>
    public static Statement RejectWithTcpReset { get; } = new StepsStatement(static compiler =>
    {
        compiler.Require(Header.Tcp);
        compiler.Add(new RejectExpression(RejectKind.TcpReset, 0));
    });

    /// <summary>ICMP port unreachable of the packet's family.</summary>
    public static Statement Reject { get; } = new StepsStatement(static compiler => compiler.Add(compiler.Family switch
    {
        TableFamily.Ip => new RejectExpression(RejectKind.Icmp, 3),
        TableFamily.Ip6 => new RejectExpression(RejectKind.Icmp, 4),
        _ => new RejectExpression(RejectKind.Icmpx, 1),
    }));

    public static Statement Jump(string chain) => Plain(ImmediateExpression.Of(Verdict.Jump(chain)));

    public static Statement Goto(string chain) => Plain(ImmediateExpression.Of(Verdict.Goto(chain)));

    public static Statement RejectWith(RejectKind kind, byte code) => Plain(new RejectExpression(kind, code));

    /// <summary>Runs a named counter, quota or limit of the table.</summary>
    public static Statement Use(ObjectEntry entry) => Plain(new ObjectReferenceExpression(entry.ObjectKind, entry.Name));

    public static Statement Limit(ulong rate, ulong unitSeconds, uint burst = LimitExpression.DefaultPacketBurst, bool over = false) =>
        Plain(new LimitExpression(rate, unitSeconds, burst, Inverted: over));

    /// <summary>To the kernel's log; a namespace other than the first shows it only with <c>nf_log_all_netns</c>.</summary>
    public static Statement Log(string? prefix = null, ushort? group = null) => Plain(new LogExpression { Prefix = prefix, Group = group });

    public static Statement Masquerade(NatFlags flags = NatFlags.None) => Plain(new MasqueradeExpression(flags));

    public static Statement Snat(IpAddress address, NatFlags flags = NatFlags.None) => Nat(destination: false, address, null, flags);

    public static Statement Dnat(IpAddress address, int? port = null, NatFlags flags = NatFlags.None) => Nat(destination: true, address, port, flags);

    /// <summary>To what a map gives: an address, or an address and a port.</summary>
    /// <param name="family">Of the address.</param>
    public static Statement Dnat(IpFamily family, Selector target, NatFlags flags = NatFlags.None) => Nat(destination: true, family, target, flags);

    public static Statement Snat(IpFamily family, Selector target, NatFlags flags = NatFlags.None) => Nat(destination: false, family, target, flags);

    /// <summary>To this node's own port.</summary>
    public static Statement Redirect(int port) => new StepsStatement(compiler =>
    {
        compiler.Add(new ImmediateExpression(RuleCompiler.First, Port(port)));
        compiler.Add(new RedirectExpression(NatFlags.None, RuleCompiler.First));
    });

    /// <summary>To a transparent socket of this node; the rule must have tested the transport protocol.</summary>
    public static Statement TransparentProxy(int port) => new StepsStatement(compiler =>
    {
        compiler.Add(new ImmediateExpression(RuleCompiler.First, Port(port)));
        compiler.Add(new TransparentProxyExpression(Family: 0, null, RuleCompiler.First));
    });

    /// <summary>The packet adds an element. If the set is full, the rule ends here.</summary>
    public static Statement Add(SetEntry set, Selector key, TimeSpan? timeout = null, Selector? data = null) =>
        Dynamic(DynamicSetOperation.Add, set, key, timeout, data);

    /// <summary>The packet adds an element or starts its timeout again; the data of one that is there stay as they are.</summary>
    public static Statement Update(SetEntry set, Selector key, TimeSpan? timeout = null, Selector? data = null) =>
        Dynamic(DynamicSetOperation.Update, set, key, timeout, data);

    /// <summary>The packet removes an element.</summary>
    public static Statement Delete(SetEntry set, Selector key, Selector? data = null) => Dynamic(DynamicSetOperation.Delete, set, key, null, data);

    private static PlainStatement Plain(Expression expression) => new(expression);

    private static Octets Port(int port) => Octets.From((ushort)port, 2, ByteOrder.Big);

    private static StepsStatement Dynamic(DynamicSetOperation operation, SetEntry set, Selector key, TimeSpan? timeout, Selector? data) => new(compiler =>
    {
        key.Require(compiler);
        compiler.LoadKey(key, RuleCompiler.First, set.Schema);
        Register? dataRegister = null;
        if (data is not null)
        {
            dataRegister = RuleCompiler.NextWide(RuleCompiler.First, set.Schema.KeyBytes);
            data.Require(compiler);
            data.Load(compiler, dataRegister.Value);
        }
        compiler.Add(new DynamicSetExpression(operation, new NamedSet(set.Schema.Name), RuleCompiler.First, dataRegister)
        {
            TimeoutMilliseconds = timeout is { } time ? (ulong)time.TotalMilliseconds : null,
        });
    });

    private static StepsStatement Nat(bool destination, IpAddress address, int? port, NatFlags flags) => new(compiler =>
    {
        var family = address.Family == IpFamily.V4 ? TableFamily.Ip : TableFamily.Ip6;
        var second = RuleCompiler.NextWide(RuleCompiler.First, address.ByteLength);
        compiler.Add(new ImmediateExpression(RuleCompiler.First, Octets.Adopt(address.ToBytes())));
        if (port is { } number)
        {
            compiler.Add(new ImmediateExpression(second, Port(number)));
        }
        compiler.Add(new NatExpression(destination, family)
        {
            Address = RuleCompiler.First,
            Port = port is null ? null : second,
            Flags = flags,
        });
    });

    private static StepsStatement Nat(bool destination, IpFamily family, Selector target, NatFlags flags) => new(compiler =>
    {
        target.Require(compiler);
        target.Load(compiler, RuleCompiler.First);
        var address = DataType.Address(family);
        var fields = target is MappedSelector mapped ? mapped.Data : target.Fields;
        if (fields[0].Type != address || fields.Count > 2 || (fields.Count == 2 && fields[1].Type != DataType.Port))
        {
            throw new ArgumentException($"'{target.Text}' does not give {address}, nor {address} with a port");
        }
        compiler.Add(new NatExpression(destination, family == IpFamily.V4 ? TableFamily.Ip : TableFamily.Ip6)
        {
            Address = RuleCompiler.First,
            Port = fields.Count == 2 ? RuleCompiler.First.After(address.Bits / 8) : null,
            Flags = flags,
        });
    });
}
