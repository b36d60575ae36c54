"""Measure Clew beside what a user would pick instead, on the same files, in one run; prints tables of ratios.

Usage: python benchmarks/run.py [--events 10000,100000,1000000] [--only ingest,tiny,investigate,questions,drip,help]

Figures are whole-process: wall seconds, CPU seconds of all processes, and the peak of memory summed over the processes.
Machines differ; the ratios are what to compare.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import archive
import drip
import measure
import questions

HERE = Path(__file__).resolve().parent
CLEW = [sys.executable, "-m", "clew", "--quiet"]
SECTIONS = ("help", "ingest", "tiny", "investigate", "questions", "drip")
# Events a file, and how many such files. A quiet region's file of five minutes holds two or three events.
TINY_FILES = ((25, 4_000), (25, 24_000), (8, 12_500), (3, 32_000))


def ingest(events: int, source: Path, scratch: Path, label: str) -> Path:
    """Ingest the archive beside its rivals; returns the workspace that holds it."""
    workspace = scratch / f"workspace-{label.replace(' ', '-')}"
    stages = scratch / "stages.json"
    ours = measure.run([*CLEW, "-w", str(workspace), "ingest", str(source), "--output", "json"])
    stages.write_text(ours.output, encoding="utf-8")
    rows = {"clew ingest": ours, "read_json (DuckDB, raw files)": _rival("read_json", source, scratch)}
    if _installed("chdb"):
        rows["chDB (record text, six columns)"] = _rival("chdb", source, scratch)
    parse, write = _rival("parse", source, scratch), _rival("write", workspace / "lake", scratch)
    print(f"\n## {label}: {events:,} events, {sum(1 for _ in source.rglob('*.gz')):,} files\n")
    print(f"{'':<34}{'wall s':>9}{'CPU s':>9}{'events/s':>12}{'peak MB':>10}{'largest MB':>12}")
    for name, cost in rows.items():
        _row(name, cost, events)
    _row("floor: gunzip + simdjson parse", parse, events)
    written = float(write.output.split()[-1])
    print(f"{'floor: Parquet write from memory':<34}{'':>9}{written:>9.2f}")
    print(f"\nread_json / clew, wall: {rows['read_json (DuckDB, raw files)'].wall / ours.wall:.1f}×")
    if parse.code == 0:
        print(f"clew CPU / floor CPU:   {ours.cpu / (parse.cpu + written):.1f}×")
    _stages(ours.output, rows["read_json (DuckDB, raw files)"])
    return workspace


def _stages(output: str, read_json: measure.Cost) -> None:
    found = json.loads(output).get("stages", {})
    if not found:
        return
    shown = ", ".join(f"{name} {seconds:.2f}" for name, seconds in found.items())
    print(f"stages (CPU s, all processes): {shown}")
    # What read_json does too; hashing, dedup, commit and the start of processes are ours alone.
    alone = found.get("decode", 0.0) + found.get("write", 0.0)
    same = alone + found.get("unpack", 0.0) + found.get("split", 0.0)
    print(f"read_json / unpack, split, decode and write, CPU: {read_json.cpu / same:.1f}×")
    print(f"read_json / decode and write alone, CPU:          {read_json.cpu / alone:.1f}×")


def investigate(events: int, source: Path, scratch: Path, label: str) -> None:
    """The whole answer: ingest, every detection, report."""
    home = {"CLEW_HOME": str(scratch / f"home-{label}")}
    first = measure.run([*CLEW, "investigate", str(source), "--output", "json"], home)
    again = measure.run([*CLEW, "investigate", str(source), "--output", "json"], home)
    print(f"\n## {label}: investigate (ingest + all rules + report)\n")
    print(f"{'':<34}{'wall s':>9}{'CPU s':>9}{'events/s':>12}{'peak MB':>10}{'largest MB':>12}")
    _row("first time", first, events)
    _row("again (nothing new)", again, events)


def command_help() -> None:
    """How long `clew --help` takes."""
    costs = sorted(measure.run([*CLEW, "--help"]).wall for _ in range(5))
    print(f"\n## clew --help: median {costs[2]:.3f} s of 5 (aim: below 0.4 s)")


def _rival(name: str, source: Path, scratch: Path) -> measure.Cost:
    out = scratch / f"{name}.parquet"
    out.unlink(missing_ok=True)  # chDB refuses to write over the file of the size before
    cost = measure.run([sys.executable, str(HERE / "rivals.py"), name, str(source), str(out)])
    # An exit code of 1 is a finding for clew, but for a rival a failure, which would look very fast.
    return replace(cost, code=2) if cost.code == 1 else cost


def _row(name: str, cost: measure.Cost, events: int) -> None:
    failed = "" if cost.code in {0, 1} else f"  FAILED ({cost.code}): {cost.output.strip().splitlines()[-1:]}"
    print(
        f"{name:<34}{cost.wall:>9.2f}{cost.cpu:>9.2f}{events / cost.wall:>12,.0f}{cost.peak_mb:>10,.0f}"
        f"{cost.largest_mb:>12,.0f}{failed}"
    )


def _installed(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", default="10000,100000,1000000")
    parser.add_argument("--only", default=",".join(SECTIONS))
    return parser.parse_args()


def main() -> int:
    """Run the sections that were asked for."""
    arguments = _arguments()
    sections = set(arguments.only.split(","))
    print(
        f"# {platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    scratch = Path(tempfile.mkdtemp(prefix="clew-bench-"))
    try:
        if "help" in sections:
            command_help()
        for events in map(int, arguments.events.split(",")):
            _one_size(events, sections, scratch)
        if "tiny" in sections:
            for events, files in TINY_FILES:
                source = scratch / f"tiny-{events}-{files}"
                archive.write(source, files * events, per_file=events)
                ingest(files * events, source, scratch, f"{files} tiny files of about {events} events")
                shutil.rmtree(source)
        if "drip" in sections:
            drip.month(scratch / "drip")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


def _one_size(events: int, sections: set[str], scratch: Path) -> None:
    source, label = scratch / f"archive-{events}", f"{events // 1000}k"
    archive.write(source, events)
    if sections & {"ingest", "questions"}:
        workspace = ingest(events, source, scratch, label)
        if "questions" in sections:
            questions.ask(workspace, CLEW, label)
    if "investigate" in sections:
        investigate(events, source, scratch, label)
    shutil.rmtree(source)


if __name__ == "__main__":
    sys.exit(main())
