using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Plumb.Benchmarks.Api;
using Plumb.Benchmarks.Cni;
using Plumb.Benchmarks.Dns;
using Plumb.Benchmarks.Pods;
using Plumb.Benchmarks.Scale;
using Plumb.Benchmarks.Services;
using Plumb.Benchmarks.Wire;

if (args is ["services", .. var sizes])
{
    foreach (var size in sizes)
    {
        // 1000x10, or 1000x10/iptables
        var parts = size.Split('x', '/');
        ServicesRun.Run(int.Parse(parts[0]), int.Parse(parts[1]), byIptables: parts.Length > 2 && parts[2] == "iptables");
    }
    return 0;
}

if (args is ["bare-pods", var nodes, var pods])
{
    BarePods.Run(int.Parse(nodes), int.Parse(pods));
    return 0;
}

if (args is ["watch", .. var watched])
{
    return await WatchRun.RunAsync(watched);
}

if (args is ["rollout", .. var rolled])
{
    return await RolloutRun.RunAsync(rolled);
}

if (args is ["cni", var plugin])
{
    return await CniRun.RunAsync(plugin);
}

if (args is ["api-server", .. var served])
{
    return await ApiHost.RunAsync(served);
}

if (args is ["api", .. var asked])
{
    return await ApiRun.RunAsync(asked);
}

if (args is ["scale", .. var scaled])
{
    return await ScaleRun.RunAsync(scaled);
}

if (args is ["scale-others", .. var others])
{
    return await OtherNodes.RunAsync(others);
}

if (args is ["dns-server", .. var rest])
{
    return await DnsHost.RunAsync(rest);
}

if (args is ["wire", .. var places])
{
    return await WireRun.RunAsync(places);
}

// In this process: no project is generated and built for each benchmark, which the house's own build rules would refuse.
var config = ManualConfig.CreateEmpty()
    .AddJob(Job.ShortRun.WithIterationTime(TimeInterval.FromMilliseconds(200)).WithToolchain(InProcessEmitToolchain.Instance).AsDefault())
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddExporter(MarkdownExporter.GitHub)
    .AddLogger(ConsoleLogger.Default)
    .WithOptions(ConfigOptions.JoinSummary);

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args.Contains("--filter") ? args : ["--filter", "*", .. args], config);
return 0;
