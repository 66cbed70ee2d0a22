using System.Runtime.InteropServices;

namespace Plumb.Cni.Tests;

/// <summary>
/// Programs that .NET runs and that the kernel runs: of two numbers each makes a third. As an executable it reads a number, two more, and writes what comes of them,
/// until its input ends.
/// </summary>
internal static unsafe class Samples
{
    public const int Count = 57;

    private static long s_kept;
    private static byte s_small;
    private static Colour s_colour;
    private static int s_behind;

    private enum Colour
    {
        Red,
        Blue = 2,
    }

    public static long Evaluate(long which, long a, long b) => which switch
    {
        0 => (int)a + (int)b,
        1 => a + b,
        2 => (int)a - (int)b,
        3 => a - b,
        4 => (int)a * (int)b,
        5 => a * b,
        6 => (int)b is 0 or -1 ? 0 : (int)a / (int)b,
        7 => b is 0 or -1 ? 0 : a / b,
        8 => (int)b is 0 or -1 ? 0 : (int)a % (int)b,
        9 => b is 0 or -1 ? 0 : a % b,
        10 => (uint)b == 0 ? 0 : (uint)a / (uint)b,
        11 => b == 0 ? 0 : (long)((ulong)a / (ulong)b),
        12 => (uint)b == 0 ? 0 : (uint)a % (uint)b,
        13 => b == 0 ? 0 : (long)((ulong)a % (ulong)b),
        14 => ((int)a & (int)b) | (~(int)a ^ -(int)b),
        15 => (a & b) | (~a ^ -b),
        16 => (int)a << (int)b,
        17 => a << (int)b,
        18 => (int)a >> (int)b,
        19 => a >> (int)b,
        20 => (uint)a >>> (int)b,
        21 => a >>> (int)b,
        22 => Compared((int)a, (int)b),
        23 => Compared(a, b),
        24 => Compared((uint)a, (uint)b),
        25 => Compared((ulong)a, (ulong)b),
        26 => Branched((int)a, (int)b),
        27 => Branched(a, b),
        28 => Branched((uint)a, (uint)b),
        29 => Branched((ulong)a, (ulong)b),
        30 => (sbyte)a + (byte)b,
        31 => (short)a + (ushort)b,
        32 => (nint)(int)a + (nint)(uint)b,
        33 => (long)(uint)(int)a - (int)(uint)b,
        34 => ThroughMemory(a, b),
        35 => Chosen((int)(a & 15)) + Chosen((int)b),
        36 => new Pair(a, (int)b).Sum,
        37 => Swapped(new Pair(a, (int)b)).First,
        38 => ByValue(new Triple { A = (byte)a, B = (short)b, C = a }, new Pair(b, (int)a), b),
        39 => Changed(a, b),
        40 => Static(a, b),
        41 => Fibonacci((int)(a & 15)),
        42 => Literal("plumb is a network"u8, (int)(a & 15)) + (b * Literal(""u8, 0)),
        43 => Least(a, b) + (a < b ? Least(b, 7) : -Least(a, -7)),
        44 => Reversed(a),
        45 => OnTheStack((int)(a & 63), b),
        46 => Nested(a, b),
        47 => (a > 0 && b > 0) || (a < -100 && b < -100) ? a ^ b : a == b ? 1 : 2,
        48 => (byte)(a + b) + (sbyte)(a - b) + (ushort)(a * 3) + (short)(b * 5),
        49 => Many(a, b, (int)a, (byte)b, (short)a, (ushort)b, 5, -6, 70_000, 1L << 40),
        50 => Collatz((uint)a & 1023),
        51 => -1 - (int)(a & 1) + (-2L * (b & 3)) + 127 + 128 + 32_768 + int.MinValue + long.MaxValue,
        52 => Behind(a) + Behind(b),
        53 => Clean((int)(a & 31), b),
        54 => Cleared((int)(a & 7), b),
        55 => Apart(),
        56 => Coloured(a, b),
        _ => 0,
    };

    public static int Start(nint* stack)
    {
        // The numbers and room for the answer: as a struct, so that memory of the stack is not taken more than once.
        Asked asked;
        while (Call(0, 0, (nint)(&asked), sizeof(Asked), 0, 0, 0) == sizeof(Asked))
        {
            var made = Evaluate(asked.Which, asked.A, asked.B);
            if (Call(1, 1, (nint)(&made), 8, 0, 0, 0) != 8)
            {
                return 2;
            }
        }
        return (int)stack[0] - 1;
    }

    private static int Compared(int a, int b) => (a < b ? 1 : 0) | (a > b ? 2 : 0) | (a == b ? 4 : 0) | Bit(a <= b) << 3 | Bit(a >= b) << 4 | Bit(a != b) << 5;

    private static int Compared(long a, long b) => (a < b ? 1 : 0) | (a > b ? 2 : 0) | (a == b ? 4 : 0) | Bit(a <= b) << 3 | Bit(a >= b) << 4 | Bit(a != b) << 5;

    private static int Compared(uint a, uint b) => (a < b ? 1 : 0) | (a > b ? 2 : 0) | (a == b ? 4 : 0) | Bit(a <= b) << 3 | Bit(a >= b) << 4 | Bit(a != b) << 5;

    private static int Compared(ulong a, ulong b) => (a < b ? 1 : 0) | (a > b ? 2 : 0) | (a == b ? 4 : 0) | Bit(a <= b) << 3 | Bit(a >= b) << 4 | Bit(a != b) << 5;

    private static int Bit(bool value) => value ? 1 : 0;

    private static int Branched(int a, int b)
    {
        var made = 0;
        if (a < b) { made += 1; }
        if (a <= b) { made += 10; }
        if (a > b) { made += 100; }
        if (a >= b) { made += 1000; }
        if (a == b) { made += 10000; }
        if (a != 0) { made += 100000; }
        return made;
    }

    private static int Branched(long a, long b)
    {
        var made = 0;
        if (a < b) { made += 1; }
        if (a <= b) { made += 10; }
        if (a > b) { made += 100; }
        if (a >= b) { made += 1000; }
        if (a == b) { made += 10000; }
        if (a != 0) { made += 100000; }
        return made;
    }

    private static int Branched(uint a, uint b)
    {
        var made = 0;
        if (a < b) { made += 1; }
        if (a <= b) { made += 10; }
        if (a > b) { made += 100; }
        if (a >= b) { made += 1000; }
        if (a == b) { made += 10000; }
        return made;
    }

    private static int Branched(ulong a, ulong b)
    {
        var made = 0;
        if (a < b) { made += 1; }
        if (a <= b) { made += 10; }
        if (a > b) { made += 100; }
        if (a >= b) { made += 1000; }
        if (a == b) { made += 10000; }
        return made;
    }

    private static long ThroughMemory(long a, long b)
    {
        var memory = stackalloc byte[64];
        *(sbyte*)memory = (sbyte)a;
        memory[1] = (byte)b;
        *(short*)(memory + 2) = (short)a;
        *(ushort*)(memory + 4) = (ushort)b;
        *(int*)(memory + 8) = (int)a;
        *(uint*)(memory + 12) = (uint)b;
        *(long*)(memory + 16) = a;
        *(Pair*)(memory + 24) = new Pair(b, (int)a);
        return *(sbyte*)memory + (memory[1] * 3) + (*(short*)(memory + 2) * 5) + (*(ushort*)(memory + 4) * 7L) + (*(int*)(memory + 8) * 11L) + (*(uint*)(memory + 12) * 13L)
            + *(long*)(memory + 16) + ((Pair*)(memory + 24))->Sum + memory[63];
    }

    private static int Chosen(int which)
    {
        switch (which)
        {
            case 0: return 5;
            case 1: return -7;
            case 2: return 11;
            case 3:
            case 4: return 13;
            case 7: return 17;
            case 1000: return 19;
            default: return which;
        }
    }

    private static Pair Swapped(Pair pair) => new(pair.Second, (int)pair.First);

    private static long ByValue(Triple triple, Pair pair, long c)
    {
        triple.C += c;
        var copy = triple;
        copy.B++;
        return copy.A + (copy.B * 3L) + copy.C + triple.B + pair.Sum;
    }

    private static long Changed(long a, long b)
    {
        Change(ref a, out var made);
        Change(ref b, out var other);
        return a + (b * 3) + made - other;
    }

    private static void Change(ref long value, out long before)
    {
        before = value;
        value = (value * 31) + 7;
    }

    private static long Static(long a, long b)
    {
        s_kept = a;
        s_small = (byte)b;
        s_small += 200;
        ref var kept = ref s_kept;
        kept -= b;
        return s_kept + s_small;
    }

    private static int Fibonacci(int of) => of < 2 ? of : Fibonacci(of - 1) + Fibonacci(of - 2);

    private static long Literal(ReadOnlySpan<byte> text, int at)
    {
        fixed (byte* start = text)
        {
            return text.Length == 0 ? -1 : (start[at] * 256L) + text.Length;
        }
    }

    private static long Least(long a, long b) => a < b ? a : b;

    private static long Reversed(long a)
    {
        var bytes = (byte*)&a;
        for (int low = 0, high = 7; low < high; low++, high--)
        {
            (bytes[low], bytes[high]) = (bytes[high], bytes[low]);
        }
        return a;
    }

    private static long OnTheStack(int length, long b)
    {
        var memory = stackalloc byte[8 * (length + 1)];
        var numbers = (long*)memory;
        for (var i = 0; i <= length; i++)
        {
            numbers[i] = (i == 0 ? b : numbers[i - 1]) * 3;
        }
        return numbers[length];
    }

    private static long Behind(long a)
    {
        var memory = stackalloc byte[16];
        *(long*)memory = a;
        var end = memory + 8;
        return (end[-1] * 3) + end[-8] + *(short*)(end - 4);
    }

    /// <summary>Memory of the stack is zero, whatever stood there.</summary>
    private static long Clean(int length, long b)
    {
        var sum = OnTheStack(63, b);
        var memory = stackalloc byte[length + 256];
        for (var i = 0; i < length + 256; i++)
        {
            sum += memory[i];
        }
        return sum;
    }

    private static long Cleared(int times, long b)
    {
        long sum = 0;
        for (var i = 0; i <= times; i++)
        {
            Triple triple = default;
            triple.A += (byte)i;
            triple.B += 5;
            triple.C += b;
            sum += triple.A + triple.B + triple.C;
        }
        return sum;
    }

    private static long Coloured(long a, long b)
    {
        Painted painted = default;
        painted.Behind = (int)b;
        painted.Colour = (Colour)(a & 3);
        s_colour = painted.Colour;
        s_behind = 9;
        s_colour = Colour.Red;
        return painted.Behind + ((long)painted.Colour << 32) + s_behind + (painted.Colour == Colour.Blue ? 1 : 0) + sizeof(Painted);
    }

    private static long Apart()
    {
        Triple triple;
        return sizeof(Triple) + (10 * ((byte*)&triple.C - (byte*)&triple)) + (100 * ((byte*)&triple.B - (byte*)&triple)) + (1000 * sizeof(Outer));
    }

    private static long Nested(long a, long b)
    {
        Outer outer = default;
        outer.Pair = new Pair(a, 3);
        outer.Inner.B = (short)b;
        var inner = outer.Inner;
        return outer.Pair.First + inner.B + Of(outer).Sum + outer.Inner.C;

        static Pair Of(Outer value) => value.Pair;
    }

    private static long Many(long a, long b, int c, byte d, short e, ushort f, int g, long h, int i, long j) => a + (b * 2) + (c * 3L) + (d * 4) + (e * 5) + (f * 6) + (g * 7) + (h * 8) + (i * 9) + (j * 10);

    private static int Collatz(uint from)
    {
        var steps = 0;
        while (from > 1)
        {
            from = from % 2 == 0 ? from / 2 : (3 * from) + 1;
            steps++;
        }
        return steps;
    }

    [DllImport("linux", EntryPoint = "syscall")]
    private static extern nint Call(nint number, nint first, nint second, nint third, nint fourth, nint fifth, nint sixth);

    private readonly struct Pair(long first, int second)
    {
        public long First { get; } = first;

        public int Second { get; } = second;

        public long Sum => First + Second;
    }

    private struct Triple
    {
        public byte A;
        public short B;
        public long C;
    }

    private struct Outer
    {
        public Triple Inner;
        public Pair Pair;
    }

    private struct Painted
    {
        public Colour Colour;
        public int Behind;
    }

    private struct Asked
    {
        public long Which;
        public long A;
        public long B;
    }
}
