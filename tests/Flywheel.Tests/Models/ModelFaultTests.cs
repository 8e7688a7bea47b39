using Flywheel.Engine.Models;
using Flywheel.Engine.Models.Http;
using Microsoft.Extensions.Time.Testing;

namespace Flywheel.Tests.Models;

public sealed class ModelFaultTests
{
    [Theory]
    [InlineData("30", 30.0)]
    [InlineData("0", 0.0)]
    [InlineData("1.5", 1.5)]
    [InlineData("Mon, 05 Jan 2026 12:01:00 GMT", 60.0)]
    [InlineData("Mon, 05 Jan 2026 11:00:00 GMT", 0.0)]
    [InlineData("99999999999", 86400.0)]
    [InlineData("-5", null)]
    [InlineData("soon", null)]
    [InlineData("", null)]
    public void Retry_After_is_seconds_or_a_date(string value, double? seconds)
    {
        var noon = new FakeTimeProvider(new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero));

        var fault = ModelFault.From(new ModelHttpException(429, value, "slow down"), noon, TestContext.Current.CancellationToken);

        Assert.Equal(seconds, fault.RetryAfter?.TotalSeconds);
    }

    [Fact]
    public void A_fault_of_setup_is_never_retried_and_keeps_its_words()
    {
        var fault = ModelFault.From(new ModelSetupException("install it"), ct: TestContext.Current.CancellationToken);

        Assert.Equal((ModelFaultKind.Setup, false, "install it"), (fault.Kind, fault.Retryable, fault.Reason));
    }

    [Fact]
    public void A_programming_error_of_another_kind_is_unknown_and_not_retried()
    {
        var fault = ModelFault.From(new NotSupportedException("odd"), ct: TestContext.Current.CancellationToken);

        Assert.Equal((ModelFaultKind.Unknown, false), (fault.Kind, fault.Retryable));
        Assert.Contains("odd", fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_error_body_is_cut()
    {
        var fault = ModelFault.From(new ModelHttpException(500, null, new string('x', 100_000)), ct: TestContext.Current.CancellationToken);

        Assert.InRange(fault.Reason.Length, 100, 400);
    }
}
