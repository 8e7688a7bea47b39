using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Retrieval;

/// <param name="Policy">Under which they were chosen.</param>
/// <param name="Embedder">Fingerprint of what compared the texts.</param>
public sealed record RetrievalAnswer(RetrievalResult Result, RetrievalPolicy Policy, string Embedder);
