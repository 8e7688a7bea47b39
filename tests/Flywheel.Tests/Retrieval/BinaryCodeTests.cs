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
            var rotation = new RandomRotation(size);
            var query = Direction(random, size);
            var turned = Rotated(rotation, query);
            var codes = new byte[blocks * BinaryCode.BlockRows * size / 8 + 1];
            random.NextBytes(codes);
            fixed (byte* from = codes)
            {
                var tables = new byte[CodeQuery.TableBytes(size)];
                fixed (byte* memory = tables)
                {
                    var coded = CodeQuery.From(query, rotation, memory);
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
                        Assert.Equal(Signed(codes, turned, row), expected[row] * coded.Slope + coded.Intercept, coded.Slope * size / 8);
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
    [InlineData(64, 0.15, 0.08)]
    [InlineData(512, 0.04, 0.02)]
    [InlineData(384, 0.04, 0.02)]
    public void Estimates_are_right_on_the_average_and_off_by_what_they_say(int dimensions, double largest, double largestOfBoth)
    {
        var random = new Random(3);
        var rotation = new RandomRotation(dimensions);
        var blockBytes = BinaryCode.BlockRows * rotation.Size / 8;
        byte[] signs = new byte[blockBytes], finer = new byte[blockBytes];
        var (first, both) = (new Errors(largest), new Errors(largestOfBoth));
        for (var i = 0; i < 4_000; i++)
        {
            var row = Direction(random, dimensions);
            var query = row.Zip(Direction(random, dimensions), (x, y) => 0.4f * x + y).ToArray();
            var length = (float)Math.Sqrt(Dot(query, query));
            query = [.. query.Select(x => x / length)];
            var lane = random.Next(BinaryCode.BlockRows);

            var scales = BinaryCode.Write(Rotated(rotation, row), signs, finer, lane);

            var turned = Rotated(rotation, query);
            double ofSigns = Signed(signs, turned, lane), ofFiner = Signed(finer, turned, lane);
            first.Add(ofSigns, scales.First, Dot(row, query));
            both.Add(ofSigns + BinaryCode.FinerWeight * ofFiner, scales.Both, Dot(row, query));
        }

        first.Check();
        both.Check();
    }

    [Fact]
    public void The_code_of_nothing_is_similar_to_nothing()
    {
        var block = new byte[BinaryCode.BlockRows * 8];

        Assert.Equal((default, default), BinaryCode.Write(new float[64], block, block, 5));
    }

    private sealed class Errors(double largest)
    {
        private readonly List<double> _errors = [];
        private readonly List<double> _shares = [];

        public void Add(double sum, CodeScale scale, double cosine)
        {
            _errors.Add(sum * scale.Factor - cosine);
            _shares.Add(_errors[^1] / (scale.Deviation * Math.Sqrt(1 - cosine * cosine)));
            Assert.InRange(scale.Deviation, largest / 4, largest);
        }

        public void Check()
        {
            Assert.InRange(_errors.Average(), -0.1 * largest, 0.1 * largest);
            Assert.InRange(Math.Sqrt(_shares.Average(x => x * x)), 0.9, 1.1);
            Assert.InRange(_shares.Count(x => x < -3) / (double)_shares.Count, 0, 0.004);
        }
    }

    private static double Signed(byte[] codes, float[] values, int row) =>
        Enumerable.Range(0, values.Length).Sum(d => Bit(codes, values.Length, row, d) ? values[d] : -values[d]);

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
