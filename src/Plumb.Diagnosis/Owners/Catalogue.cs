using Plumb.Linux.State;

namespace Plumb.Diagnosis.Owners;

/// <summary>Who writes what into kernels: programs besides the kernel itself, known by the marks that they leave. What is known stands in <c>owners.jsonc</c>.</summary>
public sealed class Catalogue
{
    private const string Resource = "Plumb.Diagnosis.Owners.owners.jsonc";

    private static readonly Lazy<Catalogue> Embedded = new(static () => new Catalogue(CatalogueFile.Read(ReadResource())));

    private readonly Dictionary<(Sign, string), Claim> _names = [];
    private readonly Dictionary<Sign, List<Claim>> _patterns = [];
    private readonly List<(FirewallMark Mark, Claim Claim)> _marks = [];

    private Catalogue(List<Claim> claims)
    {
        Claims = claims;
        foreach (var claim in claims)
        {
            if (claim.Sign == Sign.Mark && MarkBits.TryParse(claim.Pattern, out var mark))
            {
                _marks.Add((mark, claim));
            }
            else if (!Glob.IsPattern(claim.Pattern))
            {
                // Who stands first is asked first.
                _names.TryAdd((claim.Sign, claim.Pattern), claim);
            }
            else if (_patterns.TryGetValue(claim.Sign, out var list))
            {
                list.Add(claim);
            }
            else
            {
                _patterns.Add(claim.Sign, [claim]);
            }
        }
        foreach (var sign in _patterns.Keys)
        {
            _patterns[sign] = [.. _patterns[sign].OrderByDescending(static claim => claim.Pattern.Length)];
        }
    }

    public static Catalogue Known => Embedded.Value;

    /// <summary>All that is known, owner by owner.</summary>
    public IReadOnlyList<Claim> Claims { get; }

    /// <exception cref="FormatException">It is no catalogue.</exception>
    public static Catalogue Read(ReadOnlyMemory<byte> json) => new(CatalogueFile.Read(json));

    /// <summary>Whose a thing is: by its whole name, or by the longest pattern that fits; null: nobody known.</summary>
    public Claim? Find(Sign sign, string name)
    {
        if (_names.TryGetValue((sign, name), out var exact))
        {
            return exact;
        }
        foreach (var claim in _patterns.GetValueOrDefault(sign) ?? [])
        {
            if (Glob.Matches(claim.Pattern, name))
            {
                return claim;
            }
        }
        return null;
    }

    /// <summary>Who uses some of a mark's bits.</summary>
    public IEnumerable<Claim> OfMark(FirewallMark bits) => _marks.Where(known => MarkBits.Meet(known.Mark, bits)).Select(static known => known.Claim);

    private static byte[] ReadResource()
    {
        using var stream = typeof(Catalogue).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"{Resource} is not in this assembly");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
