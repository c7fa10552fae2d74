# SPDX-License-Identifier: MIT
"""Run libFuzzer targets over a fixed number of inputs.

Usage: run-fuzz.py --runs N PROGRAM...
Seeds are taken from tests/fuzz/corpus/NAME where it exists. A crash, a leak, or an input that takes
more than ten seconds fails; the input is kept as build/host/NAME-*. The last line is
`N passed, N failed, N skipped`.
"""
import argparse
import os
import subprocess
import sys
import tempfile


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20000)
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    failed = 0
    for path in args.programs:
        name = os.path.basename(path)
        seeds = os.path.join("tests/fuzz/corpus", name.removeprefix("fuzz_"))
        # New inputs are written to the first directory: not to the seeds, which are in git.
        with tempfile.TemporaryDirectory() as found:
            cmd = [path, f"-runs={args.runs}", "-seed=1", "-timeout=100", "-rss_limit_mb=1024",
                   f"-artifact_prefix={path}-", found] + ([seeds] if os.path.isdir(seeds) else [])
            done = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        print(f"{'FAIL' if done.returncode else 'ok':4}  {name}: {args.runs} inputs")
        if done.returncode:
            failed += 1
            print(done.stdout.decode("utf-8", "replace")[-6000:])
    print(f"{len(args.programs) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
