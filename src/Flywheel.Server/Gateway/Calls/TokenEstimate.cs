using System.Text;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>Tokens where nobody counted them: four bytes of UTF-8 each, right to about a fifth for English prose.</summary>
static class TokenEstimate
{
    public static int Of(string text) => OfBytes(Encoding.UTF8.GetByteCount(text));

    public static int OfBytes(int bytes) => (bytes + 3) / 4;
}
