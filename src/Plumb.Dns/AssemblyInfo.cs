using System.Runtime.CompilerServices;

// Whatever is taken from the stack here is written before it is read.
[module: SkipLocalsInit]
