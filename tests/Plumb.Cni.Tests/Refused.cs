using System.Runtime.InteropServices;

namespace Plumb.Cni.Tests;

/// <summary>Programs that would need a runtime.</summary>
internal static unsafe class Refused
{
    public static class Allocates
    {
        public static int Start(nint* stack) => new byte[(int)*stack].Length;
    }

    public static class MakesAnObject
    {
        public static int Start(nint* stack) => new object() == null ? (int)*stack : 1;
    }

    public static class CallsTheFramework
    {
        public static int Start(nint* stack) => Math.Max((int)*stack, 1);
    }

    public static class Catches
    {
        public static int Start(nint* stack)
        {
            try
            {
                return (int)*stack;
            }
            finally
            {
                *stack = 0;
            }
        }
    }

    public static class Throws
    {
        public static int Start(nint* stack) => *stack > 0 ? throw new NotSupportedException() : 1;
    }

    public static class KeepsAnInitialValue
    {
        private static int s_one = 1;

        public static int Start(nint* stack) => s_one += (int)*stack;
    }

    public static class ReturnsMuch
    {
        public static int Start(nint* stack) => (int)Made(*stack).C;

        private static Three Made(nint of) => new() { A = of, B = of, C = of };
    }

    public static class Floats
    {
        public static int Start(nint* stack) => (int)(*stack * 1.5);
    }

    public static class IsGeneric
    {
        public static int Start(nint* stack) => (int)Same(*stack);

        private static T Same<T>(T of) => of;
    }

    public static class CopiesAnOddStruct
    {
        public static int Start(nint* stack)
        {
            Odd odd = default;
            odd.A = odd.B = odd.C = (byte)*stack;
            return Of(odd);
        }

        private static int Of(Odd odd) => odd.A + odd.B + odd.C;
    }

    public static class StoresAnOddStruct
    {
        public static int Start(nint* stack)
        {
            Behind behind = default;
            behind.Number = 7;
            behind.Odd = new Small((byte)*stack);
            return behind.Number;
        }
    }

    public static class Overlays
    {
        public static int Start(nint* stack)
        {
            Overlaid overlaid = default;
            overlaid.A = (int)*stack;
            return (int)overlaid.B;
        }
    }

    public static class Packs
    {
        public static int Start(nint* stack)
        {
            Packed packed = default;
            packed.A = (byte)*stack;
            packed.B = 1;
            return packed.A + packed.B + sizeof(Packed);
        }
    }

    public static class TakesAnother
    {
        public static int Start(int arguments) => arguments;
    }

    private readonly struct Small(byte a)
    {
        public byte A { get; } = a;
    }

    private struct Behind
    {
        public Small Odd;
        public int Number;
    }

    [StructLayout(LayoutKind.Explicit)]
    private struct Overlaid
    {
        [FieldOffset(0)]
        public int A;
        [FieldOffset(0)]
        public uint B;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Packed
    {
        public byte A;
        public int B;
    }

    private struct Three
    {
        public nint A;
        public nint B;
        public nint C;
    }

    private struct Odd
    {
        public byte A;
        public byte B;
        public byte C;
    }
}
