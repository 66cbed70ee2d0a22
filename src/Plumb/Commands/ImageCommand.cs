using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Lab.Images;
using Plumb.Output;

namespace Plumb.Commands;

/// <summary>`plumb image`: which images labs to come can run containers from.</summary>
internal sealed class ImageCommand : Verb
{
    private readonly Argument<string?> _action = new("action") { HelpName = "add|ls|rm", Description = "add an image under a name, list all, or remove a name", Arity = ArgumentArity.ExactlyOne };
    private readonly Argument<string?> _what = new("what") { HelpName = "NAME[=PATH]", Description = "of add: the name and a folder or archive; of rm: the name", Arity = ArgumentArity.ZeroOrOne };
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    public ImageCommand()
        : base("image", "keep images that containers of labs run from")
    {
        Arguments.Add(_action);
        Arguments.Add(_what);
        Options.Add(_output);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb image add busybox=busybox.tar", "an archive as `podman save`, `docker save` and `skopeo copy` write it, unpacked into the user's cache"),
        new("plumb image add debian=/srv/debian", "a folder with a root file system, used where it is"),
        new("plumb image ls", "all that are kept"),
        new("plumb image rm busybox", "forget one, and its files with the last of its names"),
    ];

    public override Task<int> RunAsync(Invocation invocation)
    {
        var (action, what) = (invocation.Value(_action), invocation.Value(_what));
        var store = ImageStore.OfUser();
        var result = (action, what) switch
        {
            ("add", { } pair) when pair.Split('=', 2) is [{ Length: > 0 } name, { Length: > 0 } path] => Add(store, name, path),
            ("add", _) => throw new UsageException("add wants NAME=PATH"),
            ("rm", { } name) => store.Forget(name) ? new ImagesResult([], $"{name} is removed") : throw new ImageException($"no image {name} is kept{Nearest.Suggest(name, store.Named().Select(static one => one.Name))}; `plumb image ls` lists them"),
            ("rm", null) => throw new UsageException("rm wants a NAME"),
            ("ls", null) => new ImagesResult([.. store.Named().Select(static one => Describe(one.Name, one.Path))], null),
            ("ls", _) => throw new UsageException("ls wants no name"),
            _ => throw new UsageException($"'{action}' is none of add, ls and rm"),
        };
        Printer.Print(result, static () => ResultJson.Default.ImagesResult, invocation, _output, Write);
        return Task.FromResult(ExitCode.Done);
    }

    private static ImagesResult Add(ImageStore store, string name, string path)
    {
        var image = store.Take(path, out var skipped);
        store.Name(name, image);
        return new ImagesResult([Describe(name, image)], skipped > 0 ? $"{skipped} device files were left out: a container has its own /dev" : null);
    }

    private static KeptImage Describe(string name, string path)
    {
        var image = ImageStore.Load(path);
        return new KeptImage(name, image.Digest, image.Root, string.Join(' ', image.Configuration.Entrypoint.Concat(image.Configuration.Command)));
    }

    private static void Write(ImagesResult result, TextWriter to, Style style)
    {
        foreach (var image in result.Images)
        {
            to.WriteLine($"{style.Strong(image.Name)}  {(image.Digest.Length > 19 ? image.Digest[..19] : image.Root)}  {image.Command}".TrimEnd());
        }
        if (result.Remark is { } remark)
        {
            to.WriteLine(remark);
        }
        else if (result.Images.Count == 0)
        {
            to.WriteLine("no image is kept");
        }
    }
}

/// <param name="Remark">For a person; null: nothing to say.</param>
internal sealed record ImagesResult(IReadOnlyList<KeptImage> Images, string? Remark);

/// <param name="Digest">Empty for a folder that is used where it is.</param>
/// <param name="Command">What the image runs.</param>
internal sealed record KeptImage(string Name, string Digest, string Root, string Command);
