"""Expressions that are too long to write out for every panel."""

from dashboards.model import Query

OUR_FAULT = 'code=~"UNKNOWN|DEADLINE_EXCEEDED|ABORTED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"'
"""Codes of calls that failed though the caller did nothing wrong."""
_JOINS = "salon_signaling_joins_total"
_JUDGED = 'kind!="ask"'
"""Whoever asks after silence is judged by the gap that it leaves. docs/slo.md counts the same."""

_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def rate(counter: str, where: str = "") -> str:
    """How fast a counter grows over the last moments."""
    return f"rate({counter}{{{where}}}[$__rate_interval])"


def failed_joins(where: str = "", window: str = "$__rate_interval", by: str = "") -> str:
    """The share of joins that failed by our fault."""
    bad, every = (", ".join(filter(None, each)) for each in ((where, _JUDGED, OUR_FAULT), (where, _JUDGED)))
    total = f"by ({by}) " if by else ""
    return (
        f"sum {total}(increase({_JOINS}{{{bad}}}[{window}]))"
        f" / sum {total}(increase({_JOINS}{{{every}}}[{window}]))"
    )


def quantiles(histogram: str, where: str, *names: str) -> tuple[Query, ...]:
    """Quantiles such as `p95` of all that the selector finds, over the last moments."""
    return tuple(Query(quantile(histogram, where, name), name) for name in names)


def quantile(histogram: str, where: str, name: str, by: str = "") -> str:
    """One quantile, for each value of the label `by` if there is one."""
    labels = f"{by}, le" if by else "le"
    buckets = f"sum by ({labels}) ({rate(f'{histogram}_bucket', where)})"
    return f"histogram_quantile({_QUANTILES[name]}, {buckets})"


def within(histogram: str, bound: str, where: str = "", window: str = "$__range", by: str = "") -> str:
    """The share of observations that are at most `bound`, which is one of the buckets'."""
    low = ", ".join(filter(None, (where, f'le="{bound}"')))
    total = f"by ({by}) " if by else ""
    return (
        f"sum {total}(increase({histogram}_bucket{{{low}}}[{window}]))"
        f" / sum {total}(increase({histogram}_count{{{where}}}[{window}]))"
    )
