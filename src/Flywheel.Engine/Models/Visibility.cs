using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Flywheel.Tests")]
