using System.CommandLine;
using System.Globalization;
using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Lab.Running;
using Plumb.Output;
using Plumb.Snapshots;

namespace Plumb.Commands;

/// <summary>`plumb store`: what a lab's API stores, into a file and back: a cluster whose etcd is restored from a backup.</summary>
internal sealed class StoreCommand : Verb
{
    private readonly Argument<string?> _action = new("action") { HelpName = "save|restore", Description = "write a copy, or put one in the place of all that is stored", Arity = ArgumentArity.ExactlyOne };
    private readonly Argument<string?> _file = new("file") { HelpName = "FILE", Description = "the copy; - is standard output or input", Arity = ArgumentArity.ExactlyOne };
    private readonly Flag _force = new("--force", "of save: take the place of a file that is there");
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    public StoreCommand()
        : base("store", "save what a lab's API stores, and restore it as a backup of etcd is restored")
    {
        Arguments.Add(_action);
        Arguments.Add(_file);
        Options.Add(_force);
        Options.Add(_name);
        Options.Add(_output);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb store save monday.store", "every object with its version, secrets too, into a file that only its owner reads"),
        new("plumb store restore monday.store", "the lab it was saved from goes back to that: resourceVersion and all; watches end, nodes follow"),
        new("plumb store save - | gzip >monday.store.gz", "into a pipe"),
    ];

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var (action, file) = (invocation.Value(_action), invocation.Value(_file)!);
        if (action == "restore" && invocation.IsOn(_force))
        {
            throw new UsageException("--force is for save");
        }
        switch (action)
        {
            case "save":
                return await SaveAsync(invocation, file);
            case "restore":
                // A mistake in the file's name is told whether a lab runs or not.
                var copy = await ReadAsync(file);
                Print(Restore(LabClient.Connect(invocation.Lab(_name), invocation.Time), file, copy), invocation);
                return ExitCode.Done;
            default:
                throw new UsageException($"'{action}' is none of save and restore");
        }
    }

    private async Task<int> SaveAsync(Invocation invocation, string file)
    {
        using var interrupt = new Interrupt();
        try
        {
            var lab = LabClient.Connect(invocation.Lab(_name), invocation.Time);
            var copy = lab.SaveStore();
            var bytes = await SnapshotFile.WriteAsync(file, invocation.IsOn(_force), to => to.WriteAsync(copy, interrupt.Token).AsTask(), named: "");
            // Standard output may be the file.
            if (file != "-")
            {
                Print(new StoreResult(lab.Paths.Name.ToString(), file, bytes, null, null, null), invocation);
            }
            return ExitCode.Done;
        }
        catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
        {
            return interrupt.Code;
        }
        catch (IOException) when (file == "-")
        {
            throw new LabException("-: whoever reads has had enough; the copy is not whole");
        }
    }

    private void Print(StoreResult result, Invocation invocation) => Printer.Print(result, static () => ResultJson.Default.StoreResult, invocation, _output, Write);

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(string file)
    {
        if (file == "-")
        {
            using var whole = new MemoryStream();
            await using var input = Console.OpenStandardInput();
            await input.CopyToAsync(whole);
            return whole.ToArray();
        }
        try
        {
            return await File.ReadAllBytesAsync(file);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{file} cannot be read: {(Directory.Exists(file) ? "it is a directory" : refused is FileNotFoundException or DirectoryNotFoundException ? "it is not there" : refused.Message)}", refused);
        }
    }

    private static StoreResult Restore(LabClient lab, string file, ReadOnlyMemory<byte> copy)
    {
        try
        {
            var restored = lab.RestoreStore(copy);
            return new StoreResult(lab.Paths.Name.ToString(), file, copy.Length, restored.Objects, restored.ResourceVersion, restored.Before);
        }
        catch (LabException refused)
        {
            throw new LabException($"{file}: {refused.Message}", refused);
        }
    }

    private static void Write(StoreResult result, TextWriter to, Style style)
    {
        to.WriteLine(result.ResourceVersionBefore is null
            ? $"lab {style.Strong(result.Lab)}: its store is in {result.File} ({result.Bytes / 1024.0:0} KiB)"
            : string.Create(CultureInfo.InvariantCulture, $"lab {style.Strong(result.Lab)}: {result.Objects} objects from {result.File}; resourceVersion is {result.ResourceVersion} again, it was {result.ResourceVersionBefore}"));
    }
}

/// <param name="Bytes">How large the copy is; null: it was written to a pipe.</param>
/// <param name="Objects">How many there are now; null where nothing was restored, as the two that follow.</param>
/// <param name="ResourceVersion">The store's, which is the copy's.</param>
/// <param name="ResourceVersionBefore">The one that the store had reached.</param>
internal sealed record StoreResult(string Lab, string File, long? Bytes, int? Objects, long? ResourceVersion, long? ResourceVersionBefore);
