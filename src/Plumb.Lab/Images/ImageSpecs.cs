using System.Globalization;
using Plumb.Lab.Containers;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Images;

/// <summary>What a container runs that has an image: the image's words, where the container has none of its own. Pure but for the image's /etc/passwd.</summary>
internal static class ImageSpecs
{
    /// <summary>A command of the container's takes the place of the image's, its arguments included; arguments alone take the place of the image's.</summary>
    public static ContainerSpec Of(ContainerSpec container, Image image)
    {
        var own = container.Command.Count > 0;
        return container with
        {
            Command = own ? container.Command : image.Configuration.Entrypoint,
            Args = own || container.Args.Count > 0 ? container.Args : image.Configuration.Command,
            WorkingDirectory = container.WorkingDirectory ?? (image.Configuration.WorkingDirectory.Length > 0 ? image.Configuration.WorkingDirectory : null),
            ImageEnvironment = image.Configuration.Environment,
            User = container.User.Length > 0 ? container.User : image.Configuration.User,
        };
    }

    /// <summary>Whom it runs as, and what there is to say of it.</summary>
    /// <param name="image">Null: the machine's files stand in for the image, of which nobody knows whom it would run as.</param>
    /// <exception cref="ContainerStartException">The image has no such user, or only root where root is refused.</exception>
    public static (ContainerUser User, ContainerRemark? Remark) UserOf(ContainerSpec container, Image? image)
    {
        var user = ImageUser.Find(image?.Root, container.User)
            ?? throw new ContainerStartException("StartError", $"unable to find user {container.User}: no matching entries in passwd file");
        user = user with { Groups = [.. user.Groups.Union(container.Groups)] };
        if (container.NotRoot && user.User == 0 && (image is not null || container.User.Length > 0))
        {
            throw new ContainerStartException("CreateContainerConfigError", "container has runAsNonRoot and image will run as root");
        }
        if (user.IsMapped)
        {
            return (user, null);
        }
        var groups = string.Join(", ", user.Groups.Prepend(user.Group).Distinct());
        return (ContainerUser.Root with { IsPowerless = user.User != 0 }, new ContainerRemark("UserSubstituted", string.Create(CultureInfo.InvariantCulture, $"The container asks for user {user.User}, group {groups}, which the lab's user namespace does not have; it runs as the lab's own user, whom it sees as root. Subordinate ids (package uidmap, /etc/subuid) would give it its own")));
    }
}
