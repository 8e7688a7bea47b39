using System.Runtime.Intrinsics.X86;
using CsCheck;
using Flywheel.Core.Retrieval;

namespace Flywheel.Tests.Retrieval;

public unsafe class ScanKernelTests
{
    private delegate void Kernel(byte* rows, int count, in ScanQuery query, int* dots);

    [Fact]
    public void Every_path_computes_the_plain_sum_exactly() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[1, 17], Gen.Int[0, int.MaxValue]).Sample((count, blocks, seed) =>
        {
            var random = new Random(seed);
            var stride = blocks * 64;
            var rows = new byte[count * stride + 1];
            random.NextBytes(rows);
            var bytes = new sbyte[stride];
            var words = new short[stride];
            var sum = 0;
            for (var i = 0; i < stride; i++)
            {
                words[i] = bytes[i] = (sbyte)(random.Next(4) == 0 ? 127 : random.Next(-127, 128));
                sum += bytes[i];
            }

            var expected = Enumerable.Range(0, count)
                .Select(r => Enumerable.Range(0, stride).Sum(i => (rows[r * stride + i] - 128) * bytes[i])).ToArray();

            foreach (var kernel in Kernels())
            {
                var dots = new int[count + 1];
                fixed (byte* r = rows)
                fixed (sbyte* b = bytes)
                fixed (short* w = words)
                fixed (int* d = dots)
                    kernel(r, count, new ScanQuery(b, w, stride, 128 * sum), d);
                Assert.Equal(expected, dots[..count]);
            }
        });

    [Fact]
    public void A_stored_vector_stands_for_the_given_one_to_a_ten_thousandth() =>
        Gen.Select(Gen.Int[1, 300], Gen.Int[0, int.MaxValue]).Sample((dimensions, seed) =>
        {
            var random = new Random(seed);
            var vector = Pool.Direction(random, dimensions);
            var stride = QuantisedVector.Padded(dimensions);
            var query = new float[stride];
            Pool.Direction(random, dimensions).CopyTo(query, 0);
            var high = new byte[stride];
            var low = new byte[stride];

            var scale = QuantisedVector.Write(vector, high, low);

            var read = new float[dimensions];
            QuantisedVector.Read(high, low, scale, read);
            Assert.All(read.Zip(vector), pair => Assert.Equal(pair.Second, pair.First, scale / 256));
            Assert.Equal(Pool.Dot(vector, query), QuantisedVector.Dot(high, low, scale, query, query.Sum()), 1e-4);
        });

    private static List<Kernel> Kernels()
    {
        List<Kernel> kernels = [ScanKernel.Dots, ScanKernel.DotsPortable];
        if (AvxVnni.IsSupported)
            kernels.Add(ScanKernel.DotsVnni);
        if (Avx512BW.IsSupported)
            kernels.Add(ScanKernel.DotsAvx512);
        if (Avx2.IsSupported)
            kernels.Add(ScanKernel.DotsAvx2);
        return kernels;
    }
}
