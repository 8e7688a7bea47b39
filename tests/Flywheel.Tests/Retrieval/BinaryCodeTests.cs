using System.Runtime.Intrinsics.X86;
using CsCheck;
using Flywheel.Core.Retrieval;
using static Flywheel.Tests.Retrieval.Pool;

namespace Flywheel.Tests.Retrieval;

public unsafe class BinaryCodeTests
{
    private delegate void Kernel(byte* codes, int blocks, in CodeQuery query, ushort* sums);

    [Fact]
    public void Rotation_keeps_every_inner_product_and_spreads_a_single_value_over_all_dimensions() =>
        Gen.Select(Gen.Int[1, 700], Gen.Int[0, int.MaxValue]).Sample((dimensions, seed) =>
        {
            var random = new Random(seed);
            var rotation = new RandomRotation(dimensions);
            float[] a = Direction(random, dimensions), b = Direction(random, dimensions), one = new float[dimensions];
            one[random.Next(dimensions)] = 1;

            Assert.InRange(rotation.Size, dimensions, Math.Max(64, 2 * dimensions));
            Assert.Equal(Dot(a, b), Dot(Rotated(rotation, a), Rotated(rotation, b)), 1e-5);
            Assert.InRange(Rotated(rotation, one).Max(Math.Abs), 0, 8 / MathF.Sqrt(rotation.Size));
        });

    [Fact]
    public void Every_path_adds_up_the_same_entries()
    {
        Gen.Select(Gen.Int[0, 5], Gen.Int[6, 12], Gen.Int[0, int.MaxValue]).Sample((blocks, power, seed) =>
        {
            var random = new Random(seed);
            var size = 1 << power;
            var query = Direction(random, size);
            var codes = new byte[blocks * BinaryCode.BlockRows * size / 8 + 1];
            random.NextBytes(codes);
            fixed (byte* from = codes)
            {
                var tables = new byte[CodeQuery.TableBytes(size)];
                fixed (byte* memory = tables)
                {
                    var coded = CodeQuery.From(query, memory);
                    var expected = Enumerable.Range(0, blocks * BinaryCode.BlockRows).Select(row => Plain(codes, coded, row)).ToArray();
                    foreach (var kernel in Kernels())
                    {
                        var sums = new ushort[blocks * BinaryCode.BlockRows + 1];
                        fixed (ushort* into = sums)
                            kernel(from, blocks, coded, into);
                        Assert.Equal(expected, sums[..^1].Select(sum => (int)sum));
                    }

                    // What the sums stand for: the query's values with the signs that the bits say.
                    for (var row = 0; row < expected.Length; row++)
                    {
                        var signed = Enumerable.Range(0, size).Sum(i => Bit(codes, size, row, i) ? query[i] : -query[i]);
                        Assert.Equal(signed, expected[row] * coded.Slope + coded.Intercept, coded.Slope * size / 8);
                    }
                }
            }
        }, iter: 40);

        static int Plain(byte[] codes, CodeQuery query, int row)
        {
            var sum = 0;
            for (var column = 0; column < query.Columns; column++)
            {
                var code = codes[(row / BinaryCode.BlockRows * query.Columns + column) * BinaryCode.BlockRows + row % BinaryCode.BlockRows];
                sum += query.Low[32 * column + (code & 15)] + query.High[32 * column + (code >> 4)];
            }

            return sum;
        }
    }

    [Theory]
    [InlineData(64, 0.15)]
    [InlineData(512, 0.04)]
    [InlineData(384, 0.04)]
    public void Estimates_are_right_on_the_average_and_off_by_what_they_say(int dimensions, double largest)
    {
        var random = new Random(3);
        var rotation = new RandomRotation(dimensions);
        var (errors, shares) = (new List<double>(), new List<double>());
        for (var i = 0; i < 4_000; i++)
        {
            var row = Direction(random, dimensions);
            var beside = Direction(random, dimensions);
            var query = row.Zip(beside, (x, y) => 0.4f * x + y).ToArray();
            var length = (float)Math.Sqrt(Dot(query, query));
            query = [.. query.Select(x => x / length)];
            var block = new byte[BinaryCode.BlockRows * rotation.Size / 8];
            var lane = random.Next(BinaryCode.BlockRows);

            var (scale, deviation) = BinaryCode.Write(Rotated(rotation, row), block, lane);

            var turned = Rotated(rotation, query);
            var signed = Enumerable.Range(0, rotation.Size).Sum(d => Bit(block, rotation.Size, lane, d) ? turned[d] : -turned[d]);
            var cosine = Dot(row, query);
            errors.Add(signed * scale - cosine);
            shares.Add((signed * scale - cosine) / (deviation * Math.Sqrt(1 - cosine * cosine)));
            Assert.InRange(deviation, 0, largest);
        }

        var spread = Math.Sqrt(shares.Average(x => x * x));
        Assert.InRange(errors.Average(), -0.1 * largest, 0.1 * largest);
        Assert.InRange(spread, 0.9, 1.1);
        Assert.InRange(shares.Count(x => x < -3) / 4_000.0, 0, 0.004);
    }

    [Fact]
    public void The_code_of_nothing_is_similar_to_nothing()
    {
        var block = new byte[BinaryCode.BlockRows * 8];

        Assert.Equal((0f, 0f), BinaryCode.Write(new float[64], block, 5));
    }

    private static float[] Rotated(RandomRotation rotation, float[] vector)
    {
        var rotated = new float[rotation.Size];
        rotation.Apply(vector, rotated);
        return rotated;
    }

    private static bool Bit(byte[] codes, int size, int row, int dimension)
    {
        var column = row / BinaryCode.BlockRows * (size / 8) + dimension / 8;
        return (codes[column * BinaryCode.BlockRows + row % BinaryCode.BlockRows] >> dimension % 8 & 1) == 1;
    }

    private static List<Kernel> Kernels()
    {
        List<Kernel> kernels = [CodeKernel.Sums, CodeKernel.SumsPortable];
        if (Avx512BW.IsSupported)
            kernels.Add(CodeKernel.SumsAvx512);
        if (Avx2.IsSupported)
            kernels.Add(CodeKernel.SumsAvx2);
        return kernels;
    }
}
