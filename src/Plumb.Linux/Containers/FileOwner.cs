namespace Plumb.Linux.Containers;

/// <summary>Whose a file of an image is.</summary>
/// <param name="Path">Below the image's root, without a slash in front and without a link on the way.</param>
/// <param name="User">As the image numbers them.</param>
public readonly record struct FileOwner(string Path, uint User, uint Group);
