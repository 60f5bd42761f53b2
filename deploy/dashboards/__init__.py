"""Salon's dashboards, as code: `python -m dashboards` writes the files that Grafana reads, `--check` says whether they are current.

`boards/` says what is shown, `model` what a dashboard is made of, `grafana` how Grafana wants it written.
"""
