using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Flywheel.Tests")]
[assembly: InternalsVisibleTo("Flywheel.Studies.Detectors")]
