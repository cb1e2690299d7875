"""Lists what is inside wheels of C and C++ libraries, as components of an SBOM (CycloneDX): JSON on stdout.

    python deploy/contents.py opencv_python_headless-*.whl numpy-*.whl

A wheel's own version says nothing of FFmpeg's or OpenSSL's in it. Shared libraries are found by their files,
what was linked into OpenCV by the text on its build that it carries, and OpenSSL's version by its own.
"""

import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHARED = re.compile(r"[^/]+\.libs/(?P<name>lib[^/]+?)-[0-9a-f]{8}(?P<before>[.\d]*)\.so(?P<after>[.\d]*)$")
"""A shared library as auditwheel names it: with a hash, and its version before or after .so."""
BUILD = re.compile(rb"General configuration for OpenCV.*?\0", re.DOTALL)
LINKED = re.compile(
    r"^ {4}(?P<name>[A-Z][A-Za-z0-9 ]*?): +(?P<how>.*?) ?"
    r"\((?:[^()]*\()?(?:ver )?(?P<version>[^()]*\d[^()]*)\)",
    re.MULTILINE,
)
"""A library in the text on OpenCV's build, with its version."""
OWN = re.compile(rb"(?:OpenSSL|OpenBLAS) (\d+\.\d+\.\d+(?:[a-z]|\.dev)?)[ \0]")
"""A library's version in a text of its own."""
NOT_INSIDE = ("FFMPEG", "OpenCL", "Version control", "Lapack", "Interpreter", "Libraries", "Limited API")
"""Lines of that text about programs and about libraries that are listed as files."""


def contents(wheel: Path) -> Iterator[dict[str, Any]]:
    """The libraries in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if found := SHARED.fullmatch(name):
                content = archive.read(name)
                own = OWN.search(content)
                base, _, release = found["name"].partition("-r")  # libopenblas-r0-HASH.3.3.so
                version = own[1].decode() if own else release + (found["after"] or found["before"])
                yield component(base, version.strip("."), "a shared library", content)
            elif re.fullmatch(r"cv2/cv2[^/]*\.so", name):
                build = BUILD.search(archive.read(name))
                for line in LINKED.finditer(build[0].decode(errors="replace") if build else ""):
                    if line["name"] not in NOT_INSIDE and not line["how"].startswith(("/lib", "NO")):
                        yield component(line["name"], line["version"], "linked into it", None)


def component(name: str, version: str, how: str, content: bytes | None) -> dict[str, Any]:
    """One of CycloneDX's components."""
    found: dict[str, Any] = {"type": "library", "name": name, "version": version, "description": how}
    if content is not None:
        found["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
    return found


def main() -> int:
    """Print the components by the package's name, as pip writes it."""
    wheels = {
        Path(name).name.partition("-")[0].replace("_", "-").lower(): Path(name) for name in sys.argv[1:]
    }
    sys.stdout.write(json.dumps({name: list(contents(wheel)) for name, wheel in wheels.items()}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
