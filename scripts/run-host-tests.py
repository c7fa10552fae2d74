# SPDX-License-Identifier: MIT
"""Run cmocka programs, and Python's unittest files, and add up their results.

Usage: run-host-tests.py PROGRAM|FILE.py...
The last line is `N passed, N failed, N skipped`; status 1 when a case failed or a program died.
"""
import os
import re
import subprocess
import sys

TIMEOUT_S = 1800


def run(path):
    """Run one program; (passed, failed, skipped, its output)."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", ASAN_OPTIONS="detect_leaks=1",
               UBSAN_OPTIONS="print_stacktrace=1")
    try:
        done = subprocess.run([path], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as e:
        return 0, 1, 0, f"{e.stdout or ''}\nno end after {TIMEOUT_S} s"
    text = done.stdout.decode("utf-8", "replace")
    # cmocka 1 calls a skipped case "not ok N # SKIP".
    skipped = len(re.findall(r"^(?:not )?ok \d+ .*# SKIP", text, re.M))
    passed = len(re.findall(r"^ok \d+ (?!.*# SKIP)", text, re.M))
    failed = len(re.findall(r"^not ok \d+ (?!.*# SKIP)", text, re.M))
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", text, re.M))
    if planned == 0 or passed + failed + skipped != planned or (done.returncode and not failed):
        failed += 1
        text += f"\nended early or outside a case: status {done.returncode}, {planned} planned\n"
    return passed, failed, skipped, text


def run_python(path):
    """The same for a file of unittest cases."""
    done = subprocess.run([sys.executable, path, "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=TIMEOUT_S, check=False)
    text = done.stdout.decode("utf-8", "replace")
    passed = len(re.findall(r"\.\.\. ok$", text, re.M))
    skipped = len(re.findall(r"\.\.\. skipped", text, re.M))
    planned = sum(int(n) for n in re.findall(r"^Ran (\d+) tests?", text, re.M))
    return passed, max(planned - passed - skipped, 1 if done.returncode else 0), skipped, text


def main():
    total = [0, 0, 0]
    for path in sys.argv[1:]:
        passed, failed, skipped, text = (run_python if path.endswith(".py") else run)(path)
        for i, n in enumerate((passed, failed, skipped)):
            total[i] += n
        print(f"{'FAIL' if failed else 'ok':4}  {os.path.basename(path)}: {passed} passed"
              + (f", {failed} failed" if failed else ""))
        if failed:
            print(text)
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
