"""Asks pip-audit for known vulnerabilities of the packages installed here: `python .ci/audit.py`.

Exit status 1 if one is found that isn't in `IGNORED`. If no vulnerability service can be reached, one line says so and
the status is 0: a machine without internet can run everything else.
"""

import json
import subprocess
import sys

IGNORED: dict[str, str] = {}  # identity of a vulnerability that has no fix yet → why it does no harm here


def main() -> int:
    """Run pip-audit and explain its answer."""
    command = ["pip-audit", "--format", "json", "--progress-spinner", "off", "--skip-editable", "--timeout", "15"]
    audit = subprocess.run(command, capture_output=True, text=True)
    try:
        packages = json.loads(audit.stdout)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    # A package whose version the service doesn't know is skipped; one that knows none isn't the service.
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        failed = (audit.stderr.strip().splitlines() or ["no answer"])[-1][:200]
        reason = f"{len(packages)} packages are unknown to it" if packages else failed
        print(f"pip-audit: not audited, no vulnerability service can be reached ({reason}).")
        return 0
    found = [
        f"{package['name']} {package['version']}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'none'}"
        for package in known
        for each in package["vulns"]
        if not {each["id"], *each.get("aliases", ())} & set(IGNORED)
    ]
    print("\n".join([*found, f"pip-audit: {len(found)} vulnerabilities in {len(known)} of {len(packages)} packages."]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
