using System.Globalization;
using System.Text;

namespace Flywheel.Validators.Code;

enum SqlPart
{
    /// <summary>A bare word, as written.</summary>
    Word,

    /// <summary>A name in quotation marks, without them.</summary>
    Quoted,

    Text,
    Number,
    Sign,
}

/// <param name="Start">Of the part in the statement.</param>
/// <param name="Depth">Of parentheses around it.</param>
readonly record struct SqlPiece(SqlPart Part, string Value, int Start, int End, int Depth)
{
    public bool Is(string word) => Part == SqlPart.Word && Value.Equals(word, StringComparison.OrdinalIgnoreCase);

    public bool IsSign(char sign) => Part == SqlPart.Sign && Value[0] == sign;

    public bool IsName => Part is SqlPart.Word or SqlPart.Quoted;
}

/// <summary>A statement cut into words, names, texts, numbers and signs, as its database would; comments are left out.</summary>
/// <remarks>Says what a statement is and what it names. Whether it is right is for the database to say.</remarks>
sealed class SqlText
{
    const int MaxLength = 100_000;
    readonly List<SqlPiece> _pieces = [];
    readonly string _sql;
    readonly bool _isPostgres;

    SqlText(string sql, SqlFlavour flavour)
    {
        _sql = sql;
        _isPostgres = flavour == SqlFlavour.Postgres;
    }

    public IReadOnlyList<SqlPiece> Pieces => _pieces;

    /// <summary>The statement without what follows it: semicolons, comments.</summary>
    public string Statement => _pieces.Count == 0 ? "" : _sql[_pieces[0].Start.._pieces[LastPiece()].End];

    /// <param name="problem">Why it is not one statement that reads; null when it may be.</param>
    public static SqlText Read(string sql, SqlFlavour flavour, out string? problem)
    {
        var text = new SqlText(sql, flavour);
        problem = sql.Length > MaxLength ? $"it has {sql.Length} characters; the limit is {MaxLength}"
            : sql.Contains('\0') ? "it holds a NUL character"
            : text.Cut() ?? text.WhyNotOneQuery();
        return text;
    }

    /// <summary>An ORDER BY of the whole result, not of a part of it.</summary>
    public bool IsOrdered => Enumerable.Range(0, Math.Max(0, _pieces.Count - 1))
        .Any(i => _pieces[i].Depth == 0 && _pieces[i].Is("order") && _pieces[i + 1].Is("by"));

    /// <summary>Names right before a parenthesis, as the database looks them up.</summary>
    public IEnumerable<string> Called => Enumerable.Range(0, Math.Max(0, _pieces.Count - 1))
        .Where(i => _pieces[i].IsName && _pieces[i + 1].IsSign('('))
        .Select(i => _pieces[i].Part == SqlPart.Word ? _pieces[i].Value.ToLowerInvariant() : _pieces[i].Value);

    int LastPiece()
    {
        var last = _pieces.Count - 1;
        while (last > 0 && _pieces[last].IsSign(';'))
            last--;
        return last;
    }

    string? WhyNotOneQuery()
    {
        var first = _pieces.FindIndex(piece => !(_isPostgres && piece.IsSign('(')));
        if (_pieces.TrueForAll(piece => piece.IsSign(';')))
            return "it holds no statement";
        if (first < 0 || !(_pieces[first].Is("select") || _pieces[first].Is("with")))
            return "it is no SELECT";
        var end = _pieces.FindIndex(piece => piece.IsSign(';'));
        if (end >= 0 && _pieces.Skip(end).Any(piece => !piece.IsSign(';')))
            return "it holds more than one statement";
        return _isPostgres ? WhyItWrites() : null;
    }

    /// <summary>
    /// What PostgreSQL allows within a SELECT that is more than reading; the session would refuse it too, but only when it runs.
    /// </summary>
    string? WhyItWrites()
    {
        for (var i = 0; i + 1 < _pieces.Count; i++)
        {
            var (piece, next) = (_pieces[i], _pieces[i + 1]);
            if (piece.Is("into"))
                return "it writes its result INTO a table";
            if (piece.Is("for") && (next.Is("update") || next.Is("share") || next.Is("no") || next.Is("key")))
                return "it locks rows";
            if (piece.IsSign('(') && i + 2 < _pieces.Count
                && (next.Is("insert") || next.Is("delete") || next.Is("update") || next.Is("merge")) && _pieces[i + 2].IsName)
                return $"it holds {next.Value.ToUpperInvariant()}, which writes";
        }
        return null;
    }

    string? Cut()
    {
        int at = 0, depth = 0;
        while (at < _sql.Length)
        {
            var c = _sql[at];
            if (char.IsWhiteSpace(c) || c == '\uFEFF')
                at++;
            else if (Starts(at, "--"))
                at = _sql.IndexOf('\n', at) is >= 0 and var line ? line + 1 : _sql.Length;
            else if (Starts(at, "/*"))
            {
                if (AfterComment(at) is not { } after)
                    return "a comment is not closed";
                at = after;
            }
            else if (Enclosed(at, out var part, out var value) is { } end)
            {
                if (end < 0)
                    return $"a quotation mark at character {(at + 1).ToString(CultureInfo.InvariantCulture)} is not closed";
                if (value is null)
                    return "it writes a name with Unicode escapes (U&), which is not allowed here";
                _pieces.Add(new(part, value, at, end, depth));
                at = end;
            }
            else if (char.IsLetter(c) || c == '_' || c > 127)
                at = Take(SqlPart.Word, at, depth, next => char.IsLetterOrDigit(next) || next is '_' or '$' || next > 127);
            else if (char.IsAsciiDigit(c))
                at = Take(SqlPart.Number, at, depth, next => char.IsAsciiLetterOrDigit(next) || next is '.' or '_');
            else
            {
                depth -= c == ')' ? 1 : 0;
                if (depth < 0)
                    return "a parenthesis is closed that was not opened";
                _pieces.Add(new(SqlPart.Sign, _sql[at].ToString(), at, at + 1, depth));
                depth += c == '(' ? 1 : 0;
                at++;
            }
        }
        return depth == 0 ? null : "a parenthesis is not closed";
    }

    bool Starts(int at, string with) => string.CompareOrdinal(_sql, at, with, 0, with.Length) == 0;

    int Take(SqlPart part, int at, int depth, Func<char, bool> goesOn)
    {
        var end = at + 1;
        while (end < _sql.Length && goesOn(_sql[end]))
            end++;
        _pieces.Add(new(part, _sql[at..end], at, end, depth));
        return end;
    }

    /// <summary>PostgreSQL's comments nest; SQLite's end with the text when nothing else ends them.</summary>
    int? AfterComment(int at)
    {
        var open = 0;
        while (at < _sql.Length)
            if (Starts(at, "*/"))
            {
                at += 2;
                if (--open == 0 || !_isPostgres)
                    return at;
            }
            else if (Starts(at, "/*") && (_isPostgres || open == 0))
            {
                open++;
                at += 2;
            }
            else
                at++;
        return _isPostgres ? null : at;
    }

    /// <returns>Null when nothing enclosed begins here; -1 when it does not end; otherwise where it ends.</returns>
    /// <param name="value">Null for what is refused.</param>
    int? Enclosed(int at, out SqlPart part, out string? value)
    {
        part = SqlPart.Text;
        value = "";
        var c = _sql[at];
        if (_isPostgres && c is 'u' or 'U' && at + 2 < _sql.Length && _sql[at + 1] == '&' && _sql[at + 2] is '"' or '\'')
        {
            value = null;
            return at + 3;
        }
        if (_isPostgres && c is 'e' or 'E' && at + 1 < _sql.Length && _sql[at + 1] == '\'')
            return Quoted(at + 1, '\'', escapes: true, out value);
        if (_isPostgres && c == '$' && DollarTag(at) is { } tag)
        {
            var close = _sql.IndexOf(tag, at + tag.Length, StringComparison.Ordinal);
            value = close < 0 ? "" : _sql[(at + tag.Length)..close];
            return close < 0 ? -1 : close + tag.Length;
        }
        switch (c)
        {
            case '\'':
                return Quoted(at, '\'', escapes: false, out value);
            case '"':
                part = SqlPart.Quoted;
                return Quoted(at, '"', escapes: false, out value);
            case '`' when !_isPostgres:
                part = SqlPart.Quoted;
                return Quoted(at, '`', escapes: false, out value);
            case '[' when !_isPostgres:
                part = SqlPart.Quoted;
                var bracket = _sql.IndexOf(']', at);
                value = bracket < 0 ? "" : _sql[(at + 1)..bracket];
                return bracket < 0 ? -1 : bracket + 1;
            default:
                return null;
        }
    }

    int Quoted(int at, char mark, bool escapes, out string value)
    {
        var text = new StringBuilder();
        for (var i = at + 1; i < _sql.Length; i++)
        {
            if (escapes && _sql[i] == '\\' && i + 1 < _sql.Length)
                text.Append(_sql[++i]);
            else if (_sql[i] != mark)
                text.Append(_sql[i]);
            else if (i + 1 < _sql.Length && _sql[i + 1] == mark)
                text.Append(_sql[i++]);
            else
            {
                value = text.ToString();
                return i + 1;
            }
        }
        value = "";
        return -1;
    }

    string? DollarTag(int at)
    {
        var end = at + 1;
        while (end < _sql.Length && (char.IsLetterOrDigit(_sql[end]) || _sql[end] == '_'))
            end++;
        var isTag = end < _sql.Length && _sql[end] == '$' && (end == at + 1 || !char.IsAsciiDigit(_sql[at + 1]));
        return isTag ? _sql[at..(end + 1)] : null;
    }
}
