namespace Flywheel.Core.Projects;

/// <summary>Keeps copies of texts outside the database, such as a cache of answers.</summary>
public interface IErasureObserver
{
    /// <summary>Forgets every copy that may hold a text of an end user of this project.</summary>
    void Forget(ProjectId project);
}
