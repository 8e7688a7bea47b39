namespace Flywheel.Engine.Models.Http;

/// <summary>Turns an error status into a <see cref="ModelHttpException"/> before an SDK drops the Retry-After header.</summary>
internal sealed class ErrorStatuses(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode)
            return response;

        using (response)
        {
            var retryAfter = response.Headers.NonValidated.TryGetValues("Retry-After", out var values) ? values.ToString() : null;
            var said = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new ModelHttpException((int)response.StatusCode, retryAfter, said.Length == 0 ? response.ReasonPhrase ?? "" : said);
        }
    }
}
