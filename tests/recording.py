# SPDX-License-Identifier: MIT
"""Tests of ./caelum run --trace and --profile, for one architecture at a time."""
import json
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree

import caelum
import command
from command import Wrong, caelum_run, expect

UCC = os.path.join(caelum.ROOT, "scripts/ucc")
CALLS = 40
SOURCE = """
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile unsigned long sink;
static void handler(int sig) { (void)sig; }

__attribute__((noinline)) void hot_function(void)
{
	for (int i = 0; i < 4000000; i++)
		sink = sink * 3 + (sink >> 7);
}

__attribute__((noinline)) void cold_function(void)
{
	for (int i = 0; i < 20000; i++)
		sink = sink * 5 + (sink >> 9);
}

__attribute__((noinline)) void its_caller(void)
{
	hot_function();
	cold_function();
	__asm__ volatile("");
}

static void *thread(void *arg)
{
	getuid();
	return arg;
}

int main(void)
{
	pthread_t t;

	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	for (int i = 0; i < CALLS; i++)
		getppid();
	for (int i = 0; i < ROUNDS; i++)
		its_caller();
	if (fork() == 0) {
		close(-1);
		_exit(3);
	}
	wait(NULL);
	usleep(20000);
	usleep(1000); /* a run between two sleeps, whatever the threads and the child do */
	puts("done");
	return 5;
}
"""


class Cases:
    """Each method test_* is one case."""

    def __init__(self, arch, tmp):
        self.arch, self.tmp = arch, tmp

    def compile(self, rounds):
        source, program = os.path.join(self.tmp, "work.c"), os.path.join(self.tmp, "work")
        with open(source, "w", encoding="ascii") as f:
            f.write(SOURCE)
        subprocess.run([UCC, self.arch, "-O1", "-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer", f"-DCALLS={CALLS}", f"-DROUNDS={rounds}",
                        "-o", program, source], check=True, capture_output=True)
        return program

    def trace(self, want_status, *args):
        """Run with --trace; the events."""
        out = os.path.join(self.tmp, "trace.json")
        status, _, errors = caelum_run("--trace", out, "--smp", "2", *args)
        if status != want_status:
            raise Wrong(f"status {status}, not {want_status}: {errors[-1500:]!r}")
        with open(out, encoding="utf-8") as f:
            trace = json.load(f)
        expect("lost records", trace["otherData"]["lost_records"], 0)
        return trace["traceEvents"]

    def test_trace(self):
        """System calls nest, and are those the program made; each thread and CPU has its track; signals, faults, children."""
        events = self.trace(5, self.compile(1))
        slices = [e for e in events if e["ph"] == "X" and e["cat"] == "syscall"]
        count = {name: sum(e["name"] == name for e in slices) for name in ("getppid", "exit_group", "write", "writev")}
        expect("calls of getppid", count["getppid"], CALLS)
        expect("calls of exit_group", count["exit_group"], 2)
        if not count["write"] + count["writev"]:
            raise Wrong("no output was recorded")
        threads = {}
        for e in slices:
            threads.setdefault(e["tid"], []).append((e["ts"], e["ts"] + e["dur"]))
        expect("threads", len(threads), 3)
        for tid, spans in threads.items():
            spans.sort()
            if any(b[0] < a[1] for a, b in zip(spans, spans[1:])):
                raise Wrong(f"calls of thread {tid} overlap")
        failed = [e for e in slices if e["name"] == "close" and e["args"].get("errno") == 9]
        expect("failed closes", len(failed), 1)
        child = failed[0]["pid"]
        if child == 1 or not any(e["name"] == f"makes {child}" for e in events):
            raise Wrong("the child is not its parent's")
        names = {e["name"] for e in events}
        for want in ("signal 10", "page fault", "exec /bin/work", "exit"):
            if want not in names:
                raise Wrong(f"no event {want!r}")
        for want in ("CPU 0", "CPU 1"):
            if not any(e["name"] == "thread_name" and e["args"]["name"] == want for e in events):
                raise Wrong(f"no track {want!r}")
        ran = [e for e in events if e["ph"] == "X" and e["cat"] == "sched" and e["args"]["tid"] == 1]
        if not any(e["args"]["then"] == "asleep" for e in ran):
            raise Wrong("the main thread never slept")
        sleep = max(e["dur"] for e in slices if "nanosleep" in e["name"])
        if sleep < 20000:
            raise Wrong(f"a sleep of 20 ms took {sleep} us")

    def test_trace_survives_a_timeout(self):
        """What was recorded is there though the machine did not end by itself; the call it was in is shown."""
        out = os.path.join(self.tmp, "cut.json")
        for timeout in (8, 30, 120, 600):   # in which it may not come as far as its sleep
            status, _, _ = caelum_run("-a", self.arch, "--trace", out, "busybox", "sleep", "10000", timeout=timeout)
            expect("status", status, 124)
            with open(out, encoding="utf-8") as f:
                events = json.load(f)["traceEvents"]
            if any(e.get("args", {}).get("unfinished") and "nanosleep" in e["name"] for e in events):
                return
        raise Wrong("the sleep is not there")

    def test_profile(self):
        """The hot function is by far the widest, under its caller; the kernel's functions have their names, too."""
        out = os.path.join(self.tmp, "profile.svg")
        status, _, errors = caelum_run("--profile", out, self.compile(40))
        if status != 5:
            raise Wrong(f"status {status}: {errors[-1500:]!r}")
        root = xml.etree.ElementTree.parse(out).getroot()
        share = {}
        for title in root.iter("{http://www.w3.org/2000/svg}title"):
            name, percent = re.fullmatch(r"(.*): \d+ samples, ([\d.]+) %", title.text).groups()
            share[name] = share.get(name, 0) + float(percent)
        for name in ("hot_function", "its_caller", "main"):
            if share.get(name, 0) < 60:
                raise Wrong(f"{name} has {share.get(name, 0)} %: {share}")
        if share.get("cold_function", 0) > 10:
            raise Wrong(f"cold_function has {share['cold_function']} %")
        if not any(re.fullmatch(r"[a-z_]\w+ \[k\]", name) for name in share):
            raise Wrong(f"no function of the kernel: {sorted(share)}")

    def test_bad_file(self):
        status, _, errors = caelum_run("-a", self.arch, "--trace", "/nowhere/trace.json", "busybox", "true")
        expect("status", status, 1)
        expect("message", errors, b"caelum: /nowhere/trace.json: No such file or directory\n")


def run(tally, arch):
    """All cases for @arch, each put into @tally."""
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        command.run_cases(tally, arch, "recording", Cases(arch, tmp))
