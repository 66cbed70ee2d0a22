namespace Plumb.Lab.Images;

/// <summary>The images that a lab's containers run from, by the names that they ask for.</summary>
internal sealed class LabImages : IDisposable
{
    private readonly List<(ImageName Name, Image Image)> _images = [];
    private readonly List<IDisposable> _held = [];

    /// <param name="images">Name → an image's directory.</param>
    /// <exception cref="ImageException">One is not there.</exception>
    public static LabImages Load(IReadOnlyDictionary<string, string> images)
    {
        var loaded = new LabImages();
        foreach (var (name, place) in images)
        {
            if (ImageStore.Hold(place) is { } held)
            {
                loaded._held.Add(held);
            }
            loaded._images.Add((ImageName.Parse(name), ImageStore.Load(place)));
        }
        return loaded;
    }

    public void Dispose() => _held.ForEach(static held => held.Dispose());

    public Image? Find(string wanted)
    {
        if (_images.Count == 0)
        {
            return null;
        }
        var name = ImageName.Parse(wanted);
        (ImageName Name, Image Image)? best = null;
        foreach (var candidate in _images)
        {
            if (candidate.Name.Matches(name) && (best is null || candidate.Name.Weight > best.Value.Name.Weight))
            {
                best = candidate;
            }
        }
        return best?.Image;
    }
}
