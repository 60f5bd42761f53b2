"""Values as Grafana writes them."""

from collections.abc import Sequence

from dashboards.model import Unit


def show(value: float, unit: Unit, *, whole: bool = False) -> str:
    """A value as Grafana writes it; `whole` counts have no decimals."""
    if whole and unit is Unit.COUNT:
        return f"{value:.0f}" if abs(value) < 1000 else f"{value / 1000:.3g} K"
    match unit:
        case Unit.RATIO:
            return f"{value * 100:.3g} %"
        case Unit.SECONDS:
            return _seconds(value)
        case Unit.BYTES:
            return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))
        case Unit.BITS_PER_SECOND:
            return _scaled(value, 1000, ("b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s"))
        case Unit.PER_SECOND | Unit.PACKETS_PER_SECOND:
            suffix = " p/s" if unit is Unit.PACKETS_PER_SECOND else " /s"
            return _scaled(value, 1000, ("", "K", "Mil", "Bil")).rstrip() + suffix
        case Unit.COUNT:
            return _scaled(value, 1000, ("", "K", "Mil", "Bil")).rstrip()


def _seconds(value: float) -> str:
    if value >= 120:
        return f"{value / 60:.3g} min"
    if value >= 1 or value == 0:
        return f"{value:.3g} s"
    return f"{value * 1000:.3g} ms" if value >= 0.001 else f"{value * 1e6:.3g} µs"


def _scaled(value: float, factor: int, units: Sequence[str]) -> str:
    index = 0
    while abs(value) >= factor and index < len(units) - 1:
        value /= factor
        index += 1
    return f"{value:.3g} {units[index]}"
