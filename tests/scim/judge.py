"""Starts an emulator, makes a directory in it, and runs every check of scim2-tester against its SCIM endpoint.

Usage: judge.py EMULATOR. Exits with 1 if a check fails, or if fewer were made than there are attributes to check.
"""

import collections
import json
import subprocess
import sys
import warnings

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

# The tester makes 138 checks of this endpoint: less means that it gave up early.
FEWEST_CHECKS = 130

FAILURES = {Status.ERROR, Status.CRITICAL, Status.DEVIATION}


def make_directory(emulator):
    """A directory under the RFC's profile: its base URL and its bearer token."""
    control = httpx2.Client(
        base_url=emulator["url"],
        headers={"Authorization": f"Bearer {emulator['apiKey']}"},
        trust_env=False,
    )

    def call(method, path, body):
        answer = control.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()

    call("PATCH", "/_emulate/settings", {"scim_profile": "rfc7644"})
    organization = call("POST", "/organizations", {"name": "Acme"})
    directory = {"organization_id": organization["id"], "name": "Acme's people"}
    scim = call("POST", "/_emulate/directories", directory)["scim"]
    return scim["base_url"], scim["bearer_token"]


def judge(emulator):
    base_url, token = make_directory(emulator)
    connection = httpx2.Client(
        base_url=base_url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
    )
    results = check_server(SyncSCIMClient(connection))
    failed = [result for result in results if result.status in FAILURES]
    for result in failed:
        print(f"{result.status.name}  {result.title} {result.resource_type or ''}")
        print(f"    {result.reason}")
        print(f"    {str(result.data)[:1000]}")
    counts = collections.Counter(result.status.name for result in results)
    print(f"scim2-tester: {len(results)} checks, " + ", ".join(f"{n} {name}" for name, n in counts.items()))
    for result in results:
        if result.status == Status.SKIPPED:
            print(f"skipped: {result.title}: {result.reason}")
    return not failed and len(results) >= FEWEST_CHECKS


def main():
    warnings.simplefilter("ignore")
    command = [sys.argv[1], "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            passed = judge(json.loads(process.stdout.readline()))
        finally:
            process.terminate()
    sys.exit(0 if passed else 1)


main()
