using System.Security.Cryptography;
using System.Text;

namespace Flywheel.Core.Projects;

/// <summary>The secret of an API key: what a caller sends, and what is stored of it.</summary>
public static class KeySecret
{
    const string Prefix = "fw_";
    const int PrefixLength = 10;

    public static string New() => Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>SHA-256 in lower-case hex: all that the database holds of a secret.</summary>
    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>The first characters, for people to tell keys apart.</summary>
    public static string PrefixOf(string secret) => secret[..PrefixLength];
}
