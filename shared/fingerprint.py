"""Which version of a service this is, told by its code: another one may fold the same events into other rows."""

import sys
import sysconfig
from hashlib import sha256
from pathlib import Path

_SHARED = Path(__file__).parent


def fingerprint_of(package: Path) -> str:
    """The SHA-256 of all that may take part in folding: the service's package, `shared`, the libraries and Python.

    Too much rather than too little is in it: what it costs is that the log is folded once more.
    """
    digest = sha256(sys.version.encode())
    for library in sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        digest.update(library.encode() + b"\n")
    for part in (package, _SHARED):
        for source in sorted(part.rglob("*.py")):
            content = source.read_bytes()
            digest.update(f"{source.relative_to(part.parent).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()
