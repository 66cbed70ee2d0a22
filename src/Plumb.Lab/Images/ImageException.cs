namespace Plumb.Lab.Images;

/// <summary>What is at a path is no image that containers can run from; the text says what, where, and what to do.</summary>
public sealed class ImageException : Exception
{
    public ImageException(string message)
        : base(message)
    {
    }

    public ImageException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
