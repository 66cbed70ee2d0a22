namespace Plumb.Lab.Images;

/// <summary>The images that a lab's containers run from, by the names that they ask for.</summary>
internal sealed class LabImages
{
    public static readonly LabImages None = new([]);

    private readonly List<(ImageName Name, Image Image)> _images;

    private LabImages(List<(ImageName, Image)> images) => _images = images;

    /// <param name="images">Name → an image's directory.</param>
    /// <exception cref="ImageException">One is not there.</exception>
    public static LabImages Load(IReadOnlyDictionary<string, string> images) =>
        images.Count == 0 ? None : new LabImages([.. images.Select(static one => (ImageName.Parse(one.Key), ImageStore.Load(one.Value)))]);

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
