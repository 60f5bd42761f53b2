"""`python -m dashboards` writes the files; with --check it says whether they are as the code has them."""

import sys
from pathlib import Path

from dashboards.boards import BOARDS
from dashboards.grafana import to_json

FILES = Path(__file__).parents[1] / "k8s" / "components" / "monitoring" / "dashboards"


def wanted() -> dict[Path, str]:
    """What each file should hold."""
    return {FILES / f"{name}.json": to_json(board) for name, board in BOARDS.items()}


def stale() -> list[str]:
    """Files that are not as the code has them, or that no code makes."""
    files = wanted()
    old = [path.name for path, text in files.items() if not path.exists() or path.read_text() != text]
    return sorted(old + [path.name for path in FILES.glob("*.json") if path not in files])


def write() -> None:
    """Write what changed, and remove what no dashboard makes any more."""
    FILES.mkdir(parents=True, exist_ok=True)
    files = wanted()
    for path in set(FILES.glob("*.json")) - set(files):
        path.unlink()
    for path, text in files.items():
        path.write_text(text)


if __name__ == "__main__":
    if "--check" in sys.argv:
        names = ", ".join(stale())
        sys.exit(f"dashboards are not as the code has them: {names}: run make dashboards" if names else None)
    write()
