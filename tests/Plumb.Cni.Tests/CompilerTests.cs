using System.Buffers.Binary;
using System.Diagnostics;
using System.Reflection.PortableExecutable;
using FsCheck;
using FsCheck.Fluent;
using Plumb.Cni.Compiler;

namespace Plumb.Cni.Tests;

/// <summary>The compiler of the CNI plugin: what it makes does what .NET does, and it makes nothing of what it cannot.</summary>
public sealed class CompilerTests : IDisposable
{
    private static readonly long[] s_edges = [0, 1, -1, 2, 7, 63, 64, 127, 128, 255, 256, 32_767, 32_768, 65_535, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 32, long.MaxValue, long.MinValue];

    private readonly string _directory = Directory.CreateTempSubdirectory("p-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_it_makes_agrees_with_NET_at_the_edges()
    {
        var program = Compiled();
        Agree(program, [.. from a in s_edges from b in s_edges select (a, b)]);
    }

    [Fact]
    public void What_it_makes_agrees_with_NET()
    {
        var program = Compiled();
        Prop.ForAll(ArbMap.Default.ArbFor<(DoNotSize<long> A, long B)[]>(), pairs => Agree(program, [.. from pair in pairs from each in new[] { (pair.A.Item, pair.B), (pair.B, pair.A.Item) } select each]))
            .Check(Config.QuickThrowOnFailure);
    }

    [Theory]
    [InlineData(nameof(Refused.Allocates), "the instruction newarr")]
    [InlineData(nameof(Refused.MakesAnObject), "System.Object..ctor")]
    [InlineData(nameof(Refused.CallsTheFramework), "System.Math.Max")]
    [InlineData(nameof(Refused.Catches), "try, catch or finally")]
    [InlineData(nameof(Refused.Throws), "System.NotSupportedException..ctor")]
    [InlineData(nameof(Refused.KeepsAnInitialValue), "initial values")]
    [InlineData(nameof(Refused.ReturnsMuch), "returns more than 16 bytes")]
    [InlineData(nameof(Refused.Floats), "the instruction conv_r8")]
    [InlineData(nameof(Refused.IsGeneric), "a generic method")]
    [InlineData(nameof(Refused.CopiesAnOddStruct), "3 bytes are not a multiple of 8")]
    [InlineData(nameof(Refused.StoresAnOddStruct), "1 bytes are not a multiple of 8")]
    [InlineData(nameof(Refused.Overlays), "fields do not stand one after another")]
    [InlineData(nameof(Refused.Packs), "fields do not stand one after another")]
    [InlineData(nameof(Refused.TakesAnother), "has no method `static int Start(nint* stack)`")]
    public void What_needs_a_runtime_is_refused_by_name(string type, string reason)
    {
        var refused = Assert.Throws<RefusedException>(() => Compile(type));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.Contains(type, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>The witness is binutils' reader.</summary>
    [Fact]
    public void No_page_can_be_written_and_executed_and_methods_have_names()
    {
        var program = Compiled();
        var read = Run("readelf", "--wide", "--segments", "--symbols", program);
        var loads = read.Split('\n').Where(static line => line.TrimStart().StartsWith("LOAD", StringComparison.Ordinal)).ToList();
        Assert.Equal(["R E", "R  ", "RW "], loads.Select(static line => line[^10..^7]));
        Assert.Contains("GNU_STACK", read, StringComparison.Ordinal);
        Assert.Contains("FUNC    LOCAL  DEFAULT    1 Plumb.Cni.Tests.Samples.Evaluate", read, StringComparison.Ordinal);
        Assert.DoesNotContain("(bad)", Run("objdump", "--disassemble", program), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_program_gives_the_same_bytes() =>
        Assert.Equal(ElfFile.Of(Compile(nameof(Samples))), ElfFile.Of(Compile(nameof(Samples))));

    private static MachineProgram Compile(string type)
    {
        using var image = new PEReader(File.OpenRead(typeof(Samples).Assembly.Location));
        return new Compilation(image).Compile(type == nameof(Samples) ? typeof(Samples).FullName! : type);
    }

    /// <summary>One run of the executable answers for every sample and every pair.</summary>
    private void Agree(string program, (long A, long B)[] pairs)
    {
        var cases = (from which in Enumerable.Range(0, Samples.Count) from pair in pairs select (which, pair.A, pair.B)).ToList();
        var asked = new byte[cases.Count * 24];
        for (var i = 0; i < cases.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(asked.AsSpan(24 * i), cases[i].which);
            BinaryPrimitives.WriteInt64LittleEndian(asked.AsSpan((24 * i) + 8), cases[i].A);
            BinaryPrimitives.WriteInt64LittleEndian(asked.AsSpan((24 * i) + 16), cases[i].B);
        }
        var (questions, answers) = (Path.Combine(_directory, "questions"), Path.Combine(_directory, "answers"));
        File.WriteAllBytes(questions, asked);
        Run("sh", "-c", "exec \"$0\" <\"$1\" >\"$2\"", program, questions, answers);
        var said = File.ReadAllBytes(answers);
        Assert.Equal(cases.Count * 8, said.Length);
        for (var i = 0; i < cases.Count; i++)
        {
            var (which, a, b) = cases[i];
            Assert.Equal((which, a, b, Samples.Evaluate(which, a, b)), (which, a, b, BinaryPrimitives.ReadInt64LittleEndian(said.AsSpan(8 * i))));
        }
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private string Compiled()
    {
        var path = Path.Combine(_directory, "samples");
        File.WriteAllBytes(path, ElfFile.Of(Compile(nameof(Samples))));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }
}
